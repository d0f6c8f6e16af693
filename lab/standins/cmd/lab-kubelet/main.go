// lab-kubelet starts the real kubelet in the lab's kubelet image. It adds the lab's drop-in configuration to Talos' own, so
// that the machine configuration stays the castle's, and keeps settings of the whole host's kernel out of the kubelet's
// reach: its container has a /proc of its own, so what machined was kept from, the kubelet would still write. Likewise its
// container's /sys shows the host's processors: those of the machine, which its boot has written down, are bound over them.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

const kubelet = "/usr/local/bin/kubelet.real"

// What the kubelet sets, or checks with protectKernelDefaults.
var settings = map[string]string{
	"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
	"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
}

func own(name, value string) error {
	file := filepath.Join("/tmp/lab-sysctl", strings.ReplaceAll(name, "/", "."))
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
		return err
	}
	return syscall.Mount(file, "/proc/sys/"+name, "", syscall.MS_BIND, "")
}

// processors shows the machine's own, where there are any to show.
func processors() error {
	for _, name := range []string{"cpu", "node"} {
		source, target := "/run/lab/"+name, "/sys/devices/system/"+name
		if _, err := os.Stat(source); err != nil {
			continue
		}
		if _, err := os.Stat(target); err != nil {
			continue
		}
		if err := syscall.Mount(source, target, "", syscall.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", target, err)
		}
	}
	return nil
}

func main() {
	if err := processors(); err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
		os.Exit(1)
	}
	for name, value := range settings {
		if err := own(name, value); err != nil {
			fmt.Fprintf(os.Stderr, "lab: %s would be set for the whole host: %v\n", name, err)
			os.Exit(1)
		}
	}
	arguments := append([]string{"kubelet", "--config-dir=/etc/lab-kubelet.d"}, os.Args[1:]...)
	fmt.Fprintln(os.Stderr, "lab:", syscall.Exec(kubelet, arguments, os.Environ()))
	os.Exit(1)
}
