package ledger_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

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
	r := in(t, "waiting")
	got := play(t, r, []event{claims(0)})
	isIn(t, got, ledger.Sending, "")
	if !got.NotBefore.IsZero() {
		t.Errorf("not before %v, want no mark of waiting", got.NotBefore)
	}
	if len(got.Attempts) != 2 || got.Attempts[1].Number != 2 || got.Attempts[1].Outcome != "" {
		t.Errorf("attempts %+v, want an open second one", got.Attempts)
	}
	same(t, "first attempt", r.Attempts[0], got.Attempts[0])
}

// TestClaimKeepsOneUnusableAccount: an account that is suspended for days must not fill the record.
func TestClaimKeepsOneUnusableAccount(t *testing.T) {
	r := in(t, "waiting")
	for n := range 50 {
		r = play(t, r, []event{claims(0), ended(n+2, suspended, later)})
	}
	if len(r.Attempts) != 2 || r.AttemptsSpentOn(hop(0)) != 1 {
		t.Errorf("%d attempts and %d count, want 2 and 1 counts", len(r.Attempts), r.AttemptsSpentOn(hop(0)))
	}
	if r.Upcoming() != 52 {
		t.Errorf("attempt number %d after 51 tries, want 52: receipts tell attempts by it", r.Upcoming())
	}
	if last := current(play(t, r, []event{claims(0)})); last != 52 {
		t.Errorf("claimed as attempt %d, and Upcoming said 52", last)
	}
}

// TestSpellingsAreOnePhone: a route that is brought to the one form of its numbers gives a phone no new attempts.
func TestSpellingsAreOnePhone(t *testing.T) {
	const before, after = sms.PhoneNumber("+4407700900123"), sms.PhoneNumber("+447700900123")
	kept := ledger.Record{Attempts: []ledger.Attempt{{Number: 1, To: before, Outcome: "transient"}}}
	folded := ledger.Record{Folded: ledger.Folded{Attempts: 1, Phones: []ledger.FoldedPhone{{To: before, Spent: 1, HopDone: true}}}}
	if kept.AttemptsSpentOn(after) != 1 || kept.TriesAt(after) != 1 || folded.AttemptsSpentOn(after) != 1 || folded.HopOpen(after) {
		t.Errorf("spent %d, tries %d; folded %d, open %v: want 1, 1, 1, false", kept.AttemptsSpentOn(after), kept.TriesAt(after),
			folded.AttemptsSpentOn(after), folded.HopOpen(after))
	}
}

func TestBook(t *testing.T) {
	at := noon.Add(time.Minute)
	for _, name := range []string{"(none)", "waiting", "paced", "next hop"} {
		r := in(t, name)
		want := r
		want.State, want.Reason, want.UpdatedAt = ledger.Queued, ledger.ReasonPace, stamped.Add(time.Second)
		want.NotBefore = stamped.Add(time.Minute)
		want.Slot = ledger.Slot{At: want.NotBefore, From: relaytest.Customer, To: relaytest.Fallback}
		got, err := r.Book(ledger.Slot{At: at, From: relaytest.Customer, To: relaytest.Fallback}, noon.Add(time.Second))
		if err != nil {
			t.Errorf("%s: Book: %v", name, err)
		}
		same(t, name+", booked", want, got)
	}
}

// TestBookKeepsTheAttempts: waiting is no attempt.
func TestBookKeepsTheAttempts(t *testing.T) {
	r := in(t, "waiting")
	booked := play(t, r, []event{books(0)})
	same(t, "attempts", r.Attempts, booked.Attempts)
	claimed := play(t, booked, []event{claims(0)})
	if (claimed.Slot != ledger.Slot{}) || claimed.AttemptsSpentOn(hop(0)) != 2 {
		t.Errorf("claimed with slot %+v as attempt %d, want none and the second", claimed.Slot, claimed.AttemptsSpentOn(hop(0)))
	}
}

