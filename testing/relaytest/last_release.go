package relaytest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// LastRelease is the commit of the last release. No commit has a tag yet. This is the first from which `make release` makes everything that
// people install: programs, packages and images. With the next release it is that release's commit, and
// shared/onehost/sqlite/testdata/releases gets a database of it; CONTRIBUTING.md says how.
const LastRelease = "4bb199146e75705ac8dda76881a2780a207f8a9d"

// BuildLastRelease builds a package of the last release, such as ./cmd/relay, from the repository's own history, with the environment on
// top of this process's own, and returns the program's path. Where there is no history, as in a shallow clone or in an unpacked archive,
// the test is skipped.
func BuildLastRelease(t *testing.T, pkg string, environment ...string) string {
	t.Helper()
	shallow, err := exec.CommandContext(t.Context(), "git", "rev-parse", "--is-shallow-repository").Output()
	if err != nil {
		t.Skipf("there is no history of the repository here: %v", err)
	}
	if strings.TrimSpace(string(shallow)) != "false" {
		t.Skip("this is a shallow clone, without the last release's commit")
	}
	root, err := exec.CommandContext(t.Context(), "git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	sources, program := filepath.Join(folder, "sources"), filepath.Join(folder, filepath.Base(pkg))
	if err := os.Mkdir(sources, 0o700); err != nil {
		t.Fatal(err)
	}
	archive := filepath.Join(folder, "sources.tar")
	run := func(in string, command ...string) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), command[0], command[1:]...) //nolint:gosec // git, tar and go.
		cmd.Dir, cmd.Env = in, append(os.Environ(), environment...)
		if said, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, said)
		}
	}
	run(strings.TrimSpace(string(root)), "git", "archive", "--output", archive, LastRelease)
	run(sources, "tar", "-xf", archive)
	// Without paths in it, the program's parts come out of Go's cache the next time.
	run(sources, "go", "build", "-trimpath", "-buildvcs=false", "-o", program, pkg)
	return program
}
