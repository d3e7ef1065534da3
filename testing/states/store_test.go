package states_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// step is a change of a text's state.
type step struct{ from, to ledger.State }

func (s step) String() string {
	from := s.from
	if from == "" {
		from = "(none)"
	}
	return fmt.Sprintf("%s to %s", from, s.to)
}

// walked are the steps that texts took, over all stories of a set. It is safe for concurrent use.
type walked struct {
	mu    sync.Mutex
	steps map[step]bool
}

func (w *walked) add(s step) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.steps == nil {
		w.steps = map[step]bool{}
	}
	w.steps[s] = true
}

// check holds the steps against the state machine: all of its transitions were seen.
func (w *walked) check(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := maps.Clone(w.steps)
	for _, from := range append([]ledger.State{""}, ledger.States()...) {
		for _, to := range ledger.States() {
			s := step{from, to}
			if from.MayBecome(to) && !seen[s] {
				t.Errorf("no story takes a text from %v", s)
			}
			delete(seen, s)
		}
	}
	for s := range seen {
		t.Errorf("a text went from %v, to a state that there is not", s)
	}
}

// watched is the ledger with every write of it watched.
type watched struct {
	records

	t      *testing.T
	walked *walked

	mu sync.Mutex
	// states has each text's state at each version that was written.
	states map[string]map[int64]ledger.State
	// before and after, if set, happen at a write.
	before, after *hook
}

// hook is something that happens once, at the first write of a text into the state to, and with so many attempts, if it
// says how many. An error is the write's answer.
type hook struct {
	to       ledger.State
	attempts int
	do       func() error
}

// Create implements [ledger.Store].
func (w *watched) Create(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	return w.write(ctx, r, w.records.Create)
}

// Update implements [ledger.Store].
func (w *watched) Update(ctx context.Context, r ledger.Record) (ledger.Record, error) {
	return w.write(ctx, r, w.records.Update)
}

func (w *watched) write(ctx context.Context, r ledger.Record,
	inner func(context.Context, ledger.Record) (ledger.Record, error),
) (ledger.Record, error) {
	if err := w.run(&w.before, r); err != nil {
		return ledger.Record{}, err
	}
	stored, err := inner(ctx, r)
	if err != nil {
		return stored, err
	}
	w.note(stored)
	if err := w.run(&w.after, stored); err != nil {
		return ledger.Record{}, err
	}
	return stored, nil
}

// run runs the hook if it is for this write, and no second time.
func (w *watched) run(h **hook, r ledger.Record) error {
	w.mu.Lock()
	due := *h
	if due == nil || due.to != r.State || (due.attempts > 0 && due.attempts != len(r.Attempts)) {
		w.mu.Unlock()
		return nil
	}
	*h = nil
	w.mu.Unlock()
	return due.do()
}

// note records what was written.
func (w *watched) note(r ledger.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.states == nil {
		w.states = map[string]map[int64]ledger.State{}
	}
	versions := w.states[r.MessageSid]
	if versions == nil {
		versions = map[int64]ledger.State{0: ""}
		w.states[r.MessageSid] = versions
	}
	from, known := versions[r.Version-1]
	s := step{from, r.State}
	if _, twice := versions[r.Version]; twice {
		w.t.Errorf("version %d of %s was written twice", r.Version, r.MessageSid)
	}
	versions[r.Version] = r.State
	if !known || s.from == s.to {
		// The version before is not known if an emulator's answer to its writer was lost.
		return
	}
	if !s.from.MayBecome(s.to) {
		w.t.Errorf("a text went from %v", s)
	}
	w.walked.add(s)
}

// path returns the states of a text in the order in which it went through them.
func (w *watched) path(sid string) []ledger.State {
	w.mu.Lock()
	defer w.mu.Unlock()
	var path []ledger.State
	for _, version := range slices.Sorted(maps.Keys(w.states[sid])) {
		if state := w.states[sid][version]; version > 0 && (len(path) == 0 || path[len(path)-1] != state) {
			path = append(path, state)
		}
	}
	return path
}

// unanswered is a write that may or may not have happened: the ledger did not say.
func unanswered() error {
	return &fault.Error{Kind: fault.Unknown, Err: errors.New("the ledger's answer was lost, as in the story")}
}
