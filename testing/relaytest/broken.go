package relaytest

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
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
