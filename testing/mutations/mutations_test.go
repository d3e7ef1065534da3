package mutations_test

import (
	"flag"
	"slices"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var mutationsFlag = flag.Bool("mutations", false,
	"break the adapters and handlers on purpose, one safeguard after the other, and see that a test finds it")

var (
	sinceFlag = flag.String("mutations.since", "", "only where the code has changed since this commit, such as HEAD~30")
	mostFlag  = flag.Int("mutations.most", 0, "at most so many of them, others at each commit; all of them if it is 0")
)

// root is the repository, seen from here.
const root = "../.."

// TestMutations breaks one safeguard after the other. The test that is named has to fail over each, and to pass when nothing is broken: one
// that fails because the machine is busy notices nothing.
func TestMutations(t *testing.T) {
	if !*mutationsFlag {
		t.Skip("takes some minutes; run it with -mutations")
	}
	isChanged := relaytest.ChangedSince(t, root, *sinceFlag)
	var names []string
	for _, m := range all() {
		if isChanged(m.name, m.edit()) {
			names = append(names, m.name)
		}
	}
	names = relaytest.Some(t, root, *mostFlag, names)
	byPackage := map[string][]mutation{}
	for _, m := range all() {
		if slices.Contains(names, m.name) {
			byPackage[m.where] = append(byPackage[m.where], m)
		}
	}
	for where, mutations := range byPackage {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			var noticing []string
			for _, m := range mutations {
				noticing = append(noticing, m.noticed)
			}
			tests := strings.Join(noticing, "|")
			if out, err := relaytest.TestBroken(t, root, nil, where, "-run", tests); err != nil {
				t.Fatalf("%s in %s fail though nothing is broken:\n%s", tests, where, out)
			}
			for _, m := range mutations {
				t.Run(m.name, func(t *testing.T) {
					t.Parallel()
					m.make(t)
				})
			}
		})
	}
}

func (m mutation) edit() relaytest.Edit {
	return relaytest.Edit{File: m.file, Old: m.old, New: m.broken}
}

// make breaks the safeguard, and wants the test that is named to notice.
func (m mutation) make(t *testing.T) {
	t.Helper()
	out, err := relaytest.TestBroken(t, root, []relaytest.Edit{m.edit()}, m.where, "-run", m.noticed)
	switch {
	case err == nil:
		t.Errorf("%s in %s does not notice it", m.noticed, m.where)
	case !strings.Contains(out, "--- FAIL: "):
		t.Errorf("%s in %s fails for another reason:\n%s", m.noticed, m.where, out)
	}
}

// TestMutationsCanBeMade finds what each mutation edits.
func TestMutationsCanBeMade(t *testing.T) {
	t.Parallel()
	for _, m := range all() {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			relaytest.MakeEdits(t, root, []relaytest.Edit{m.edit()})
		})
	}
}
