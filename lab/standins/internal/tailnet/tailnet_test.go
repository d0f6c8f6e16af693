package tailnet

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// memory is a Store.
type memory struct{ id string }

func (m *memory) Load(context.Context) (string, error)    { return m.id, nil }
func (m *memory) Save(_ context.Context, id string) error { m.id = id; return nil }

// answers stands for the control plane: the path says how it answers, the first call first; the last answer stays.
type answers map[string][]int

func (a answers) RoundTrip(request *http.Request) (*http.Response, error) {
	codes := a[request.URL.Path]
	if len(codes) == 0 {
		return nil, errors.New("not asked for: " + request.URL.Path)
	}
	if len(codes) > 1 {
		a[request.URL.Path] = codes[1:]
	}
	recorder := httptest.NewRecorder()
	recorder.WriteHeader(codes[0])
	var sent struct{ ID string }
	_ = json.NewDecoder(request.Body).Decode(&sent)
	if sent.ID == "" {
		sent.ID = "new"
	}
	if codes[0] == http.StatusOK {
		_ = json.NewEncoder(recorder).Encode(Device{ID: sent.ID, Name: sent.ID + ".example.ts.net"})
	} else {
		_, _ = recorder.WriteString(`{"message": "no"}`)
	}
	return recorder.Result(), nil
}

func TestJoin(t *testing.T) {
	const beat, enter = "/lab/heartbeat", "/lab/register"
	cases := []struct {
		name    string
		stored  string
		answers answers
		joined  string // the device; "" for a refusal
		keys    int
	}{
		{"for the first time", "", answers{enter: {200}}, "new", 1},
		{"as the device that it was", "old", answers{beat: {200}}, "old", 0},
		{"once the tailnet has dropped the device", "old", answers{beat: {404}, enter: {200}}, "new", 1},
		{"while the control plane is not well", "old", answers{beat: {503, 200}}, "old", 0},
		{"with a key that is used up", "", answers{enter: {401}}, "", 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			client.Transport = c.answers
			store, keys := &memory{c.stored}, 0
			key := func(context.Context) (string, error) { keys++; return "key", nil }
			device, err := Join(context.Background(), store, "host", key)
			if (err == nil) != (c.joined != "") || device.ID != c.joined || keys != c.keys {
				t.Errorf("device %q with %d keys, %v", device.ID, keys, err)
			}
			if err == nil && (store.id != c.joined || !strings.HasPrefix(device.Name, c.joined)) {
				t.Errorf("stored %q, named %q", store.id, device.Name)
			}
		})
	}
}
