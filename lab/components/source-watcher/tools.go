//go:build tools

// Package tools names what this component is built from.
package tools

import (
	_ "github.com/fluxcd/source-watcher/v2/cmd"
)
