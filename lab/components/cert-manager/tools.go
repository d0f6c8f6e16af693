//go:build tools

// Package tools names what this component is built from.
package tools

import (
	_ "github.com/cert-manager/cert-manager/pkg/webhook/options"
	_ "github.com/cert-manager/cert-manager/pkg/controller"
	_ "github.com/cert-manager/cert-manager/pkg/controller/cainjector"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
)
