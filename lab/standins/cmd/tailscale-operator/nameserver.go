package main

import (
	"context"
	"encoding/json"
	"log"
	"net"
	"os"
	"strings"
	"sync/atomic"

	"github.com/miekg/dns"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"rebirth.local/standins/internal/kube"
)

type records struct {
	IP4 map[string][]string `json:"ip4"`
}

// lookup answers one question out of the records.
func (r records) lookup(question dns.Question) ([]dns.RR, int) {
	addresses, known := r.IP4[strings.ToLower(strings.TrimSuffix(question.Name, "."))]
	if !known {
		return nil, dns.RcodeNameError
	}
	var answers []dns.RR
	if question.Qtype == dns.TypeA {
		for _, address := range addresses {
			header := dns.RR_Header{Name: question.Name, Rrtype: dns.TypeA, Class: dns.ClassINET, Ttl: 5}
			answers = append(answers, &dns.A{Hdr: header, A: net.ParseIP(address)})
		}
	}
	return answers, dns.RcodeSuccess
}

func runNameserver() {
	ctx, cancel := kube.Context()
	defer cancel()
	client, namespace := kube.New(), os.Getenv("OPERATOR_NAMESPACE")
	var current atomic.Pointer[records]
	current.Store(&records{})
	go client.Loop(ctx, func(ctx context.Context) error {
		found, err := client.CoreV1().ConfigMaps(namespace).Get(ctx, recordsMap, metav1.GetOptions{})
		if err != nil {
			return kube.Ignore(err)
		}
		var next records
		if err := json.Unmarshal([]byte(found.Data["records.json"]), &next); err != nil {
			return err
		}
		current.Store(&next)
		return nil
	}, configMaps)

	handler := dns.HandlerFunc(func(writer dns.ResponseWriter, request *dns.Msg) {
		reply := new(dns.Msg)
		reply.SetReply(request)
		reply.Authoritative = true
		if len(request.Question) == 1 {
			reply.Answer, reply.Rcode = current.Load().lookup(request.Question[0])
		}
		_ = writer.WriteMsg(reply)
	})
	for _, network := range []string{"udp", "tcp"} {
		server := &dns.Server{Addr: ":1053", Net: network, Handler: handler}
		go func() { log.Fatal(server.ListenAndServe()) }()
	}
	<-ctx.Done()
}
