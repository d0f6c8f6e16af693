module rebirth.local/components/tailscale

go 1.25.3

require tailscale.com v1.90.6
