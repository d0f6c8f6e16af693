//go:build tools

// Package tools names what this component is built from.
package tools

import (
	_ "go.etcd.io/etcd/server/v3"
)
