package ledger_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/relaytest"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const lease = 18 * time.Second

var (
	// noon is not in UTC and has more than milliseconds, as clocks do.
	noon    = time.Date(2026, 11, 24, 12, 0, 0, 123456789, time.FixedZone("EST", -5*3600))
	stamped = time.Date(2026, 11, 24, 17, 0, 0, 123e6, time.UTC)

	outboundSid = relaytest.MessageSid(0xa1)
	busy        = &fault.Error{Kind: fault.Transient, HTTPStatus: 503, Err: errors.New("server busy")}
	blocked     = &fault.Error{Kind: fault.Permanent, Code: 21610, HTTPStatus: 400, Err: errors.New("recipient opted out")}
	lost        = &fault.Error{Kind: fault.Unknown, Err: errors.New("connection reset")}
	suspended   = &fault.Error{Kind: fault.Fatal, Code: 20003, HTTPStatus: 401}
)

func claim(t *testing.T, r ledger.Record) ledger.Record {
	t.Helper()
	claimed, err := r.Claim("claim", 0, relaytest.Destination, lease, noon)
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	return claimed
}

func end(t *testing.T, r ledger.Record, f *fault.Error, to ledger.State) ledger.Record {
	t.Helper()
	last, _ := r.Current()
	ended, changed, err := r.End(last.Number, f, to, "", noon.Add(time.Minute), noon)
	if err != nil || !changed {
		t.Fatalf("End as %q: changed %v, error %v", to, changed, err)
	}
	return ended
}

func accept(t *testing.T, r ledger.Record) ledger.Record {
	t.Helper()
	last, _ := r.Current()
	accepted, changed := r.Accept(last.Number, outboundSid, sms.StatusQueued, noon)
	if !changed {
		t.Fatal("Accept changed nothing")
	}
	return accepted
}

// receiptOf is a receipt of the record's current attempt.
func receiptOf(r ledger.Record, status sms.Status) sms.Receipt {
	last, _ := r.Current()
	return sms.Receipt{Sid: outboundSid, Status: status, CallbackRef: sms.CallbackRef{RelayID: r.MessageSid, Hop: last.Hop, Attempt: last.Number}}
}

func apply(t *testing.T, r ledger.Record, status sms.Status) ledger.Record {
	t.Helper()
	applied, changed := r.Apply(receiptOf(r, status), noon)
	if !changed {
		t.Fatalf("Apply of %q: nothing changed", status)
	}
	return applied
}

// reach brings a new record to the state by the shortest way there is.
func reach(t *testing.T, s ledger.State) ledger.Record {
	t.Helper()
	r := relaytest.Record(1, noon)
	var err error
	switch s {
	case "":
	case ledger.Sending:
		r = claim(t, r)
	case ledger.Queued:
		r = end(t, claim(t, r), busy, ledger.Queued)
	case ledger.Sent:
		r = accept(t, claim(t, r))
	case ledger.Delivered:
		r = apply(t, accept(t, claim(t, r)), sms.StatusDelivered)
	case ledger.Undelivered:
		r = apply(t, accept(t, claim(t, r)), sms.StatusUndelivered)
	case ledger.Failed:
		r = end(t, claim(t, r), blocked, ledger.Failed)
	case ledger.Uncertain:
		r = end(t, claim(t, r), lost, ledger.Uncertain)
	case ledger.Dropped:
		r, err = r.Drop(ledger.ReasonNoRoute, noon)
	case ledger.Dead:
		r, err = end(t, claim(t, r), busy, ledger.Queued).Die(ledger.ReasonAttemptsExhausted, noon)
	default:
		t.Fatalf("no way to %q", s)
	}
	if err != nil || r.State != s {
		t.Fatalf("the way to %q ends in %q, error %v", s, r.State, err)
	}
	return r
}

// same fails unless got is want, and says what it is about.
func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestClaimOpensAnAttempt(t *testing.T) {
	r := relaytest.Record(1, noon)
	r.Version, r.UpdatedAt = 4, time.Time{}
	want := r
	want.State, want.UpdatedAt, want.LeaseUntil = ledger.Sending, stamped, stamped.Add(lease)
	want.Attempts = []ledger.Attempt{{Number: 1, Hop: 2, To: relaytest.Fallback, ClaimID: "mark", StartedAt: stamped}}
	got, err := r.Claim("mark", 2, relaytest.Fallback, lease, noon)
	if err != nil {
		t.Fatalf("Claim: %v", err)
	}
	same(t, "claimed record", want, got)
}

