package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// history is a git repository of a test's own.
type history struct {
	t      *testing.T
	folder string
}

func newHistory(t *testing.T) history {
	t.Helper()
	need(t, "git")
	h := history{t, t.TempDir()}
	h.git("init", "--quiet")
	h.git("commit", "--quiet", "--allow-empty", "--message", "First")
	return h
}

func (h history) git(args ...string) string {
	h.t.Helper()
	command := exec.CommandContext(h.t.Context(), "git", append([]string{"-C", h.folder}, args...)...)
	command.Env = append(
		os.Environ(), "GIT_AUTHOR_NAME=Ann", "GIT_AUTHOR_EMAIL=ann@relay.test", "GIT_COMMITTER_NAME=Ann", "GIT_COMMITTER_EMAIL=ann@relay.test",
		"GIT_COMMITTER_DATE=2026-11-28T12:00:00+02:00", "GIT_CONFIG_GLOBAL="+os.DevNull,
	)
	out, err := command.CombinedOutput()
	if err != nil {
		h.t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// want compares what the commit is called. In the version, COMMIT is the first digits of its hash.
func (h history) want(version string) {
	h.t.Helper()
	commit := h.git("rev-parse", "HEAD")
	b, err := identify(h.t.Context(), h.folder)
	if err != nil {
		h.t.Fatal(err)
	}
	version = strings.ReplaceAll(version, "COMMIT", commit[:12])
	if b.version != version || b.commit != commit || !b.time.Equal(buildOf("").time) || b.time.Location() != buildOf("").time.Location() {
		h.t.Errorf("%+v, want %s of %s", b, version, commit)
	}
}

func TestACommitIsCalledByItsTag(t *testing.T) {
	h := newHistory(t)
	h.want("v0.0.0-20261128100000-COMMIT")
	h.git("tag", "video")
	h.git("tag", "v1")
	h.want("v0.0.0-20261128100000-COMMIT")
	h.git("tag", "v1.2.9")
	h.want("v1.2.9")
	h.git("tag", "v1.2.10")
	h.want("v1.2.10")
	h.git("commit", "--quiet", "--allow-empty", "--message", "Second")
	h.want("v1.2.11-0.20261128100000-COMMIT")
	h.git("tag", "v2.0.0-rc.1")
	h.want("v2.0.0-rc.1")
	h.git("commit", "--quiet", "--allow-empty", "--message", "Third")
	h.want("v2.0.0-rc.1.0.20261128100000-COMMIT")
}

func TestAReleaseIsACommit(t *testing.T) {
	h := newHistory(t)
	if err := os.WriteFile(filepath.Join(h.folder, "new.go"), []byte("package main\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if b, err := identify(t.Context(), h.folder); err == nil || !strings.Contains(err.Error(), "new.go") {
		t.Errorf("%+v, %v", b, err)
	}
}
