package main

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the story run the tool by its name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"render": func() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }})
}

// TestRender draws, and errs, as people do with the tool.
func TestRender(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true})
}
