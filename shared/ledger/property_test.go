package ledger_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// life is a record to which anything may happen in any order, whether a sender would do it or not.
type life struct {
	record ledger.Record
	now    time.Time
	// past holds every record there was, next to a copy of it that shares no memory.
	past []pair
}

type pair struct{ record, copied ledger.Record }

func newLife() *life {
	l := &life{record: relaytest.Record(1, noon), now: noon}
	l.record.Media = []sms.Media{{URL: "https://api.twilio.com/1"}}
	l.past = []pair{{l.record, copyOf(l.record)}}
	return l
}

func copyOf(r ledger.Record) ledger.Record {
	r.Attempts, r.Media = slices.Clone(r.Attempts), slices.Clone(r.Media)
	return r
}

// become takes over what an event made of the record, and checks what must hold whatever the event was.
func (l *life) become(t *rapid.T, event string, next ledger.Record, changed bool, err error) {
	t.Helper()
	old := l.past[len(l.past)-1].copied
	if (err != nil || !changed) && !cmp.Equal(old, next) {
		t.Fatalf("%s changed nothing (error %v), but returned (-old +new):\n%s", event, err, cmp.Diff(old, next))
	}
	if err == nil && changed && cmp.Equal(old.Attempts, next.Attempts) && old.State == next.State && old.NotBefore.Equal(next.NotBefore) &&
		old.Slot == next.Slot && old.Decision == next.Decision && event != "Book" {
		t.Fatalf("%s says that it changed the record, and it did not", event)
	}
	if next.State != old.State && !old.State.MayBecome(next.State) {
		t.Fatalf("%s moved the text from %q to %q", event, old.State, next.State)
	}
	if changed && err == nil && !next.UpdatedAt.Equal(ledger.Stamp(l.now)) {
		t.Fatalf("%s left UpdatedAt at %v, want %v", event, next.UpdatedAt, ledger.Stamp(l.now))
	}
	l.keepsText(t, event, old, next)
	l.keepsAttempts(t, event, old, next)
	l.record = next
	l.past = append(l.past, pair{next, copyOf(next)})
	l.check(t, event)
	l.endsForGood(t, event, old, next)
}

// keepsText: no event changes what the text is, only an operator's word is kept as a decision, and only the store counts versions.
func (l *life) keepsText(t *rapid.T, event string, old, next ledger.Record) {
	t.Helper()
	next.State, next.Reason, next.UpdatedAt, next.Attempts = old.State, old.Reason, old.UpdatedAt, old.Attempts
	next.LeaseUntil, next.NotBefore, next.Slot = old.LeaseUntil, old.NotBefore, old.Slot
	if slices.Contains([]string{"Attest", "Resend", "Abandon", "DropLetter"}, event) {
		next.Decision = old.Decision
	}
	if event == "Resend" {
		next.RedrivenAfter, next.RedrivenAt = old.RedrivenAfter, old.RedrivenAt
	}
	if !cmp.Equal(old, next) {
		t.Fatalf("%s changed the text itself (-old +new):\n%s", event, cmp.Diff(old, next))
	}
}

// keepsAttempts: attempts are neither lost, renumbered nor given to another message, and what is known of them stays.
func (l *life) keepsAttempts(t *rapid.T, event string, old, next ledger.Record) {
	t.Helper()
	for _, before := range old.Attempts {
		i := slices.IndexFunc(next.Attempts, func(a ledger.Attempt) bool { return a.Number == before.Number })
		switch {
		case i < 0 && before.Outcome == fault.Fatal.String():
			continue // made room for the next try
		case i < 0:
			t.Fatalf("%s lost attempt %d", event, before.Number)
		}
		after := next.Attempts[i]
		if after.To != before.To || after.Hop != before.Hop || after.ClaimID != before.ClaimID || !after.StartedAt.Equal(before.StartedAt) {
			t.Fatalf("%s changed what attempt %d is", event, before.Number)
		}
		if before.Accepted() && !after.Accepted() || before.Outcome != "" && !before.Unknown() &&
			after.Outcome != before.Outcome && !after.Accepted() {
			t.Fatalf("%s made attempt %d %q, which was %q", event, before.Number, after.Outcome, before.Outcome)
		}
		if before.HopDone && !after.HopDone && event != "Resend" || after.Looks < before.Looks || after.Found &&
			!before.Found && before.Accepted() {
			t.Fatalf("%s took back what attempt %d has come to: %+v, was %+v", event, before.Number, after, before)
		}
		another := before.OutboundSid != "" && after.OutboundSid != before.OutboundSid
		if another && !before.Found {
			t.Fatalf("%s took attempt %d's message away", event, before.Number)
		}
		if !another && after.Status != before.Status && !after.Status.Supersedes(before.Status) {
			t.Fatalf("%s set attempt %d back from %q to %q", event, before.Number, before.Status, after.Status)
		}
	}
	if added := len(next.Attempts) > 0 && current(next) != current(old); added && (event != "Claim" || current(next) != old.Upcoming()) {
		t.Fatalf("%s added attempt %d after attempt %d", event, current(next), current(old))
	}
}

