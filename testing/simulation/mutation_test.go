package simulation_test

import (
	"flag"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var mutationsFlag = flag.Bool("mutations", false,
	"break the relay on purpose, one safeguard after the other, and see that the simulation finds it")

var (
	sinceFlag = flag.String("mutations.since", "", "only where the code has changed since this commit, such as HEAD~30")
	mostFlag  = flag.Int("mutations.most", 0, "at most so many of them, others at each commit; all of them if it is 0")
)

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

// violated finds which schedule noticed something.
var violated = regexp.MustCompile(`schedule ([0-9]+) violates what must hold:\n\s*(.*)`)

// TestMutations breaks one safeguard after the other in a copy of its file. The simulation has to fail over each, in a schedule that it
// passes when nothing is broken.
func TestMutations(t *testing.T) {
	if !*mutationsFlag {
		t.Skip("takes some minutes; run it with -mutations")
	}
	isChanged := relaytest.ChangedSince(t, root, *sinceFlag)
	var names []string
	for _, m := range mutations() {
		if isChanged(m.name, exported(m.edits)...) {
			names = append(names, m.name)
		}
	}
	names = relaytest.Some(t, root, *mostFlag, names)
	for _, m := range mutations() {
		if !slices.Contains(names, m.name) {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			out, err := simulateWith(t, m)
			found := violated.FindStringSubmatch(out)
			switch {
			case err == nil:
				t.Fatalf("the simulation does not notice: %s", m.breaks)
			case found == nil:
				t.Fatalf("the simulation fails for another reason:\n%s", out)
			}
			t.Logf("schedule %s: %s", found[1], found[2])
			seed, err := strconv.ParseUint(found[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			if o := playSeed(t, seed, false); len(o.violations) > 0 {
				t.Errorf("schedule %d fails though nothing is broken:\n%s", seed, strings.Join(o.violations, "\n"))
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

// simulateWith runs the simulation over sources in which the mutation was made.
func simulateWith(t *testing.T, m mutation) (output string, err error) {
	t.Helper()
	return relaytest.TestBroken(t, root, exported(m.edits), "./testing/simulation", "-run", "TestSimulation$", "-schedules", "10000")
}
