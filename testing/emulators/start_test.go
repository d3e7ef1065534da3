//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

func noEcho() *tail { return &tail{} }

func TestStartOne(t *testing.T) {
	for _, test := range []struct{ name, role string }{
		{"answers at once", "server"},
		{"loses its port and gets another", "unlucky server"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := startOne(t.Context(), fakeEmulator(test.role), t.TempDir(), noEcho)
			if err != nil {
				t.Fatal(err)
			}
			if !answers(t.Context(), s.url) {
				t.Errorf("%s does not answer", s.url)
			}
			stopAll([]*server{s})
			if !s.process.ended() || answers(t.Context(), s.url) {
				t.Errorf("%s is still there after stopAll", s.url)
			}
		})
	}
}

func TestStartOneShowsWhyItFailed(t *testing.T) {
	_, err := startOne(t.Context(), fakeEmulator("broken server"), t.TempDir(), noEcho)
	for _, want := range []string{"start Fake", "exit status 3", "no native library for this machine"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestStartOneEndsWithItsContext(t *testing.T) {
	interrupted := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(10*startInterval, func() { cancel(interrupted) })
	if _, err := startOne(ctx, fakeEmulator("mute server"), t.TempDir(), noEcho); !errors.Is(err, interrupted) {
		t.Errorf("error %v, want the interruption", err)
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var shown strings.Builder
	output := &tail{echo: &shown, prefix: "p"}
	for range 3 * tailKept / len("some line\n") {
		if _, err := output.Write([]byte("some line\n")); err != nil {
			t.Fatal(err)
		}
	}
	for _, part := range []string{"the ", "last line\nand a", " rest"} {
		if _, err := output.Write([]byte(part)); err != nil {
			t.Fatal(err)
		}
	}
	if len(output.kept) > tailKept {
		t.Errorf("%d bytes kept, want at most %d", len(output.kept), tailKept)
	}
	if got := output.tail(); !strings.HasSuffix(got, "\nthe last line\nand a rest") || strings.Count(got, "\n") > tailShown {
		t.Errorf("tail is %q", got)
	}
	if !output.contains("last line\nand") {
		t.Error("what was written in parts is not found as a whole")
	}
	if !strings.HasSuffix(shown.String(), "[p] some line\n[p] the last line\n") {
		t.Errorf("echo ends with %q", shown.String()[shown.Len()-40:])
	}
}
