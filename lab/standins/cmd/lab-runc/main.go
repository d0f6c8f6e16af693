// lab-runc stands before the real runc where the host lacks CAP_SYS_RESOURCE: nobody may lower an OOM score there, and runc
// fails on a container that asks for it.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

const (
	runc       = "/usr/bin/runc.real"
	capability = "CAP_SYS_RESOURCE"
)

// soften takes out of an OCI runtime specification what cannot be granted.
func soften(data []byte) ([]byte, error) {
	var spec map[string]any
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.UseNumber() // limits are larger than a float64 can tell apart
	if err := decoder.Decode(&spec); err != nil {
		return nil, err
	}
	process, _ := spec["process"].(map[string]any)
	if score, ok := process["oomScoreAdj"].(json.Number); ok && score[0] == '-' {
		delete(process, "oomScoreAdj")
	}
	sets, _ := process["capabilities"].(map[string]any)
	for name, value := range sets {
		if set, ok := value.([]any); ok {
			sets[name] = slices.DeleteFunc(set, func(entry any) bool { return entry == capability })
		}
	}
	return json.Marshal(spec)
}

func softenFile(file string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if data, err = soften(data); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o600)
}

func bundle(arguments []string) string {
	starts := slices.ContainsFunc(arguments, func(word string) bool {
		return word == "create" || word == "run" || word == "restore"
	})
	at := slices.IndexFunc(arguments, func(word string) bool { return word == "--bundle" || word == "-b" })
	if !starts || at < 0 || at+1 >= len(arguments) {
		return ""
	}
	return arguments[at+1]
}

func main() {
	if folder := bundle(os.Args[1:]); folder != "" {
		if err := softenFile(filepath.Join(folder, "config.json")); err != nil {
			fmt.Fprintln(os.Stderr, "lab-runc:", err)
		}
	}
	fmt.Fprintln(os.Stderr, "lab-runc:", syscall.Exec(runc, append([]string{"runc"}, os.Args[1:]...), os.Environ()))
	os.Exit(1)
}
