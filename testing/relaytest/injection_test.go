package relaytest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
)

var (
	noon    = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	errLost = &fault.Error{Kind: fault.Unknown, Err: errors.New("answer lost")}
)

// failing fails at the one point, and nowhere else.
func failing(point string) Fault {
	return func(op string) error {
		if op == point {
			return errLost
		}
		return nil
	}
}

// fakes is one of each fake, with something in it.
type fakes struct {
	queue  *MemoryQueue
	held   queue.Delivery
	ledger *MemoryLedger
	record ledger.Record
	routes *MemoryRoutes
	log    *MemoryAuditLog
}

func newFakes(t *testing.T) *fakes {
	t.Helper()
	f := &fakes{queue: NewMemoryQueue(QueueOptions{}, time.Now), ledger: &MemoryLedger{}, routes: NewMemoryRoutes(), log: &MemoryAuditLog{}}
	if err := f.queue.Send(t.Context(), text("held", "held")); err != nil {
		t.Fatal(err)
	}
	got, err := f.queue.Receive(t.Context(), 1, 0, hidden)
	if err != nil {
		t.Fatal(err)
	}
	f.held = got[0]
	if f.record, err = f.ledger.Create(t.Context(), claimed(1, "claim")); err != nil {
		t.Fatal(err)
	}
	return f
}

// operation is one operation of a fake: how it is called, and whether its effect is there.
type operation struct {
	name     string
	call     func(ctx context.Context, f *fakes, inject Fault) error
	happened func(f *fakes) bool
}

func queueOperations() []operation {
	return []operation{
		{
			"Send", func(ctx context.Context, f *fakes, inject Fault) error {
				f.queue.Fault = inject
				return f.queue.Send(ctx, text("new", "new"))
			},
			func(f *fakes) bool { return len(f.queue.Messages()) == 2 },
		},
		{
			"Receive", func(ctx context.Context, f *fakes, inject Fault) error {
				f.queue.change([]queue.Visibility{{ReceiptHandle: f.held.ReceiptHandle}})
				f.queue.Fault = inject
				_, err := f.queue.Receive(ctx, 1, 0, hidden)
				return err
			},
			func(f *fakes) bool { return f.queue.Messages()[0].ReceiveCount == 2 },
		},
		{
			"ChangeVisibility", func(ctx context.Context, f *fakes, inject Fault) error {
				f.queue.Fault = inject
				return f.queue.ChangeVisibility(ctx, []queue.Visibility{{ReceiptHandle: f.held.ReceiptHandle}})
			},
			func(f *fakes) bool { got, _, _ := f.queue.take(1, hidden); return len(got) == 1 },
		},
		{
			"Delete", func(ctx context.Context, f *fakes, inject Fault) error {
				f.queue.Fault = inject
				return f.queue.Delete(ctx, []string{f.held.ReceiptHandle})
			},
			func(f *fakes) bool { return len(f.queue.Messages()) == 0 },
		},
	}
}

func tableOperations() []operation {
	return []operation{
		{
			"Create", func(ctx context.Context, f *fakes, inject Fault) error {
				f.ledger.Fault = inject
				_, err := f.ledger.Create(ctx, claimed(2, "claim"))
				return err
			},
			func(f *fakes) bool { return len(f.ledger.Changes()) == 2 },
		},
		{
			"Update", func(ctx context.Context, f *fakes, inject Fault) error {
				f.ledger.Fault = inject
				_, err := f.ledger.Update(ctx, f.record)
				return err
			},
			func(f *fakes) bool { return len(f.ledger.Changes()) == 2 },
		},
		{
			"Put", func(ctx context.Context, f *fakes, inject Fault) error {
				f.routes.Fault = inject
				_, err := f.routes.Put(ctx, Route())
				return err
			},
			func(f *fakes) bool { return len(f.routes.routes) == 1 },
		},
		{
			"Append", func(ctx context.Context, f *fakes, inject Fault) error {
				f.log.Fault = inject
				return f.log.Append(ctx, []auditlog.Line{line("a", 0, 0)})
			},
			func(f *fakes) bool { return len(f.log.Lines()) == 1 },
		},
	}
}

// TestFaults: a fault before an operation prevents it, a fault after it only hides that it happened.
func TestFaults(t *testing.T) {
	for _, op := range append(queueOperations(), tableOperations()...) {
		t.Run(op.name, func(t *testing.T) {
			for point, want := range map[string]bool{"before ": false, "after ": true} {
				f := newFakes(t)
				if err := op.call(t.Context(), f, failing(point+op.name)); !errors.Is(err, errLost) {
					t.Errorf("fault %s%s: error %v, want the fault", point, op.name, err)
				}
				if got := op.happened(f); got != want {
					t.Errorf("fault %s%s: happened %v, want %v", point, op.name, got, want)
				}
			}
			f := newFakes(t)
			if err := op.call(t.Context(), f, failing("before "+op.name+"s")); err != nil || !op.happened(f) {
				t.Errorf("without a fault: error %v", err)
			}
		})
	}
}

