// Command paper stands in for an image that a lab does not have. It listens where the container would and says that it is
// there: to probes over TCP, HTTP and gRPC, to the API server as a webhook or an aggregated API, to everybody else with a
// page that names the image. What runs once ends at once.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	log.SetFlags(0)
	image := flag.String("image", "", "what it stands in for")
	once := flag.Bool("exit", false, "end at once, as an init container or a Job does that has done its work")
	folder := flag.String("authority", "/.rebirth", "where ca.crt and ca.key are, by which its certificates are signed")
	expected := flag.String("sites", "[]", "JSON: what is expected of sites by their host")
	flag.Parse()
	log.Printf("on paper: %s", *image)
	if *once {
		return
	}
	var sites []Site
	if err := json.Unmarshal([]byte(*expected), &sites); err != nil {
		log.Fatalf("--sites: %v", err)
	}
	signer, err := NewSigner(*folder)
	if err != nil {
		log.Printf("without TLS: %v", err)
	}
	for _, address := range flag.Args() { // 8080, or 127.0.0.1:8080
		if !strings.Contains(address, ":") {
			address = ":" + address
		}
		listener, err := net.Listen("tcp", address)
		if err != nil { // another container of the pod may have it
			log.Print(err)
			continue
		}
		go serve(listener, signer, Answers{*image, sites})
	}
	ctx, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer cancel()
	<-ctx.Done()
}

// serve answers HTTP/1.1 and HTTP/2, in the clear and over TLS, on one listener.
func serve(listener net.Listener, signer *Signer, answers http.Handler) {
	server := &http.Server{Handler: answers, Protocols: new(http.Protocols), ErrorLog: log.New(discard{}, "", 0)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetHTTP2(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	log.Print(server.Serve(&Either{Listener: listener, Config: signer.Config()}))
}

// discard drops what connections complain of: most clients are probes that close them at once.
type discard struct{}

func (discard) Write(data []byte) (int, error) { return len(data), nil }
