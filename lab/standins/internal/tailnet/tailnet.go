// Package tailnet speaks to the lab's control plane: the published API for keys, and what stands in for registration.
package tailnet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
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

// Refusal is an answer of the control plane that is none.
type Refusal struct {
	Status int
	call   string
	words  string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%s: %d %s", r.call, r.Status, r.words)
}

// final says whether the same call would be refused again.
func (r *Refusal) final() bool {
	return r.Status >= 400 && r.Status < 500 && r.Status != http.StatusTooManyRequests
}

// Store keeps the id of this program's device over restarts; "" is none.
type Store interface {
	Load(context.Context) (string, error)
	Save(context.Context, string) error
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
		var said struct{ Message string }
		_ = json.NewDecoder(answer.Body).Decode(&said)
		return &Refusal{answer.StatusCode, method + " " + request.URL.Path, said.Message}
	}
	if out == nil {
		return nil
	}
	return json.NewDecoder(answer.Body).Decode(out)
}

// Mint makes a one-time key with the tags. As with the real operator its devices are not ephemeral: they outlive a restart.
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
	create := map[string]any{"reusable": false, "ephemeral": false, "preauthorized": true, "tags": tags}
	in := map[string]any{"capabilities": map[string]any{"devices": map[string]any{"create": create}}, "expirySeconds": 3600}
	err = call(ctx, http.MethodPost, api+"/api/v2/tailnet/-/keys", token.AccessToken, "", in, &key)
	return key.Key, err
}

// Join is the device that this program was before, where the tailnet still knows it. Otherwise it joins under hostname with a
// key, and stores who it is. What does not answer is asked again; err is a key that is refused, or the end of ctx.
func Join(ctx context.Context, store Store, hostname string, key func(context.Context) (string, error)) (Device, error) {
	var id string
	err := insist(ctx, func() (err error) { id, err = store.Load(ctx); return err })
	if err != nil {
		return Device{}, err
	}
	if id != "" {
		var device Device
		err := insist(ctx, func() (err error) { device, err = heartbeat(ctx, id); return err })
		var refused *Refusal
		if !errors.As(err, &refused) || refused.Status != http.StatusNotFound {
			return device, err
		}
		log.Printf("the tailnet does not know device %s any more", id)
	}
	var device Device
	err = insist(ctx, func() error {
		value, err := key(ctx)
		if err == nil {
			device, err = register(ctx, value, hostname)
		}
		return err
	})
	if err == nil {
		err = insist(ctx, func() error { return store.Save(ctx, device.ID) })
	}
	return device, err
}

// insist calls again, every second, until there is an answer.
func insist(ctx context.Context, ask func() error) error {
	for {
		err := ask()
		var refused *Refusal
		if err == nil || (errors.As(err, &refused) && refused.final()) {
			return err
		}
		log.Print(err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(time.Second):
		}
	}
}

func register(ctx context.Context, key, hostname string) (Device, error) {
	var device Device
	in := map[string]any{"auth_key": key, "hostname": hostname}
	err := call(ctx, http.MethodPost, control+"/lab/register", "", "", in, &device)
	return device, err
}

func heartbeat(ctx context.Context, id string) (Device, error) {
	var device Device
	err := call(ctx, http.MethodPost, control+"/lab/heartbeat", "", "", map[string]string{"id": id}, &device)
	return device, err
}

// Stay keeps the device alive until ctx ends. It does not log out: who starts next is the same device.
func (d Device) Stay(ctx context.Context) {
	for {
		_, _ = heartbeat(ctx, d.ID)
		select {
		case <-ctx.Done():
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