func TestReadsLoseTheirAnswers(t *testing.T) {
	for _, when := range []string{"before ", "after "} {
		f := newFakes(t)
		f.ledger.Fault = failing(when + "Get")
		if got, err := f.ledger.Get(t.Context(), f.record.MessageSid); !errors.Is(err, errLost) || got.MessageSid != "" {
			t.Errorf("Get with a fault %sit: %v, %v", when, got.MessageSid, err)
		}
		f.ledger.Fault = failing(when + "List")
		if got, err := f.ledger.List(t.Context(), ledger.Query{Limit: 1}); !errors.Is(err, errLost) || got.Records != nil {
			t.Errorf("List with a fault %sit: %v, %v", when, got, err)
		}
		f.routes.Fault = failing(when + "Lookup")
		if got, err := f.routes.Lookup(t.Context(), TwilioNumber); !errors.Is(err, errLost) || got != nil {
			t.Errorf("Lookup with a fault %sit: %v, %v", when, got, err)
		}
		f.routes.Fault = failing(when + "List")
		if got, err := f.routes.List(t.Context()); !errors.Is(err, errLost) || got != nil {
			t.Errorf("List with a fault %sit: %v, %v", when, got, err)
		}
	}
}

func TestAuditLogFailsHalfWay(t *testing.T) {
	lines := []auditlog.Line{line("a", 0, 0), line("b", 0, 0), line("c", 0, 0)}
	for point, want := range map[string]struct{ told, kept int }{
		"before Append": {0, 0}, "before Line": {1, 1}, "after Line": {1, 2}, "after Append": {0, 3},
	} {
		seen := 0
		l := &MemoryAuditLog{Fault: func(op string) error {
			if op == point {
				seen++
			}
			// The second line's fault, the only one of the whole.
			if op == point && (seen == 2 || point == "before Append" || point == "after Append") {
				return errLost
			}
			return nil
		}}
		var incomplete *auditlog.IncompleteError
		if err := l.Append(t.Context(), lines); !errors.As(err, &incomplete) || !errors.Is(err, errLost) {
			t.Fatalf("fault %s: error %v, want an IncompleteError with the fault", point, err)
		}
		if incomplete.Kept != want.told || len(l.Lines()) != want.kept {
			t.Errorf("fault %s: told %d lines kept, really %d; want %d, %d", point, incomplete.Kept, len(l.Lines()), want.told, want.kept)
		}
	}
}

// TestMemoryQueueTellsTime: in a bubble a waiting receive gets a message at the very moment that it shows.
func TestMemoryQueueTellsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := NewMemoryQueue(QueueOptions{}, time.Now)
		if err := q.Send(t.Context(), text("a", "a1")); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		for i, want := range []time.Duration{0, 7 * time.Second} {
			got, err := q.Receive(t.Context(), 10, time.Minute, 7*time.Second)
			if err != nil || len(got) != 1 || time.Since(start) != want {
				t.Errorf("receive %d: %d messages after %v, error %v; want one after %v", i+1, len(got), time.Since(start), err, want)
			}
		}
	})
}

// TestMemoryQueueWithAClock: a test that does not wait moves the clock instead.
func TestMemoryQueueWithAClock(t *testing.T) {
	clock := NewClock(noon)
	q := NewMemoryQueue(QueueOptions{}, clock.Now)
	send := func(body string, want []string) {
		t.Helper()
		if err := q.Send(t.Context(), queue.Outgoing{Group: "a", DeduplicationID: "id", Body: body}); err != nil {
			t.Fatal(err)
		}
		got, err := q.Receive(t.Context(), 10, 0, time.Minute)
		if diff := cmp.Diff(want, bodies(got)); err != nil || diff != "" {
			t.Errorf("received at %v: %v (-want +got):\n%s", clock.Now(), err, diff)
		}
	}
	send("first", []string{"first"})
	clock.Advance(time.Minute - 1)
	send("repeat", []string{})
	clock.Advance(1)
	send("repeat", []string{"first"})
	clock.Advance(4*time.Minute - 1)
	send("repeat", []string{"first"})
	clock.Advance(time.Minute)
	send("after five minutes", []string{"first", "after five minutes"})
}

func TestMemoryLedgerRemembersChanges(t *testing.T) {
	l := &MemoryLedger{}
	r, err := l.Create(t.Context(), claimed(1, "claim"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Update(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Update(t.Context(), r); !errors.Is(err, ledger.ErrConflict) {
		t.Fatalf("Update of an old version: %v", err)
	}
	var versions []int64
	for _, change := range l.Changes() {
		versions = append(versions, change.Version)
	}
	if diff := cmp.Diff([]int64{1, 2}, versions); diff != "" {
		t.Errorf("versions (-want +got):\n%s", diff)
	}
}

func TestBuilders(t *testing.T) {
	m, r := Message(3), Record(3, noon.Add(1234567*time.Nanosecond))
	if m.Sid != "SM00000000000000000000000000000003" || m.Sid != r.MessageSid || m.Body != r.Body || m.Sid == Message(4).Sid {
		t.Errorf("Message(3) = %+v, Record(3) = %+v; want one text", m, r)
	}
	if want := noon.Add(time.Millisecond); !r.ReceivedAt.Equal(want) || r.Version != 0 || r.State != "" {
		t.Errorf("Record(3) = %+v, want a new one of %v", r, want)
	}
	if err := Route().Validate(); err != nil {
		t.Errorf("Route() is not valid: %v", err)
	}
}
