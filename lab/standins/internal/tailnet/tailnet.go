// Package tailnet speaks to the lab's control plane: the published API for keys, and what stands in for registration.
package tailnet

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

const (
	api     = "https://api.tailscale.com"
	control = "https://controlplane.tailscale.com"
)

var client = &http.Client{Timeout: 10 * time.Second}

// OAuth is a client that mints keys.
type OAuth struct{ ID, Secret string }

// Device is this program on the tailnet.
type Device struct {
	ID        string   `json:"id"`
	Name      string   `json:"name"`
	Addresses []string `json:"addresses"`
}

func call(ctx context.Context, method, address, token string, device string, in, out any) error {
	var body bytes.Buffer
	if in != nil {
		if err := json.NewEncoder(&body).Encode(in); err != nil {
			return err
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, address, &body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	if device != "" {
		request.Header.Set("X-Device-Id", device)
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		var refusal struct{ Message string }
		_ = json.NewDecoder(answer.Body).Decode(&refusal)
		return fmt.Errorf("%s %s: %d %s", method, request.URL.Path, answer.StatusCode, refusal.Message)
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(out)
}

// Mint makes a one-time, ephemeral key with the tags.
func (o OAuth) Mint(ctx context.Context, tags []string) (string, error) {
	form := url.Values{"client_id": {o.ID}, "client_secret": {o.Secret}, "grant_type": {"client_credentials"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, api+"/api/v2/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("oauth: %s", answer.Status)
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&token); err != nil {
		return "", err
	}
	var key struct{ Key string }
	create := map[string]any{"reusable": false, "ephemeral": true, "preauthorized": true, "tags": tags}
	in := map[string]any{"capabilities": map[string]any{"devices": map[string]any{"create": create}}, "expirySeconds": 3600}
	err = call(ctx, http.MethodPost, api+"/api/v2/tailnet/-/keys", token.AccessToken, "", in, &key)
	return key.Key, err
}

// Register joins the tailnet under hostname.
func Register(ctx context.Context, key, hostname string) (Device, error) {
	var device Device
	in := map[string]any{"auth_key": key, "hostname": hostname}
	err := call(ctx, http.MethodPost, control+"/lab/register", "", "", in, &device)
	return device, err
}

// Stay keeps the device alive until ctx ends, then logs out.
func (d Device) Stay(ctx context.Context) {
	for {
		_ = call(ctx, http.MethodPost, control+"/lab/heartbeat", "", "", map[string]string{"id": d.ID}, nil)
		select {
		case <-ctx.Done():
			farewell, cancel := context.WithTimeout(context.Background(), 3*time.Second)
			defer cancel()
			_ = call(farewell, http.MethodPost, control+"/lab/logout", "", "", map[string]string{"id": d.ID}, nil)
			return
		case <-time.After(10 * time.Second):
		}
	}
}

// Resolve asks for the address of another device.
func (d Device) Resolve(ctx context.Context, name string) (string, error) {
	var found struct{ Address string }
	err := call(ctx, http.MethodGet, control+"/lab/resolve?name="+url.QueryEscape(name), "", d.ID, nil, &found)
	return found.Address, err
}
