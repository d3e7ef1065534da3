//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestRunBesidePassesTheExitCodeOn(t *testing.T) {
	for _, test := range []struct {
		code string
		want int
	}{{"0", 0}, {"1", 1}, {"42", 42}} {
		t.Run(test.code, func(t *testing.T) {
			opts := options{cache: t.TempDir(), chosen: []emulator{fakeEmulator("server")}, command: as("exit", test.code)}
			code, err := runBeside(t.Context(), opts, quiet(t))
			if code != test.want || err != nil {
				t.Errorf("exit code %d, error %v; want %d and none", code, err, test.want)
			}
		})
	}
}

func TestRunBesideGivesTheCommandItsEnvironment(t *testing.T) {
	t.Setenv("AWS_PROFILE", "somebody's account")
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("RELAY_TEST_MOTO_URL", "http://127.0.0.1:1")
	file := filepath.Join(t.TempDir(), "environment")
	opts := options{cache: t.TempDir(), chosen: []emulator{fakeEmulator("server")}, command: as("environment", file)}
	if code, err := runBeside(t.Context(), opts, quiet(t)); code != 0 || err != nil {
		t.Fatalf("exit code %d, error %v", code, err)
	}
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for line := range strings.SplitSeq(string(content), "\n") {
		if name, value, _ := strings.Cut(line, "="); strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "RELAY_TEST_") {
			got[name] = value
		}
	}
	if url := got["RELAY_TEST_FAKE_URL"]; !strings.HasPrefix(url, "http://127.0.0.1:") {
		t.Errorf("RELAY_TEST_FAKE_URL is %q", url)
	}
	delete(got, "RELAY_TEST_FAKE_URL")
	want := map[string]string{
		"AWS_REGION":                "us-east-1",
		"AWS_ACCESS_KEY_ID":         "local",
		"AWS_SECRET_ACCESS_KEY":     "local",
		"AWS_EC2_METADATA_DISABLED": "true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("AWS_* and RELAY_TEST_* (-want +got):\n%s", diff)
	}
}

func TestRunBesideDistrustsACommandWhoseEmulatorEnded(t *testing.T) {
	s, err := startOne(t.Context(), fakeEmulator("server"), t.TempDir(), noEcho)
	if err != nil {
		t.Fatal(err)
	}
	if code, err := runCommand(t.Context(), as("stop", s.url), nil); code != 0 || err != nil {
		t.Fatalf("exit code %d, error %v", code, err)
	}
	<-s.process.done
	dead := deaths([]*server{s})
	if len(dead) != 1 || !strings.Contains(dead[0].Error(), "Fake ended while the command ran (exit status 0)") {
		t.Errorf("deaths are %v, want the one", dead)
	}
}

func TestRunCommandEndsWithItsContext(t *testing.T) {
	interrupted := errors.New("interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(10*startInterval, func() { cancel(interrupted) })
	if _, err := runCommand(ctx, as("mute server"), nil); !errors.Is(err, interrupted) {
		t.Errorf("error %v, want the interruption", err)
	}
}

func TestWatchParent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		born := time.Now()
		parent := func() int {
			if time.Since(born) < time.Hour {
				return 4711
			}
			return 1
		}
		watchParent(ctx, parent, cancel)
		if lived := time.Since(born); lived < time.Hour || !errors.Is(context.Cause(ctx), errOrphaned) {
			t.Errorf("cancelled after %s with %v, want after an hour with errOrphaned", lived, context.Cause(ctx))
		}
	})
}

func TestParseOptions(t *testing.T) {
	all := []string{"dynamodb", "sqs", "moto"}
	for _, test := range []struct {
		name    string
		args    []string
		chosen  []string
		command []string
		fails   string
	}{
		{"a command", []string{"--", "go", "test", "-v"}, all, []string{"go", "test", "-v"}, ""},
		{
			"flags and a command",
			[]string{"--only", "moto, dynamodb", "--verbose", "--", "true"},
			[]string{"dynamodb", "moto"},
			[]string{"true"},
			"",
		},
		{"only an installation", []string{"--install-only"}, all, nil, ""},
		{"nothing to run", nil, nil, nil, "no command given"},
		{"an emulator that is not there", []string{"--only", "s3", "--", "true"}, nil, nil, `no emulator is called "s3"`},
		{"a flag that is not there", []string{"--keep", "--", "true"}, nil, nil, "-keep"},
		{"no cache", []string{"--cache", "", "--", "true"}, nil, nil, "-cache"},
	} {
		t.Run(test.name, func(t *testing.T) {
			opts, err := parseOptions(test.args, quiet(t))
			if test.fails != "" {
				if err == nil || !strings.Contains(err.Error(), test.fails) {
					t.Fatalf("error %v, want one with %q", err, test.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.chosen, names(opts.chosen)); diff != "" {
				t.Errorf("chosen (-want +got):\n%s", diff)
			}
			if len(opts.command) != len(test.command) || (len(test.command) > 0 && !cmp.Equal(opts.command, test.command)) {
				t.Errorf("command %q, want %q", opts.command, test.command)
			}
		})
	}
}

func TestHelpIsNoFailure(t *testing.T) {
	stderr := quiet(t)
	if _, err := parseOptions([]string{"-help"}, stderr); !errors.Is(err, flag.ErrHelp) {
		t.Errorf("error %v, want flag.ErrHelp", err)
	}
	if code := run(t.Context(), []string{"-help"}, stderr); code != exitDone {
		t.Errorf("exit code %d, want %d", code, exitDone)
	}
	for _, e := range emulators() {
		if !strings.Contains(stderr.String(), e.variable) {
			t.Errorf("the help does not name %s", e.variable)
		}
	}
}
