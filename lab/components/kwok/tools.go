//go:build tools

// Package tools names what this component is built from.
package tools

import (
	_ "sigs.k8s.io/kwok/cmd/kwok"
)
