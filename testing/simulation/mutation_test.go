package simulation_test

import (
	"encoding/json"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var mutationsFlag = flag.Bool("mutations", false, "break the relay on purpose, one safeguard after the other, and see that the simulation finds it")

// root is the repository, seen from here.
const root = "../.."

// edit replaces what stands exactly once in a file.
type edit struct{ file, old, new string }

// TestMutations breaks one safeguard after the other in a copy of its file. The simulation has to fail over each, and to
// pass when nothing is broken.
func TestMutations(t *testing.T) {
	if !*mutationsFlag {
		t.Skip("takes some minutes; run it with -mutations")
	}
	if out, err := simulateWith(t, nil); err != nil {
		t.Fatalf("the simulation fails though nothing is broken:\n%s", out)
	}
	for _, m := range mutations() {
		t.Run(m.name, func(t *testing.T) {
			out, err := simulateWith(t, m.edits)
			switch {
			case err == nil:
				t.Errorf("the simulation does not notice: %s", m.breaks)
			case !strings.Contains(out, "violates what must hold"):
				t.Errorf("the simulation fails for another reason:\n%s", out)
			default:
				t.Log(firstViolation(out))
			}
		})
	}
}

// TestMutationsCanBeMade finds what each mutation edits: who changes the code sees at once that a mutation has to follow.
func TestMutationsCanBeMade(t *testing.T) {
	skipIfOne(t)
	t.Parallel()
	for _, m := range mutations() {
		t.Run(m.name, func(t *testing.T) { brokenBy(t, m.edits) })
	}
}

// simulateWith runs the simulation over a copy of the sources in which the edits were made.
func simulateWith(t *testing.T, edits []edit) (output string, err error) {
	t.Helper()
	overlay := brokenBy(t, edits)
	plan, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "overlay.json")
	if err := os.WriteFile(file, plan, 0o600); err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), "go", "test", "-overlay", file, "-count=1", "./testing/simulation", "-run", "TestSimulation$", "-schedules", "10000")
	command.Dir = root
	out, err := command.CombinedOutput()
	return string(out), err
}

// overlay says which files the compiler reads instead of others.
type overlay struct{ Replace map[string]string }

// brokenBy makes the edits in copies of the files.
func brokenBy(t *testing.T, edits []edit) overlay {
	t.Helper()
	overlay := overlay{Replace: map[string]string{}}
	folder := t.TempDir()
	for _, e := range edits {
		original, err := filepath.Abs(filepath.Join(root, e.file))
		if err != nil {
			t.Fatal(err)
		}
		source := original
		if earlier, ok := overlay.Replace[original]; ok {
			source = earlier
		}
		text, err := os.ReadFile(source)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), e.old); n != 1 {
			t.Fatalf("%s holds %d times, not once:\n%s", e.file, n, e.old)
		}
		broken := filepath.Join(folder, strings.ReplaceAll(e.file, "/", "_"))
		if err := os.WriteFile(broken, []byte(strings.Replace(string(text), e.old, e.new, 1)), 0o600); err != nil {
			t.Fatal(err)
		}
		overlay.Replace[original] = broken
	}
	return overlay
}

// firstViolation returns the line that says what the simulation noticed.
func firstViolation(out string) string {
	_, rest, _ := strings.Cut(out, "violates what must hold:\n")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line)
}
