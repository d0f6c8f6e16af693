package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

func TestItHandsOverToBridge(t *testing.T) {
	file := filepath.Join(t.TempDir(), "subnet.env")
	text := "FLANNEL_NETWORK=10.244.0.0/16\nFLANNEL_SUBNET=10.244.1.1/24\nFLANNEL_MTU=1450\nFLANNEL_IPMASQ=true\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	subnet, err := read(file)
	if err != nil {
		t.Fatal(err)
	}
	given := map[string]any{"name": "cbr0", "cniVersion": "0.3.1", "delegate": map[string]any{"hairpinMode": true}}
	made, err := delegated(given, subnet)
	if err != nil {
		t.Fatal(err)
	}
	got, _ := json.Marshal(made)
	want := `{"bridge":"cni0","cniVersion":"0.3.1","hairpinMode":true,"ipMasq":false,"ipam":{"ranges":[[{"subnet":"10.244.1.0/24"}]],` +
		`"routes":[{"dst":"10.244.0.0/16"}],"type":"host-local"},"isGateway":true,"mtu":1450,"name":"cbr0","type":"bridge"}`
	if string(got) != want {
		t.Errorf("got %s", got)
	}
}

func TestASubnetThatIsNone(t *testing.T) {
	if _, err := delegated(map[string]any{}, map[string]string{"FLANNEL_SUBNET": "x"}); err == nil {
		t.Error("taken for a subnet")
	}
}
