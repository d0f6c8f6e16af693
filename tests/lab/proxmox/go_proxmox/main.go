// Drives a Proxmox API through a machine's whole life with go-proxmox, and says each step.
//
//	go-proxmox ENDPOINT CA TOKEN-ID IMAGE-URL   (the token's secret comes from the environment: TOKEN_SECRET)
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/luthermonson/go-proxmox"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func done(ctx context.Context, step string, task *proxmox.Task, err error) {
	if err == nil {
		err = task.Wait(ctx, 50*time.Millisecond, 10*time.Second)
	}
	if err == nil && task.IsFailed {
		err = fmt.Errorf("%s", task.ExitStatus)
	}
	if err != nil {
		log.Fatalf("%s: %v", step, err)
	}
	fmt.Println(step)
}

func option(name string, value any) proxmox.VirtualMachineOption {
	return proxmox.VirtualMachineOption{Name: name, Value: value}
}

func main() {
	log.SetFlags(0)
	ctx, end := context.WithTimeout(context.Background(), time.Minute)
	defer end()
	endpoint, ca, token, image := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	client := proxmox.NewClient(endpoint+"/api2/json", proxmox.WithRootCAFile(ca), proxmox.WithAPIToken(token, os.Getenv("TOKEN_SECRET")))
	fmt.Println("version", must(client.Version(ctx)).Release)
	node := must(client.Node(ctx, "pve"))
	storage := must(node.Storage(ctx, "local"))
	task, err := storage.DownloadURL(ctx, "iso", "talos.iso", image)
	done(ctx, "downloaded", task, err)
	task, err = node.NewVirtualMachine(ctx, 800,
		option("name", "one"), option("cores", 2), option("memory", 2048), option("onboot", true), option("scsihw", "virtio-scsi-single"),
		option("scsi0", "local-lvm:20,iothread=1"), option("ide2", "local:iso/talos.iso,media=cdrom"), option("boot", "order=scsi0;ide2"),
		option("net0", "virtio=BC:24:11:C0:FF:EE,bridge=vmbr0"))
	done(ctx, "created", task, err)
	machine := must(node.VirtualMachine(ctx, 800))
	task, err = machine.Start(ctx)
	done(ctx, "started", task, err)
	task, err = machine.Config(ctx, option("cores", 4))
	done(ctx, "changed", task, err)
	task, err = machine.ResizeDisk(ctx, "scsi0", "+10G")
	done(ctx, "resized", task, err)
	task, err = machine.AddTag(ctx, "talos")
	done(ctx, "tagged", task, err)
	machine = must(node.VirtualMachine(ctx, 800))
	fmt.Println(machine.Status, machine.CPUs, *machine.VirtualMachineConfig.Cores, machine.VirtualMachineConfig.SCSIs["scsi0"], machine.VirtualMachineConfig.Nets["net0"])
	fmt.Println("machines", len(must(node.VirtualMachines(ctx))))
	task, err = machine.Stop(ctx)
	done(ctx, "stopped", task, err)
	task, err = machine.Delete(ctx, nil)
	done(ctx, "deleted", task, err)
}
