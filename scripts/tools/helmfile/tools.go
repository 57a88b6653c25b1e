//go:build tools

// Package tools imports the command of helmfile, so that go.mod keeps its module.
package tools

import _ "github.com/helmfile/helmfile"
