//go:build tools

// Package tools imports the command of kustomize-controller, so that go.mod keeps its module.
package tools

import _ "github.com/fluxcd/kustomize-controller"
