//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"
)

func TestInstallHappensOnce(t *testing.T) {
	cache, count := t.TempDir(), 0
	e := fakeEmulator("server")
	inner := e.install
	e.install = func(ctx context.Context, tools toolbox, folder string) error {
		count++
		return inner(ctx, tools, folder)
	}
	first, err := install(t.Context(), cache, e, newToolbox(false, quiet(t)))
	if err != nil {
		t.Fatal(err)
	}
	second, err := install(t.Context(), cache, e, newToolbox(false, quiet(t)))
	if err != nil || first != second || count != 1 {
		t.Errorf("second install: folder %s after %s, %d runs, error %v; want the same folder and one run", second, first, count, err)
	}
}

func TestInstallBeginsAnewAfterAnInterruption(t *testing.T) {
	cache := t.TempDir()
	e := fakeEmulator("server")
	interrupted := errors.New("interrupted")
	complete := e.install
	e.install = func(_ context.Context, _ toolbox, folder string) error {
		return errors.Join(os.WriteFile(filepath.Join(folder, "half"), nil, 0o600), interrupted)
	}
	if _, err := install(t.Context(), cache, e, newToolbox(false, quiet(t))); !errors.Is(err, interrupted) {
		t.Fatalf("first install: %v, want the interruption", err)
	}
	e.install = complete
	folder, err := install(t.Context(), cache, e, newToolbox(false, quiet(t)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "half")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the half of the first try is still there (%v)", err)
	}
	for _, name := range []string{"product", "pom.xml", stampName} {
		if _, err := os.Stat(filepath.Join(folder, name)); err != nil {
			t.Error(err)
		}
	}
}

func TestInstallKeepsVersionsApart(t *testing.T) {
	cache := t.TempDir()
	folders := map[string]bool{}
	for _, identity := range []string{"", "Python 3.11", "Python 3.12"} {
		e := fakeEmulator("server")
		if identity != "" {
			e.platform = func(context.Context, toolbox) (string, error) { return identity, nil }
		}
		folder, err := install(t.Context(), cache, e, newToolbox(false, quiet(t)))
		if err != nil {
			t.Fatal(err)
		}
		folders[folder] = true
	}
	e := fakeEmulator("server")
	e.recipe = []string{"moto/requirements.txt"}
	folder, err := install(t.Context(), cache, e, newToolbox(false, quiet(t)))
	if err != nil {
		t.Fatal(err)
	}
	folders[folder] = true
	if len(folders) != 4 {
		t.Errorf("%d folders for four different installations: %v", len(folders), folders)
	}
}

func TestInstallersTakeTurns(t *testing.T) {
	cache := t.TempDir()
	var runs atomic.Int32
	e := fakeEmulator("server")
	inner := e.install
	e.install = func(ctx context.Context, tools toolbox, folder string) error {
		runs.Add(1)
		return inner(ctx, tools, folder)
	}
	var group errgroup.Group
	for range 5 {
		group.Go(func() error {
			_, err := install(t.Context(), cache, e, newToolbox(false, &tail{}))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if got := runs.Load(); got != 1 {
		t.Errorf("%d installations by five at once, want 1", got)
	}
}

func TestLockFileStopsWaitingWithItsContext(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	unlock, err := lockFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := lockFile(ctx, path); !errors.Is(err, context.Canceled) {
		t.Errorf("a held lock: %v, want the context's error", err)
	}
	unlock()
	unlock, err = lockFile(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

// TestRequirementsArePinned holds the files that Maven and pip read to one version a line.
func TestRequirementsArePinned(t *testing.T) {
	content, err := recipes.ReadFile("moto/requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(content)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' && strings.Count(line, "==") != 1 {
			t.Errorf("moto/requirements.txt: %q is not pinned", line)
		}
	}
	for _, name := range []string{"dynamodb/pom.xml", "elasticmq/pom.xml"} {
		content, err := recipes.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(content)) {
			version, found := strings.CutPrefix(strings.TrimSpace(line), "<version>")
			if found && strings.ContainsAny(version, "[](),") {
				t.Errorf("%s: %s is a range", name, strings.TrimSpace(line))
			}
		}
	}
}

func TestMissingToolsAreNamedWithAHint(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for _, test := range []struct{ name, want string }{
		{"dynamodb", "javac is not on the PATH: install a JDK"},
		{"sqs", "javac is not on the PATH: install a JDK"},
		{"moto", "python3 is not on the PATH: install Python 3.11"},
	} {
		t.Run(test.name, func(t *testing.T) {
			opts, err := parseOptions([]string{"-only", test.name, "-cache", t.TempDir(), "-install-only"}, quiet(t))
			if err != nil {
				t.Fatal(err)
			}
			_, err = installAll(t.Context(), opts, quiet(t))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestNumberAfter(t *testing.T) {
	for _, test := range []struct {
		name, text, word string
		want             int
	}{
		{"a JDK", "javac 17.0.15\n", "javac ", 17},
		{"Java 8, which calls itself 1.8", "javac 1.8.0_402\n", "javac ", 1},
		{"a JVM that talks first", "Picked up JAVA_TOOL_OPTIONS: -Xmx512m\njavac 21\n", "javac ", 21},
		{"no number", "javac unknown", "javac ", 0},
		{"no such word", "17", "javac ", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := numberAfter(test.text, test.word); got != test.want {
				t.Errorf("numberAfter(%q, %q) = %d, want %d", test.text, test.word, got, test.want)
			}
		})
	}
}
