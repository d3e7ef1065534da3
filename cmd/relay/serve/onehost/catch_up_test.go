package onehost

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// copiedStage is a relay on a copied folder, with the list of a Twilio that may fail or lag.
type copiedStage struct {
	*catchUp

	at       time.Time
	listed   []sms.Listed
	lagging  []sms.Listed
	failures int
	asks     int
	queued   []string
	problems []string
}

func (s *copiedStage) List(context.Context, sms.ListFilter) ([]sms.Listed, error) {
	if s.asks++; s.failures > 0 {
		s.failures--
		return nil, errors.New("Twilio is in trouble")
	}
	return slices.Clone(s.listed), nil
}

func (*copiedStage) ListMedia(context.Context, string) ([]sms.Media, error) { return nil, nil }

func (s *copiedStage) SendBefore(_ context.Context, outgoing queue.Outgoing, younger time.Time) error {
	if !slices.Contains(s.queued, outgoing.DeduplicationID) && younger.Equal(s.state.MovedAt) {
		s.queued = append(s.queued, outgoing.DeduplicationID)
	}
	return nil
}

type routeList []route.Route

func (l routeList) List(context.Context) ([]route.Route, error) { return l, nil }

var copiedAt = time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)

func newCopiedStage(t *testing.T, moved time.Time) *copiedStage {
	t.Helper()
	s := &copiedStage{at: copiedAt}
	known := &relaytest.MemoryLedger{}
	if _, err := known.Create(t.Context(), relaytest.Record(1, copiedAt.Add(-time.Minute))); err != nil {
		t.Fatal(err)
	}
	s.catchUp = &catchUp{
		messages: s, records: known, routes: routeList{{TwilioNumber: relaytest.TwilioNumber}}, inbox: s, data: t.TempDir(), span: time.Minute,
		now: func() time.Time { return s.at }, logger: slog.New(slog.DiscardHandler),
		tell: func(problem string) { s.problems = append(s.problems, problem) },
		pause: func(_ context.Context, d time.Duration) {
			s.at, s.listed = s.at.Add(max(d, 0)), append(s.listed, s.lagging...)
			s.lagging = nil
		},
	}
	if err := s.begin(moved, copiedAt.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	return s
}

func received(n int, at time.Time) sms.Listed {
	return sms.Listed{
		Sid: relaytest.MessageSid(n), From: relaytest.Customer, To: relaytest.TwilioNumber, Body: "hello", Direction: sms.DirectionInbound,
		DateCreated: at,
	}
}

// What came in since the copy was made, and only that, is put on the queue: also what Twilio lists late, and after trouble.
func TestCatchUp(t *testing.T) {
	for name, failures := range map[string]int{"at once": 0, "after trouble": 3} {
		s := newCopiedStage(t, copiedAt)
		s.failures = failures
		s.listed = []sms.Listed{
			received(9, copiedAt.Add(time.Second)), received(3, copiedAt.Add(-time.Second)), received(2, copiedAt.Add(-time.Minute)),
			received(1, copiedAt.Add(-time.Minute)), received(8, copiedAt.Add(-2*time.Hour)),
		}
		s.lagging = []sms.Listed{received(4, copiedAt.Add(-time.Second))}
		if err := s.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := []string{relaytest.MessageSid(2), relaytest.MessageSid(3), relaytest.MessageSid(4)}
		if slices.Sort(s.queued); !slices.Equal(s.queued, want) {
			t.Errorf("%s: queued %v, want %v", name, s.queued, want)
		}
		if s.at.Before(copiedAt.Add(s.span)) || s.problems[len(s.problems)-1] != "" || len(s.problems) != failures+1 {
			t.Errorf("%s: ended at %v, problems %q", name, s.at, s.problems)
		}
		kept, _, err := backups.ReadCatchUp(s.data)
		if err != nil || kept.DoneAt.IsZero() || kept.Failure != "" {
			t.Errorf("%s: the folder says %+v, error %v", name, kept, err)
		}
		asks := s.asks
		if err := s.begin(copiedAt, s.at); err != nil {
			t.Fatal(err)
		}
		s.hold(t.Context())
		if err := s.run(t.Context()); err != nil || s.asks != asks {
			t.Errorf("%s: after a restart Twilio is asked again, error %v", name, err)
		}
	}
}

// An original asks nothing, and holds nothing up.
func TestAnOriginalHasNothingToCatchUp(t *testing.T) {
	s := newCopiedStage(t, time.Time{})
	s.hold(t.Context())
	if err := s.run(t.Context()); err != nil || s.asks > 0 || len(s.problems) > 0 {
		t.Errorf("asked %d times, error %v", s.asks, err)
	}
	if _, found, _ := backups.ReadCatchUp(s.data); found {
		t.Error("the folder says that it is a copy")
	}
}

// A relay that is stopped before it could ask goes on at its next start, from the same moment.
func TestCatchUpGoesOn(t *testing.T) {
	s := newCopiedStage(t, copiedAt)
	ctx, stop := context.WithCancel(t.Context())
	s.failures = 1000
	s.tell = func(string) { stop() }
	if err := s.run(ctx); err != nil {
		t.Fatal(err)
	}
	since := s.state.Since
	if err := s.begin(copiedAt, copiedAt.Add(time.Hour)); err != nil || !s.state.Since.Equal(since) || s.isDone() {
		t.Errorf("goes on since %v, done %t, error %v, want %v", s.state.Since, s.isDone(), err, since)
	}
}
