package main

import (
	"context"
	"flag"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// atOnce is how many tests of this package run side by side: nearly all of them wait for a relay to do something.
const atOnce = "8"

// TestMain lets the stories run the program by its name.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", atOnce); err != nil {
		panic(err)
	}
	testscript.Main(m, map[string]func(){
		"relay": func() {
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			code := program{cli.Program{Stdout: os.Stdout, Stderr: os.Stderr, Lookup: os.LookupEnv, Environ: os.Environ}}.run(ctx, os.Args[1:])
			stop()
			os.Exit(code)
		},
	})
}

// TestStories runs what people do with the program, and what happens when they err.
func TestStories(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, RequireUniqueNames: true, Cmds: storyCommands()})
}
