// Command tailscale-operator stands in for Tailscale's Kubernetes operator, as far as a bootstrap relies on it:
//
//	operator    joins the tailnet with the OAuth client of its Secret; DNSConfig -> nameserver; Services with
//	            tailscale.com/tailnet-fqdn -> an egress proxy and a record in the nameserver
//	nameserver  answers the records of its ConfigMap
//	proxy       forwards TCP to a device of the tailnet
package main

import (
	"log"
	"os"
)

func main() {
	log.SetFlags(log.Lmsgprefix | log.LstdFlags)
	command := "operator"
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	switch command {
	case "operator":
		runOperator()
	case "nameserver":
		runNameserver()
	case "proxy":
		runProxy()
	default:
		log.Fatalf("no such command: %s", command)
	}
}
