package main

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"rebirth.local/standins/internal/kube"
	"rebirth.local/standins/internal/tailnet"
)

func runProxy() {
	ctx, cancel := kube.Context()
	defer cancel()
	// As the real proxies do: whoever takes the cluster down learns from this Secret which device to remove.
	state := kube.SecretKey{Client: kube.New(), Namespace: os.Getenv("OPERATOR_NAMESPACE"), Name: os.Getenv("TS_KUBE_SECRET"), Key: deviceID}
	key := func(context.Context) (string, error) { return os.Getenv("TS_AUTHKEY"), nil }
	device, err := tailnet.Join(ctx, state, os.Getenv("TS_HOSTNAME"), key)
	if err != nil {
		log.Fatal(err)
	}
	target := os.Getenv("TS_TAILNET_TARGET_FQDN")
	for _, port := range strings.Split(os.Getenv("PORTS"), ",") {
		listener, err := net.Listen("tcp", ":"+port)
		if err != nil {
			log.Fatal(err)
		}
		go accept(ctx, listener, device, target, port)
	}
	go func() {
		http.HandleFunc("/healthz", func(writer http.ResponseWriter, request *http.Request) {
			if _, err := device.Resolve(request.Context(), target); err != nil {
				http.Error(writer, err.Error(), http.StatusServiceUnavailable)
			}
		})
		log.Fatal(http.ListenAndServe(":9002", nil))
	}()
	device.Stay(ctx)
}

func accept(ctx context.Context, listener net.Listener, device tailnet.Device, target, port string) {
	for {
		client, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer client.Close()
			address, err := device.Resolve(ctx, target)
			if err != nil {
				log.Printf("%s: %v", target, err)
				return
			}
			server, err := net.DialTimeout("tcp", net.JoinHostPort(address, port), 5*time.Second)
			if err != nil {
				log.Print(err)
				return
			}
			defer server.Close()
			done := make(chan struct{}, 2)
			pipe := func(to, from net.Conn) { _, _ = io.Copy(to, from); done <- struct{}{} }
			go pipe(server, client)
			go pipe(client, server)
			<-done
		}()
	}
}
