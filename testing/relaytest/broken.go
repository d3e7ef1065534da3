package relaytest

import (
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Edit breaks a safeguard on purpose: it replaces what is exactly once in a file, whose path is from the repository's root. It is made in a
// copy, which the compiler reads instead of the file itself; the sources stay as they are.
type Edit struct{ File, Old, New string }

// TestBroken runs go test with the arguments, in the repository's root, over sources in which the edits were made. Vet is left out: it has
// nothing to say of what is broken on purpose. The error is that of the command.
func TestBroken(t *testing.T, root string, edits []Edit, args ...string) (output string, err error) {
	t.Helper()
	overlay := struct{ Replace map[string]string }{MakeEdits(t, root, edits)}
	plan, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, plan, 0o600); err != nil {
		t.Fatal(err)
	}
	args = append([]string{"test", "-overlay", file, "-count=1", "-vet=off", "-ldflags=-w"}, args...)
	command := exec.CommandContext(t.Context(), "go", args...) //nolint:gosec // The arguments are a test's own.
	command.Dir = root
	// Neither the compiler nor a test of a few seconds has to save memory.
	command.Env = append(os.Environ(), "GOGC=400")
	out, err := command.CombinedOutput()
	return string(out), err
}

// MakeEdits makes the edits in copies of the files, and returns the path of the copy of each. The test fails where an edit cannot be made:
// who changes the code sees at once that a mutation has to follow.
func MakeEdits(t *testing.T, root string, edits []Edit) (copies map[string]string) {
	t.Helper()
	copies = map[string]string{}
	folder := t.TempDir()
	for _, e := range edits {
		original, err := filepath.Abs(filepath.Join(root, e.File))
		if err != nil {
			t.Fatal(err)
		}
		source := original
		if earlier, ok := copies[original]; ok {
			source = earlier
		}
		text, err := os.ReadFile(source) //nolint:gosec // The paths are a test's own.
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), e.Old); n != 1 {
			t.Fatalf("%s holds %d times, not once:\n%s", e.File, n, e.Old)
		}
		broken := filepath.Join(folder, strings.ReplaceAll(e.File, "/", "_"))
		changed := strings.Replace(string(text), e.Old, e.New, 1)
		if err := os.WriteFile(broken, []byte(changed), 0o600); err != nil { //nolint:gosec // The paths are a test's own.
			t.Fatal(err)
		}
		copies[original] = broken
	}
	return copies
}

// ChangedSince reads from git what changed in the repository since a revision, and returns whether a mutation is of that: one of its edits
// is in a line that changed, or close to one, or the mutation itself, by its name, is new. Without a revision, and where git does not
// know it, every mutation is.
func ChangedSince(t *testing.T, root, revision string) func(name string, edits ...Edit) bool {
	t.Helper()
	everything := func(string, ...Edit) bool { return true }
	if revision == "" {
		return everything
	}
	options := []string{"diff", "-U3", "--no-color", "--no-ext-diff", "--no-renames", revision, "--", "*.go"}
	command := exec.CommandContext(t.Context(), "git", options...) //nolint:gosec // The revision is a test's own flag.
	command.Dir = root
	out, err := command.Output()
	if err != nil {
		t.Logf("git does not say what changed since %s (%v): every mutation is made", revision, err)
		return everything
	}
	changed, lists := map[string]string{}, ""
	for file := range strings.SplitSeq("\n"+string(out), "\ndiff --git ") {
		heading, text, _ := strings.Cut(file, "\n")
		if _, path, ok := strings.Cut(heading, " b/"); ok {
			changed[path] = text
			if strings.Contains(path, "mutations") {
				lists += text
			}
		}
	}
	return func(name string, edits ...Edit) bool {
		isNear := func(e Edit) bool {
			line, _, _ := strings.Cut(strings.TrimSpace(e.Old), "\n")
			return strings.Contains(changed[e.File], strings.TrimSpace(line))
		}
		return slices.ContainsFunc(edits, isNear) || strings.Contains(lists, strconv.Quote(name))
	}
}

// Some returns at most n of the names, others at each commit, so that every one has its turn. Zero is all of them.
func Some(t *testing.T, root string, n int, names []string) []string {
	t.Helper()
	if n == 0 || len(names) <= n {
		return names
	}
	command := exec.CommandContext(t.Context(), "git", "rev-parse", "HEAD")
	command.Dir = root
	commit, err := command.Output()
	if err != nil {
		t.Logf("git does not say which commit this is (%v): all %d are made", err, len(names))
		return names
	}
	place := func(name string) string {
		sum := sha256.Sum256(append(commit, name...))
		return string(sum[:])
	}
	some := slices.SortedFunc(slices.Values(names), func(a, b string) int { return cmp.Compare(place(a), place(b)) })
	t.Logf("%d of %d: %s", n, len(names), strings.Join(some[:n], ", "))
	return some[:n]
}