// check holds the record against what is true of every record.
func (l *life) check(t *rapid.T, event string) {
	t.Helper()
	r := l.record
	if r.Version > 0 && r.State == "" && len(r.Attempts) > 0 {
		t.Fatalf("after %s there are attempts of a text in no state", event)
	}
	if wrong := wrongMarks(r); wrong != "" {
		t.Fatalf("after %s in state %q: %s: %+v", event, r.State, wrong, r)
	}
	for i, a := range r.Attempts {
		if i > 0 && a.Number <= r.Attempts[i-1].Number {
			t.Fatalf("after %s the attempts are numbered %d, %d", event, r.Attempts[i-1].Number, a.Number)
		}
		if a.EndedAt.IsZero() != (a.Outcome == "") || a.Accepted() != (a.OutboundSid != "") || a.Found && !a.Accepted() {
			t.Fatalf("after %s attempt %d is half ended: %+v", event, a.Number, a)
		}
		// Only a delivery by an earlier hop leaves an attempt open behind.
		if a.Outcome == "" && (i < len(r.Attempts)-1 || r.State != ledger.Sending && r.State != ledger.Delivered) {
			t.Fatalf("after %s in state %q attempt %d of %d is open", event, r.State, a.Number, len(r.Attempts))
		}
		if isDelivered(a) && !r.State.Final() {
			t.Fatalf("after %s attempt %d is %q, and the text is %q", event, a.Number, a.Status, r.State)
		}
		if r.State == ledger.Queued && a.Accepted() && !a.Status.Lost() && r.HopOpen(a.To) {
			t.Fatalf("after %s the text is queued, and attempt %d is on its way to a phone that nobody has given up", event, a.Number)
		}
	}
	// A record that shares memory shares it with a record of a few events ago.
	for _, p := range l.past[max(0, len(l.past)-4):] {
		if !cmp.Equal(p.record, p.copied) {
			t.Fatalf("%s changed an earlier record (-was +is):\n%s", event, cmp.Diff(p.copied, p.record))
		}
	}
}

func isDelivered(a ledger.Attempt) bool {
	return a.Accepted() && (a.Status == sms.StatusDelivered || a.Status == sms.StatusRead)
}

// endsForGood: whatever a text ends as when it ends, is so.
func (l *life) endsForGood(t *rapid.T, event string, old, next ledger.Record) {
	t.Helper()
	if old.State == next.State {
		return
	}
	delivered := slices.ContainsFunc(next.Attempts, isDelivered)
	doubtful := slices.ContainsFunc(next.Attempts, ledger.Attempt.Unknown)
	awaited := slices.ContainsFunc(next.Attempts, func(a ledger.Attempt) bool { return a.Accepted() && !a.Status.Lost() })
	switch next.State {
	case ledger.Delivered:
		if !delivered {
			t.Fatalf("%s calls the text delivered, and no attempt is", event)
		}
	case ledger.Sent:
		if !awaited {
			t.Fatalf("%s calls the text sent, and nothing is awaited", event)
		}
	case ledger.Undelivered, ledger.Failed, ledger.Dropped:
		if doubtful || awaited {
			t.Fatalf("%s calls the text %q, and it may yet be delivered: %+v", event, next.State, next.Attempts)
		}
	case ledger.Uncertain:
		if !doubtful {
			t.Fatalf("%s calls the text uncertain, and of every attempt is known what became of it", event)
		}
	case ledger.Queued, ledger.Sending, ledger.Dead:
	}
}

// attempt draws the number of an attempt, of none now and then.
func (l *life) attempt(t *rapid.T) int {
	return rapid.IntRange(max(0, current(l.record)-2), current(l.record)+1).Draw(t, "attempt")
}

// messageOf draws the MessageSid of the attempt's message, or, now and then, of another.
func messageOf(t *rapid.T, attempt int) string {
	if rapid.IntRange(0, 3).Draw(t, "another's") == 0 {
		return otherSid
	}
	return sid(attempt)
}

var (
	anyStatus = rapid.SampledFrom([]sms.Status{
		"accepted", "scheduled", "queued", "sending", "sent", "partially_delivered", "delivered", "undelivered",
		"failed", "canceled", "read", "received", "", "teleported",
	})
	anyHop   = rapid.IntRange(0, 2)
	anyFault = rapid.Custom(func(t *rapid.T) *fault.Error {
		return &fault.Error{Kind: fault.Kind(rapid.IntRange(0, int(fault.Fatal)).Draw(t, "kind")), Code: rapid.IntRange(0, 30008).Draw(t, "code")}
	})
)

// onward draws where a text may go, among other places.
func (l *life) onward(t *rapid.T) ledger.Onward {
	return ledger.Onward{
		To:     rapid.SampledFrom([]ledger.State{ledger.Queued, ledger.Queued, ledger.Failed, ledger.Uncertain, "", ledger.Dead}).Draw(t, "to"),
		Reason: ledger.ReasonUnknownOutcome, NotBefore: l.now.Add(time.Minute),
		HopDone: rapid.Bool().Draw(t, "hop done"),
	}
}