func TestClaimAfterAFailure(t *testing.T) {
	r := reach(t, ledger.Queued)
	got := claim(t, r)
	if !got.NotBefore.IsZero() || got.Reason != "" || got.State != ledger.Sending {
		t.Errorf("state %q, reason %q, not before %v; want sending without marks of waiting", got.State, got.Reason, got.NotBefore)
	}
	if len(got.Attempts) != 2 || got.Attempts[1].Number != 2 || got.Attempts[1].Outcome != "" {
		t.Errorf("attempts %+v, want an open second one", got.Attempts)
	}
	same(t, "first attempt", r.Attempts[0], got.Attempts[0])
}

// TestClaimKeepsOneUnusableAccount: an account that is suspended for days must not fill the record.
func TestClaimKeepsOneUnusableAccount(t *testing.T) {
	r := reach(t, ledger.Queued)
	for range 50 {
		r = end(t, claim(t, r), suspended, ledger.Queued)
	}
	if len(r.Attempts) != 2 || r.Spent() != 1 {
		t.Errorf("%d attempts of which %d count, want 2 of which 1 counts", len(r.Attempts), r.Spent())
	}
	last, _ := claim(t, r).Current()
	if last.Number != 52 {
		t.Errorf("attempt number %d after 51 tries, want 52: receipts tell attempts by it", last.Number)
	}
}

// TestMovesByState tries each change in each state.
func TestMovesByState(t *testing.T) {
	moves := map[string]struct {
		move func(ledger.Record) (ledger.Record, error)
		to   ledger.State
		from []ledger.State
	}{
		"Claim": {
			func(r ledger.Record) (ledger.Record, error) {
				return r.Claim("c", 0, relaytest.Destination, lease, noon)
			},
			ledger.Sending,
			[]ledger.State{"", ledger.Queued},
		},
		"Drop": {
			func(r ledger.Record) (ledger.Record, error) { return r.Drop(ledger.ReasonInactive, noon) },
			ledger.Dropped,
			[]ledger.State{"", ledger.Queued},
		},
		"Die": {
			func(r ledger.Record) (ledger.Record, error) {
				return r.Die(ledger.ReasonAttemptsExhausted, noon)
			},
			ledger.Dead,
			[]ledger.State{ledger.Queued},
		},
	}
	for name, m := range moves {
		for _, s := range allStates() {
			r := reach(t, s)
			got, err := m.move(r)
			if slices.Contains(m.from, s) {
				if err != nil || got.State != m.to {
					t.Errorf("%s in state %q: %q, %v; want %q", name, s, got.State, err, m.to)
				}
				continue
			}
			var refused *ledger.TransitionError
			if !errors.As(err, &refused) || *refused != (ledger.TransitionError{From: s, To: m.to}) {
				t.Errorf("%s in state %q: error %v, want a TransitionError to %q", name, s, err, m.to)
			}
			same(t, name+" in state "+string(s)+", record returned with the error", r, got)
		}
	}
}

func TestTransitionErrorNamesBothStates(t *testing.T) {
	err := &ledger.TransitionError{From: "", To: ledger.Dead}
	if want := `ledger: no transition from "" to "dead"`; err.Error() != want {
		t.Errorf("Error() = %q, want %q", err.Error(), want)
	}
}

func TestDropAndDieSayWhy(t *testing.T) {
	dropped, err := reach(t, ledger.Queued).Drop(ledger.ReasonOptOut, noon)
	if err != nil || dropped.Reason != ledger.ReasonOptOut || !dropped.NotBefore.IsZero() {
		t.Errorf("Drop: reason %q, not before %v, error %v", dropped.Reason, dropped.NotBefore, err)
	}
	dead := reach(t, ledger.Dead)
	if dead.Reason != ledger.ReasonAttemptsExhausted || !dead.NotBefore.IsZero() {
		t.Errorf("Die: reason %q, not before %v", dead.Reason, dead.NotBefore)
	}
}

