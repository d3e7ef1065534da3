package simulation_test

import (
	"flag"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var mutationsFlag = flag.Bool("mutations", false, "break the relay on purpose, one safeguard after the other, and see that the simulation finds it")

// root is the repository, seen from here.
const root = "../.."

// edit replaces what is exactly once in a file.
type edit struct{ file, old, new string }

// exported are the edits as the package that makes them takes them.
func exported(edits []edit) []relaytest.Edit {
	var all []relaytest.Edit
	for _, e := range edits {
		all = append(all, relaytest.Edit{File: e.file, Old: e.old, New: e.new})
	}
	return all
}

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
		t.Run(m.name, func(t *testing.T) { relaytest.MakeEdits(t, root, exported(m.edits)) })
	}
}

// simulateWith runs the simulation over sources in which the edits were made.
func simulateWith(t *testing.T, edits []edit) (output string, err error) {
	t.Helper()
	return relaytest.TestBroken(t, root, exported(edits), "./testing/simulation", "-run", "TestSimulation$", "-schedules", "10000")
}

// firstViolation returns the line that says what the simulation noticed.
func firstViolation(out string) string {
	_, rest, _ := strings.Cut(out, "violates what must hold:\n")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(line)
}
