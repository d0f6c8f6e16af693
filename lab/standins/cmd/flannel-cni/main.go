// flannel-cni stands in for flannel's CNI plugin, whose module cannot be had: it makes a configuration for the real plugins
// `bridge` and `host-local` out of what flanneld wrote to /run/flannel/subnet.env, as the plugin's README describes, and
// hands over.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	subnetFile = "/run/flannel/subnet.env"
	keptFolder = "/var/lib/cni/flannel" // what a container was given: after a power loss it is taken back before flanneld is there
)

// delegated is the configuration for the plugin that does the work.
func delegated(given map[string]any, subnet map[string]string) (map[string]any, error) {
	made := map[string]any{
		"name": given["name"], "cniVersion": given["cniVersion"], "type": "bridge", "bridge": "cni0",
		"isGateway": true, "ipMasq": subnet["FLANNEL_IPMASQ"] != "true",
	}
	if asked, ok := given["delegate"].(map[string]any); ok {
		maps.Copy(made, asked)
	}
	if mtu, err := strconv.Atoi(subnet["FLANNEL_MTU"]); err == nil {
		made["mtu"] = mtu
	}
	if before, ok := given["prevResult"]; ok {
		made["prevResult"] = before
	}
	own, err := netip.ParsePrefix(subnet["FLANNEL_SUBNET"])
	if err != nil {
		return nil, fmt.Errorf("%s: FLANNEL_SUBNET: %w", subnetFile, err)
	}
	made["ipam"] = map[string]any{
		"type":   "host-local",
		"ranges": []any{[]any{map[string]any{"subnet": own.Masked().String()}}},
		"routes": []any{map[string]any{"dst": subnet["FLANNEL_NETWORK"]}},
	}
	return made, nil
}

func read(file string) (map[string]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	for line := range strings.Lines(string(data)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		found[key] = value
	}
	return found, nil
}

// configured is the configuration for the plugin that does the work, out of what the runtime gives and flanneld found.
func configured() ([]byte, error) {
	var given map[string]any
	input, err := io.ReadAll(os.Stdin)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(input, &given); err != nil {
		return nil, err
	}
	subnet, err := read(subnetFile)
	if err != nil {
		return nil, err
	}
	made, err := delegated(given, subnet)
	if err != nil {
		return nil, err
	}
	return json.Marshal(made)
}

func plugin(configuration []byte) string {
	var asked struct{ Type string }
	_ = json.Unmarshal(configuration, &asked)
	return filepath.Base(asked.Type)
}

func keep(file string, configuration []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return os.WriteFile(file, configuration, 0o600)
}

func run(command string) error {
	if command == "VERSION" {
		fmt.Print(`{"cniVersion":"1.0.0","supportedVersions":["0.3.0","0.3.1","0.4.0","1.0.0"]}`)
		return nil
	}
	kept := filepath.Join(keptFolder, filepath.Base(os.Getenv("CNI_CONTAINERID")))
	configuration, err := os.ReadFile(kept)
	switch {
	case command == "DEL" && err != nil: // the runtime asks again and again
		return nil
	case command == "DEL":
		defer os.Remove(kept)
	default:
		if configuration, err = configured(); err != nil {
			return err
		}
		if err := keep(kept, configuration); err != nil {
			return err
		}
	}
	folder, _, _ := strings.Cut(os.Getenv("CNI_PATH"), ":")
	child := exec.Command(filepath.Join(folder, plugin(configuration)))
	child.Stdin, child.Stdout, child.Stderr = bytes.NewReader(configuration), os.Stdout, os.Stderr
	if err := child.Run(); err != nil {
		os.Exit(1) // it has said why, in CNI's own form
	}
	return nil
}

func main() {
	if err := run(os.Getenv("CNI_COMMAND")); err != nil {
		fmt.Printf(`{"cniVersion":"0.3.1","code":100,"msg":%q}`, err.Error())
		os.Exit(1)
	}
}
