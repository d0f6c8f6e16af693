//go:build tools

// Package tools names what this component is built from.
package tools

import (
	_ "helm.sh/helm/v3/cmd/helm"
)
