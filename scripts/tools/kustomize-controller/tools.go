//go:build tools

// Package tools keeps kustomize-controller's command in the module graph.
package tools

import _ "github.com/fluxcd/kustomize-controller"
