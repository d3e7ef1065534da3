package doctor

import (
	"context"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/backups"
)

// moved is a folder that was copied.
func moved(at time.Time, unopened bool) func(*testing.T, *world) {
	return func(_ *testing.T, w *world) {
		w.relay.Host.Moved = func(context.Context) (time.Time, bool, error) { return at, unopened, nil }
	}
}

// caughtUp is a folder that was copied an hour before noon, where catching up stands so.
func caughtUp(state backups.CatchUp) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		t.Helper()
		at := noon.Add(-time.Hour)
		moved(at, false)(t, w)
		state.MovedAt, state.Since = at, at.Add(-time.Hour)
		w.relay.Host.CatchUp = func() (backups.CatchUp, bool, error) { return state, true, nil }
	}
}

// backedUp is a folder whose backups are in that state.
func backedUp(state backups.State) func(*testing.T, *world) {
	return func(_ *testing.T, w *world) {
		w.relay.Host.Backups = func() (backups.State, bool, error) { return state, true, nil }
	}
}

// replicated is a folder with a replica.
func replicated(state backups.ReplicaState) func(*testing.T, *world) {
	return func(_ *testing.T, w *world) {
		state.To = "/srv/replica"
		w.relay.Host.Replica = func() (backups.ReplicaState, bool, error) { return state, true, nil }
	}
}

// A replica alone is enough, and a relay that was stopped needs no newer one.
func TestReplicasThatAreNotLate(t *testing.T) {
	for name, state := range map[string]backups.ReplicaState{
		"a moment ago": {Last: noon.Add(-time.Minute), Failure: "no answer"}, "the first to come": {Since: noon},
		"of a relay that was stopped": {Last: noon.Add(-time.Hour), StoppedAt: noon.Add(-time.Hour)},
	} {
		w := newWorld(t)
		replicated(state)(t, w)
		w.relay.Host.Backups = func() (backups.State, bool, error) { return backups.State{}, false, nil }
		got := backup(t.Context(), &exam{Relay: w.relay})
		if got.Status != OK || !strings.Contains(got.Found, "the replica in /srv/replica is ") {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// Nobody who makes no backups is told that one is late, and a first one may take its time.
func TestBackupsThatAreNotDue(t *testing.T) {
	for name, test := range map[string]struct {
		state backups.State
		found bool
		want  Status
	}{
		"none wanted":         {backups.State{}, false, Skipped},
		"no longer wanted":    {backups.State{Last: noon.Add(-time.Hour)}, true, OK},
		"the first to come":   {backups.State{Every: time.Hour, Since: noon.Add(-time.Hour)}, true, OK},
		"the first is late":   {backups.State{Every: time.Hour, Since: noon.Add(-3 * time.Hour)}, true, Fail},
		"as often as it says": {backups.State{Every: time.Hour, Since: noon.Add(-time.Hour), Last: noon.Add(-2 * time.Hour)}, true, OK},
	} {
		w := newWorld(t)
		w.relay.Host.Backups = func() (backups.State, bool, error) { return test.state, test.found, nil }
		if got := backup(t.Context(), &exam{Relay: w.relay}); got.Status != test.want {
			t.Errorf("%s: %+v, want %v", name, got, test.want)
		}
	}
}
