package main

import (
	"context"
	_ "embed" // the packages that are not inlined.
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// platform is a system and a processor, as GOOS and GOARCH name them.
type platform struct{ system, processor string }

func parsePlatform(name string) (platform, error) {
	system, processor, ok := strings.Cut(name, "/")
	if !ok || !slices.Contains(strings.Split(allPlatforms, ","), name) {
		return platform{}, fmt.Errorf("%q is not one of %s", name, allPlatforms)
	}
	return platform{system, processor}, nil
}

// number is the version without its v, as packages and files have it.
func (b build) number() string { return strings.TrimPrefix(b.version, "v") }

// programName is the name of a program's file.
func (b build) programName(p platform) string {
	name := "relay_" + b.number() + "_" + p.system + "_" + p.processor
	if p.system == "windows" {
		name += ".exe"
	}
	return name
}

// notInlined names packages, a pattern on each line, that make build compiles without inlining, too: see the Makefile.
//
//go:embed not-inlined.txt
var notInlined string

// compile makes the program: static, without what a debugger reads, and the same on each machine. What the environment says about Go's
// build does not count, and neither does what Go finds in the history: a clone without tags finds less.
func (b build) compile(ctx context.Context, source, program string, p platform) error {
	const telemetry = "quickdumpnow.com/smsrelay/shared/telemetry"
	flags := "-s -w -funcalign=16" // as make build does.
	for _, fact := range []string{"version=" + b.version, "commit=" + b.commit, "date=" + b.time.Format(time.RFC3339)} {
		flags += " -X " + telemetry + "." + fact
	}
	arguments := []string{"build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", program}
	for packages := range strings.FieldsSeq(notInlined) {
		arguments = append(arguments, "-gcflags", packages+"=-l")
	}
	//nolint:gosec // the arguments are ours.
	command := exec.CommandContext(ctx, "go", append(arguments, "./cmd/relay")...)
	command.Dir = source
	command.Env = append(
		os.Environ(), "CGO_ENABLED=0", "GOOS="+p.system, "GOARCH="+p.processor, "GOFLAGS=", "GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0",
		"GOWORK=off",
	)
	command.Stdout, command.Stderr = os.Stdout, os.Stderr
	fmt.Println(program)
	return command.Run()
}
