//go:build tools

// Package tools names what this component is built from.
package tools

import (
	_ "github.com/letsencrypt/pebble/v2/cmd/pebble"
)