func TestEndClosesTheAttempt(t *testing.T) {
	tests := []struct {
		name    string
		fault   *fault.Error
		onward  ledger.Onward
		attempt ledger.Attempt
		due     time.Time
	}{
		{"busy", busy, later, ledger.Attempt{Outcome: "transient", HTTPStatus: 503, Error: "server busy"}, stamped.Add(time.Minute)},
		{
			"refused", blocked, refused,
			ledger.Attempt{Outcome: "permanent", ErrorCode: 21610, HTTPStatus: 400, Error: "recipient opted out"},
			time.Time{},
		},
		{
			"refused, and another hop is left", blocked, nextHop,
			ledger.Attempt{Outcome: "permanent", ErrorCode: 21610, HTTPStatus: 400, Error: "recipient opted out", HopDone: true},
			stamped,
		},
		{
			"refused by the last hop", blocked, noHop,
			ledger.Attempt{Outcome: "permanent", ErrorCode: 21610, HTTPStatus: 400, Error: "recipient opted out", HopDone: true},
			time.Time{},
		},
		{
			"suspended, without a cause", suspended, later,
			ledger.Attempt{Outcome: "fatal", ErrorCode: 20003, HTTPStatus: 401},
			stamped.Add(time.Minute),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := in(t, "open")
			want := r
			want.State, want.Reason, want.LeaseUntil, want.NotBefore, want.UpdatedAt = tt.onward.To, tt.onward.Reason, time.Time{}, tt.due,
				stamped.Add(time.Second)
			a := tt.attempt
			a.Number, a.Hop, a.To, a.ClaimID, a.StartedAt = 1, 0, relaytest.Destination, "claim", stamped
			a.EndedAt = stamped.Add(time.Second)
			want.Attempts = []ledger.Attempt{a}
			got, changed, err := r.End(1, tt.fault, tt.onward, noon.Add(time.Second))
			if err != nil || !changed {
				t.Fatalf("End: changed %v, error %v", changed, err)
			}
			same(t, "ended record", want, got)
		})
	}
}

// TestEndOnlyEndsWhatIsOpen: whatever else became known of the attempt stays.
func TestEndOnlyEndsWhatIsOpen(t *testing.T) {
	for name := range situations {
		for _, f := range []*fault.Error{busy, lost} {
			r := in(t, name)
			last, _ := r.Current()
			// A failure that is certain is more than a doubt, as long as the doubt lasts.
			want := r.State == ledger.Sending && (last.Outcome == "" || f == busy)
			for number := range last.Number + 2 {
				got, changed, err := r.End(number, f, later, noon.Add(time.Hour))
				if err != nil || changed != (want && number == last.Number) {
					t.Errorf("%s: End of attempt %d with %q: changed %v, error %v", name, number, f.Kind, changed, err)
				}
				if !changed {
					same(t, name+": record that did not change", r, got)
				}
			}
		}
	}
}

// TestEndOfAnAttemptThatATextOutran: an earlier hop delivered it while the second POST was under way. Its outcome is kept.
func TestEndOfAnAttemptThatATextOutran(t *testing.T) {
	r := play(t, in(t, "open 2nd"), []event{told(1, sms.StatusDelivered), ended(2, blocked, nextHop)})
	isIn(t, r, ledger.Delivered, "")
	if last, _ := r.Current(); last.Outcome != "permanent" || !last.HopDone || last.EndedAt.IsZero() {
		t.Errorf("second attempt %+v, want it ended as permanent", last)
	}
	r = play(t, in(t, "open 2nd"), []event{told(1, sms.StatusDelivered), doubted(2)})
	isIn(t, r, ledger.Delivered, "")
	if last, _ := r.Current(); !last.Unknown() || !r.NotBefore.IsZero() {
		t.Errorf("second attempt %+v not before %v, want it unknown, and no look due", last, r.NotBefore)
	}
}

func TestEndToAStateThatCannotFollow(t *testing.T) {
	for _, name := range []string{"open", "doubted"} {
		r := in(t, name)
		for _, to := range []ledger.State{"", ledger.Sending, ledger.Dropped, ledger.Dead} {
			onward := ledger.Onward{To: to, HopDone: true}
			ended, changed, err := r.End(1, busy, onward, noon)
			concluded, concludes, err2 := r.Conclude(1, onward, noon)
			var refused *ledger.TransitionError
			if changed || !errors.As(err, &refused) {
				t.Errorf("%s: End as %q: changed %v, error %v; want a TransitionError", name, to, changed, err)
			}
			if concludes || errors.As(err2, &refused) != (name == "doubted") {
				t.Errorf("%s: Conclude as %q: changed %v, error %v", name, to, concludes, err2)
			}
			same(t, name+": record returned with the error of End", r, ended)
			same(t, name+": record returned with the error of Conclude", r, concluded)
		}
	}
}

