module rebirth.local/components/pebble

go 1.26.0

require github.com/letsencrypt/pebble/v2 v2.10.3

// Raised to what other components have: what is compiled for one serves all.
require (
	github.com/miekg/dns v1.1.72
	golang.org/x/net v0.61.0
	golang.org/x/sys v0.49.0
)
