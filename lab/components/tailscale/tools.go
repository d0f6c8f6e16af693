//go:build tools

// Package tools names what this component is built from.
package tools

import (
	_ "tailscale.com/cmd/containerboot"
	_ "tailscale.com/cmd/k8s-nameserver"
	_ "tailscale.com/cmd/k8s-operator"
	_ "tailscale.com/cmd/tailscale"
	_ "tailscale.com/cmd/tailscaled"
)