// TestFailedIsCertain: a text does not fail for good if Twilio may have accepted an earlier POST. A text that an
// earlier hop may still deliver waits for it.
func TestFailedIsCertain(t *testing.T) {
	again := play(t, in(t, "resend"), []event{claims(0), ended(2, blocked, refused)})
	isIn(t, again, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	secondHop := play(t, in(t, "open 2nd"), []event{ended(2, blocked, noHop)})
	isIn(t, secondHop, ledger.Sent, "")
	inVain := play(t, in(t, "next hop"), []event{claims(1), ended(2, blocked, noHop)})
	isIn(t, inVain, ledger.Failed, ledger.ReasonRefused)
}

func TestDropAndDieSayWhy(t *testing.T) {
	r := play(t, in(t, "waiting"), []event{dropped(ledger.ReasonOptOut)})
	isIn(t, r, ledger.Dropped, ledger.ReasonOptOut)
	isIn(t, in(t, "dead"), ledger.Dead, ledger.ReasonAttemptsExhausted)
}

func TestHeldBy(t *testing.T) {
	for name := range situations {
		want := name == "open" || name == "open 2nd"
		if got := in(t, name).HeldBy("claim"); got != want {
			t.Errorf("%s: HeldBy its own mark = %v, want %v", name, got, want)
		}
	}
	r := in(t, "open")
	if r.HeldBy("another") || r.HeldBy("") {
		t.Error("held by a mark that is not its own")
	}
	second, err := in(t, "waiting").Claim("second", 0, relaytest.Destination, lease, noon)
	if err != nil || second.HeldBy("claim") || !second.HeldBy("second") {
		t.Errorf("after a second claim the first mark holds, error %v", err)
	}
}

// TestCounts: attempts are counted by phone, and what is known of a phone is asked by it.
func TestCounts(t *testing.T) {
	for _, tt := range []struct {
		name           string
		first, second  int
		upcoming       int
		texted         bool
		firstHopIsOpen bool
	}{
		{"(none)", 0, 0, 1, false, true},
		{"paced", 0, 0, 1, false, true},
		{"waiting", 1, 0, 2, false, true},
		{"resend", 1, 0, 2, false, true},
		{"next hop", 1, 0, 2, true, false},
		{"timed out", 1, 0, 2, true, false},
		{"open", 1, 0, 2, false, true},
		{"doubted", 1, 0, 2, false, true},
		{"open 2nd", 1, 1, 3, true, false},
		{"sent", 1, 0, 2, true, true},
		{"sent again", 2, 0, 3, true, true},
		{"sent 2nd", 1, 1, 3, true, false},
		{"undelivered", 1, 0, 2, true, true},
		{"dropped", 0, 0, 1, false, true},
	} {
		r := in(t, tt.name)
		if first, second := r.AttemptsSpentOn(hop(0)), r.AttemptsSpentOn(hop(1)); first != tt.first || second != tt.second {
			t.Errorf("%s: %d attempts at the first phone and %d at the second, want %d and %d", tt.name, first, second, tt.first, tt.second)
		}
		if r.Upcoming() != tt.upcoming || r.AcceptedByTwilio() != tt.texted {
			t.Errorf("%s: next attempt %d, texted %v; want %d, %v", tt.name, r.Upcoming(), r.AcceptedByTwilio(), tt.upcoming, tt.texted)
		}
		if r.HopOpen(hop(0)) != tt.firstHopIsOpen || !r.HopOpen(hop(1)) {
			t.Errorf("%s: hops are open %v, %v; want %v, true", tt.name, r.HopOpen(hop(0)), r.HopOpen(hop(1)), tt.firstHopIsOpen)
		}
	}
	if got := play(t, in(t, "open"), []event{ended(1, suspended, later)}).AttemptsSpentOn(hop(0)); got != 0 {
		t.Errorf("after an unusable account, AttemptsSpentOn = %d, want 0", got)
	}
}

// TestAwaited: it is what keeps a text from being buried, or called lost, while a phone may still get it.
func TestAwaited(t *testing.T) {
	awaited := []string{
		"timed out", "open 2nd", "doubted 2nd", "sent", "sent again", "sent 2nd", "delivered", "dead taken", "dead delivered",
		"undelivered sent", "undelivered delivered", "failed sent", "failed delivered", "dropped sent", "dropped delivered",
	}
	for name := range situations {
		if got, want := in(t, name).Awaited(), slices.Contains(awaited, name); got != want {
			t.Errorf("%s: Awaited() = %v, want %v", name, got, want)
		}
	}
}