func TestEndClosesTheAttempt(t *testing.T) {
	due := noon.Add(time.Minute)
	tests := []struct {
		name    string
		fault   *fault.Error
		to      ledger.State
		reason  ledger.Reason
		attempt ledger.Attempt
		due     time.Time
	}{
		{"busy", busy, ledger.Queued, "", ledger.Attempt{Outcome: "transient", HTTPStatus: 503, Error: "server busy"}, stamped.Add(time.Minute)},
		{"refused", blocked, ledger.Failed, ledger.ReasonRefused, ledger.Attempt{Outcome: "permanent", ErrorCode: 21610, HTTPStatus: 400, Error: "recipient opted out"}, time.Time{}},
		{"lost", lost, ledger.Uncertain, ledger.ReasonUnknownOutcome, ledger.Attempt{Outcome: "unknown", Error: "connection reset"}, time.Time{}},
		{"suspended, without a cause", suspended, ledger.Queued, "", ledger.Attempt{Outcome: "fatal", ErrorCode: 20003, HTTPStatus: 401}, stamped.Add(time.Minute)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := reach(t, ledger.Sending)
			want := r
			want.State, want.Reason, want.LeaseUntil, want.NotBefore, want.UpdatedAt = tt.to, tt.reason, time.Time{}, tt.due, stamped.Add(time.Second)
			a := tt.attempt
			a.Number, a.Hop, a.To, a.ClaimID, a.StartedAt = 1, 0, relaytest.Destination, "claim", stamped
			a.EndedAt = stamped.Add(time.Second)
			want.Attempts = []ledger.Attempt{a}
			got, changed, err := r.End(1, tt.fault, tt.to, tt.reason, due, noon.Add(time.Second))
			if err != nil || !changed {
				t.Fatalf("End: changed %v, error %v", changed, err)
			}
			same(t, "ended record", want, got)
		})
	}
}

// TestEndOnlyEndsWhatIsOpen: whatever else became known of the attempt stands.
func TestEndOnlyEndsWhatIsOpen(t *testing.T) {
	for _, s := range allStates() {
		for _, number := range []int{0, 1, 2} {
			r := reach(t, s)
			got, changed, err := r.End(number, busy, ledger.Queued, "", noon, noon.Add(time.Hour))
			if err != nil {
				t.Errorf("End of attempt %d in state %q: %v", number, s, err)
			}
			if want := s == ledger.Sending && number == 1; changed != want {
				t.Errorf("End of attempt %d in state %q: changed %v, want %v", number, s, changed, want)
			}
			if !changed {
				same(t, "record that did not change", r, got)
			}
		}
	}
}

func TestEndToAStateThatCannotFollow(t *testing.T) {
	r := reach(t, ledger.Sending)
	for _, to := range []ledger.State{"", ledger.Sending, ledger.Dropped, ledger.Dead} {
		got, changed, err := r.End(1, busy, to, "", noon, noon)
		var refused *ledger.TransitionError
		if changed || !errors.As(err, &refused) {
			t.Errorf("End as %q: changed %v, error %v; want a TransitionError", to, changed, err)
		}
		same(t, "record returned with the error", r, got)
	}
}

func TestHeldBy(t *testing.T) {
	for _, s := range allStates() {
		if got, want := reach(t, s).HeldBy("claim"), s == ledger.Sending; got != want {
			t.Errorf("in state %q, HeldBy its own mark = %v, want %v", s, got, want)
		}
	}
	r := reach(t, ledger.Sending)
	if r.HeldBy("another") || r.HeldBy("") {
		t.Error("held by a mark that is not its own")
	}
	second, err := reach(t, ledger.Queued).Claim("second", 0, relaytest.Destination, lease, noon)
	if err != nil || second.HeldBy("claim") || !second.HeldBy("second") {
		t.Errorf("after a second claim the first mark holds, error %v", err)
	}
}

func TestSpent(t *testing.T) {
	for s, want := range map[ledger.State]int{"": 0, ledger.Sending: 1, ledger.Queued: 1, ledger.Sent: 1, ledger.Uncertain: 1, ledger.Dropped: 0, ledger.Dead: 1} {
		if got := reach(t, s).Spent(); got != want {
			t.Errorf("in state %q, Spent() = %d, want %d", s, got, want)
		}
	}
	if got := end(t, reach(t, ledger.Sending), suspended, ledger.Queued).Spent(); got != 0 {
		t.Errorf("after an unusable account, Spent() = %d, want 0", got)
	}
}
