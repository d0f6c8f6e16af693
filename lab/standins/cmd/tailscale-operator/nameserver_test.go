package main

import (
	"testing"

	"github.com/miekg/dns"
)

func TestLookup(t *testing.T) {
	known := records{IP4: map[string][]string{"vault.example.ts.net": {"10.0.0.1", "10.0.0.2"}}}
	cases := []struct {
		name    string
		kind    uint16
		answers int
		code    int
	}{
		{"vault.example.ts.net.", dns.TypeA, 2, dns.RcodeSuccess},
		{"VAULT.example.ts.net.", dns.TypeA, 2, dns.RcodeSuccess},
		{"vault.example.ts.net.", dns.TypeAAAA, 0, dns.RcodeSuccess},
		{"other.example.ts.net.", dns.TypeA, 0, dns.RcodeNameError},
	}
	for _, c := range cases {
		answers, code := known.lookup(dns.Question{Name: c.name, Qtype: c.kind, Qclass: dns.ClassINET})
		if len(answers) != c.answers || code != c.code {
			t.Errorf("%s %d: %d answers, code %d", c.name, c.kind, len(answers), code)
		}
	}
}
