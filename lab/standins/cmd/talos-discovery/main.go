// talos-discovery stands in for Talos' discovery service, whose module cannot be had: machines of one cluster find each other there.
// It keeps the contract of github.com/siderolabs/discovery-api: what machines tell is encrypted, and dropped when its time is up.
package main

import (
	"crypto/tls"
	"flag"
	"log"
	"net"

	"github.com/siderolabs/discovery-api/api/v1alpha1/server/pb"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

func main() {
	address := flag.String("address", "", "address and port to listen on")
	certificate := flag.String("certificate", "", "PEM file")
	key := flag.String("key", "", "PEM file")
	flag.Parse()
	pair, err := tls.LoadX509KeyPair(*certificate, *key)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&pair)))
	pb.RegisterClusterServer(server, &service{clusters: map[string]*cluster{}})
	log.Fatal(server.Serve(listener))
}
