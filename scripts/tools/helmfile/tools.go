//go:build tools

// Package tools keeps helmfile's command in the module graph.
package tools

import _ "github.com/helmfile/helmfile"
