package ledger_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// transitions is the state machine, drawn by hand: a row's state may become a column's where there is an x.
const transitions = `
            queued sending sent delivered undelivered failed uncertain dropped dead
(none)        x      x      .       .          .         x       .        x      .
queued        .      x      x       x          x         x       x        x      x
sending       x      .      x       x          x         x       x        .      .
sent          x      .      .       x          x         x       x        .      .
delivered     .      .      .       .          .         .       .        .      .
undelivered   x      .      x       x          .         .       .        .      .
failed        x      .      x       x          .         .       .        .      .
uncertain     x      .      x       x          x         x       .        .      .
dropped       x      .      x       x          .         .       .        .      .
dead          x      .      x       x          .         x       x        .      .
`

// edge is one transition.
type edge struct{ from, to ledger.State }

// drawn reads the drawing.
func drawn() map[edge]bool {
	lines := strings.Split(strings.TrimSpace(transitions), "\n")
	to := strings.Fields(lines[0])
	edges := map[edge]bool{}
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		for i, mark := range cells[1:] {
			edges[edge{named(cells[0]), named(to[i])}] = mark == "x"
		}
	}
	return edges
}

// named returns the state of that name; a text that is not in the ledger has none.
func named(name string) ledger.State {
	if name == "(none)" {
		return ""
	}
	return ledger.State(name)
}

func allStates() []ledger.State { return append([]ledger.State{""}, ledger.States()...) }

func TestMayBecome(t *testing.T) {
	edges := drawn()
	if want := 10 * 9; len(edges) != want {
		t.Fatalf("%d cells are drawn, want %d", len(edges), want)
	}
	for _, from := range append(allStates(), "lost") {
		for _, to := range append(allStates(), "lost") {
			if got, want := from.MayBecome(to), edges[edge{from, to}]; got != want {
				t.Errorf("%q.MayBecome(%q) = %v, want %v", from, to, got, want)
			}
		}
	}
}

// TestStateMachinePage holds the page that people read against the same drawing.
func TestStateMachinePage(t *testing.T) {
	page, err := os.ReadFile("../../docs/state-machine.md")
	if err != nil {
		t.Fatal(err)
	}
	got := map[edge]bool{}
	for _, row := range regexp.MustCompile(`(?m)^\| ([a-z(), ]+) \| ([a-z, ]+) \| (?:sender|a receipt)`).FindAllStringSubmatch(string(page),
		-1) {
		for from := range strings.SplitSeq(row[1], ", ") {
			for to := range strings.SplitSeq(row[2], ", ") {
				got[edge{named(from), named(to)}] = true
			}
		}
	}
	for e, drawn := range drawn() {
		if got[e] != drawn {
			t.Errorf("docs/state-machine.md has %q to %q: %v, want %v", e.from, e.to, got[e], drawn)
		}
		delete(got, e)
	}
	if len(got) > 0 {
		t.Errorf("docs/state-machine.md has transitions of unknown states: %v", got)
	}
}

func TestFinalAndKnown(t *testing.T) {
	final := []ledger.State{ledger.Delivered, ledger.Undelivered, ledger.Failed, ledger.Dropped, ledger.Dead}
	for _, s := range allStates() {
		if got, want := s.Final(), slices.Contains(final, s); got != want {
			t.Errorf("%q.Final() = %v, want %v", s, got, want)
		}
		if got, want := s.Known(), s != ""; got != want {
			t.Errorf("%q.Known() = %v, want %v", s, got, want)
		}
	}
	if ledger.State("lost").Known() {
		t.Error(`"lost" is known`)
	}
}

// TestStates: the table, the audit log and operators' queries contain the names.
func TestStates(t *testing.T) {
	want := []ledger.State{"queued", "sending", "sent", "delivered", "undelivered", "failed", "uncertain", "dropped", "dead"}
	if diff := cmp.Diff(want, ledger.States()); diff != "" {
		t.Errorf("States (-want +got):\n%s", diff)
	}
	ledger.States()[0] = "changed"
	if diff := cmp.Diff(want, ledger.States()); diff != "" {
		t.Errorf("States after a caller changed what it got (-want +got):\n%s", diff)
	}
}

// TestEveryTextEnds: from every state there is a way to a final one.
func TestEveryTextEnds(t *testing.T) {
	for _, start := range allStates() {
		reached := []ledger.State{start}
		for i := 0; i < len(reached); i++ {
			for _, to := range ledger.States() {
				if reached[i].MayBecome(to) && !slices.Contains(reached, to) {
					reached = append(reached, to)
				}
			}
		}
		if !slices.ContainsFunc(reached, ledger.State.Final) {
			t.Errorf("from %q no final state can be reached", start)
		}
	}
}

// TestReachedNobody: what nobody got, and somebody should know of.
func TestReachedNobody(t *testing.T) {
	lost := []string{"undelivered", "failed", "dropped"}
	for name := range situations {
		if got, want := in(t, name).ReachedNobody(), slices.Contains(lost, name); got != want {
			t.Errorf("%s: ReachedNobody() = %v, want %v", name, got, want)
		}
	}
	for reason, want := range map[ledger.Reason]bool{
		ledger.ReasonNoRoute: true, ledger.ReasonInactive: true, ledger.ReasonExpired: true,
		ledger.ReasonLoop: false, ledger.ReasonOptOut: false, ledger.ReasonKeyword: false,
	} {
		if r := after(t, dropped(reason)); r.ReachedNobody() != want || reason.Intended() == want {
			t.Errorf("dropped as %s: ReachedNobody() = %v, want %v", reason, r.ReachedNobody(), want)
		}
	}
}