// events are all that may happen.
func (l *life) events() map[string]func(*rapid.T) {
	all := l.decisions()
	maps.Copy(all, l.outcomes())
	maps.Copy(all, l.orders())
	all["time passes"] = func(t *rapid.T) {
		l.now = l.now.Add(time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "ns")))
	}
	all["store"] = func(*rapid.T) {
		l.record.Version++
		l.past = append(l.past, pair{l.record, copyOf(l.record)})
	}
	return all
}

// decisions are what a sender makes of a text.
func (l *life) decisions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"book": func(t *rapid.T) {
			r, err := l.record.Book(ledger.Slot{At: l.now.Add(time.Minute), To: hop(anyHop.Draw(t, "hop"))}, l.now)
			l.become(t, "Book", r, err == nil, err)
		},
		"claim": func(t *rapid.T) {
			n := anyHop.Draw(t, "hop")
			r, err := l.record.Claim(fmt.Sprint(len(l.past)), n, hop(n), lease, l.now)
			l.become(t, "Claim", r, err == nil, err)
		},
		"drop": func(t *rapid.T) {
			r, err := l.record.Drop(ledger.ReasonInactive, l.now)
			l.become(t, "Drop", r, err == nil, err)
		},
		"give up": func(t *rapid.T) {
			r, err := l.record.GiveUp(l.now)
			l.become(t, "GiveUp", r, err == nil, err)
		},
		"die": func(t *rapid.T) {
			r, err := l.record.Die(ledger.ReasonAttemptsExhausted, l.now)
			l.become(t, "Die", r, err == nil, err)
		},
	}
}

// orders are what an operator makes of a text.
func (l *life) orders() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"attest": func(t *rapid.T) {
			number := l.attempt(t)
			receipt := sms.Receipt{
				Sid: messageOf(t, number), Status: anyStatus.Draw(t, "status"), ErrorCode: rapid.IntRange(0, 1).Draw(t, "code"),
				CallbackRef: sms.CallbackRef{Attempt: number},
			}
			r, changed := l.record.Attest(receipt, byAda, l.now)
			l.become(t, "Attest", r, changed, nil)
		},
		"resend": func(t *rapid.T) {
			order := l.record.Order(byAda)
			order.Attempts -= rapid.IntRange(0, 1).Draw(t, "too few")
			r, changed, err := l.record.Resend(order, l.now)
			l.become(t, "Resend", r, changed, err)
		},
		"abandon": func(t *rapid.T) {
			r, changed := l.record.Abandon(byAda, l.now)
			l.become(t, "Abandon", r, changed, nil)
		},
		"drop the letter": func(t *rapid.T) {
			r, changed := l.record.DropLetter(byAda, l.now)
			l.become(t, "DropLetter", r, changed, nil)
		},
	}
}

// outcomes are what becomes known of an attempt.
func (l *life) outcomes() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"accept": func(t *rapid.T) {
			number := l.attempt(t)
			r, changed := l.record.Accept(number, messageOf(t, number), anyStatus.Draw(t, "status"), l.now)
			l.become(t, "Accept", r, changed, nil)
		},
		"end": func(t *rapid.T) {
			number, f, onward := l.attempt(t), anyFault.Draw(t, "fault"), l.onward(t)
			if onward.To == ledger.Uncertain && f.Kind != fault.Unknown {
				onward.To = ledger.Failed
			}
			r, changed, err := l.record.End(number, f, onward, l.now)
			l.become(t, "End", r, changed, err)
		},
		"doubt": func(t *rapid.T) {
			r, changed := l.record.Doubt(l.attempt(t), lost, l.now.Add(time.Second), l.now)
			l.become(t, "Doubt", r, changed, nil)
		},
		"look": func(t *rapid.T) {
			r, changed := l.record.Looked(l.attempt(t), l.now.Add(time.Minute), l.now)
			l.become(t, "Looked", r, changed, nil)
		},
		"discover": func(t *rapid.T) {
			number := l.attempt(t)
			r, changed := l.record.Discover(number, messageOf(t, number), anyStatus.Draw(t, "status"), l.now)
			l.become(t, "Discover", r, changed, nil)
		},
		"conclude": func(t *rapid.T) {
			r, changed, err := l.record.Conclude(l.attempt(t), l.onward(t), l.now)
			l.become(t, "Conclude", r, changed, err)
		},
		"receipt": func(t *rapid.T) {
			number := l.attempt(t)
			receipt := sms.Receipt{
				Sid: messageOf(t, number), Status: anyStatus.Draw(t, "status"), ErrorCode: rapid.IntRange(0, 1).Draw(t, "code"),
				CallbackRef: sms.CallbackRef{Attempt: number},
			}
			r, changed := l.record.Apply(receipt, l.onward(t), l.now)
			l.become(t, "Apply", r, changed, nil)
		},
		"time out": func(t *rapid.T) {
			r, changed := l.record.TimeOut(l.attempt(t), l.now)
			l.become(t, "TimeOut", r, changed, nil)
		},
	}
}

func TestAnythingMayHappen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { t.Repeat(newLife().events()) })
}
