//go:build tools

// Package tools names what this component is built from.
package tools

import (
	_ "github.com/getsops/sops/v3/cmd/sops"
)
