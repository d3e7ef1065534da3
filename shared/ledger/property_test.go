package ledger_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/relaytest"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// life is a record to which anything may happen in any order, whether a sender would do it or not.
type life struct {
	record ledger.Record
	now    time.Time
	// past holds every record there was, beside a copy of it that shares no memory.
	past []pair
}

type pair struct{ record, copied ledger.Record }

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
	if next.State != old.State && !old.State.MayBecome(next.State) {
		t.Fatalf("%s moved the text from %q to %q", event, old.State, next.State)
	}
	if changed && err == nil && !next.UpdatedAt.Equal(ledger.Stamp(l.now)) {
		t.Fatalf("%s left UpdatedAt at %v, want %v", event, next.UpdatedAt, ledger.Stamp(l.now))
	}
	if next.Version != old.Version {
		t.Fatalf("%s made version %d of %d: only the store counts", event, next.Version, old.Version)
	}
	l.keepsIdentity(t, event, old, next)
	l.record = next
	l.past = append(l.past, pair{next, copyOf(next)})
	l.check(t, event)
}

// keepsIdentity: attempts are neither renumbered nor given to another message.
func (l *life) keepsIdentity(t *rapid.T, event string, old, next ledger.Record) {
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
		if before.OutboundSid != "" && after.OutboundSid != before.OutboundSid || before.Accepted() && !after.Accepted() {
			t.Fatalf("%s took attempt %d's message away", event, before.Number)
		}
		if after.Status != before.Status && !after.Status.Supersedes(before.Status) {
			t.Fatalf("%s set attempt %d back from %q to %q", event, before.Number, before.Status, after.Status)
		}
	}
}

// check holds the record against what is true of every record.
func (l *life) check(t *rapid.T, event string) {
	t.Helper()
	r := l.record
	for i, a := range r.Attempts {
		if i > 0 && a.Number <= r.Attempts[i-1].Number {
			t.Fatalf("after %s the attempts are numbered %d, %d", event, r.Attempts[i-1].Number, a.Number)
		}
		if a.EndedAt.IsZero() != (a.Outcome == "") || a.Accepted() != (a.OutboundSid != "") {
			t.Fatalf("after %s attempt %d is half ended: %+v", event, a.Number, a)
		}
	}
	if r.LeaseUntil.IsZero() == (r.State == ledger.Sending) {
		t.Fatalf("after %s in state %q the lease ends at %v", event, r.State, r.LeaseUntil)
	}
	if !r.NotBefore.IsZero() && r.State != ledger.Queued {
		t.Fatalf("after %s in state %q the text is not due before %v", event, r.State, r.NotBefore)
	}
	if last, ok := r.Current(); ok && last.Accepted() && !r.State.Final() && r.State != ledger.Sent {
		t.Fatalf("after %s Twilio has taken the text, and it is %q", event, r.State)
	}
	if r.Spent() > len(r.Attempts) {
		t.Fatalf("after %s, %d of %d attempts count", event, r.Spent(), len(r.Attempts))
	}
	// Whoever shares memory shares it with a record of a few events ago.
	for _, p := range l.past[max(0, len(l.past)-4):] {
		if !cmp.Equal(p.record, p.copied) {
			t.Fatalf("%s changed an earlier record (-was +is):\n%s", event, cmp.Diff(p.copied, p.record))
		}
	}
}

// attempt draws the number of an attempt, of none now and then.
func (l *life) attempt(t *rapid.T) int {
	last, _ := l.record.Current()
	return rapid.IntRange(max(0, last.Number-2), last.Number+1).Draw(t, "attempt")
}

// sid is the MessageSid that Twilio gives the attempt's message.
func sid(attempt int) string { return relaytest.MessageSid(0xa000 + attempt) }

var (
	anyStatus = rapid.SampledFrom([]sms.Status{
		"accepted", "scheduled", "queued", "sending", "sent", "partially_delivered", "delivered", "undelivered",
		"failed", "canceled", "read", "received", "", "teleported",
	})
	anyState = rapid.SampledFrom(ledger.States())
	anyFault = rapid.Custom(func(t *rapid.T) *fault.Error {
		return &fault.Error{Kind: fault.Kind(rapid.IntRange(0, 4).Draw(t, "kind")), Code: rapid.IntRange(0, 30008).Draw(t, "code")}
	})
)

func (l *life) events() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"time passes": func(t *rapid.T) {
			l.now = l.now.Add(time.Duration(rapid.Int64Range(0, int64(time.Minute)).Draw(t, "ns")))
		},
		"store": func(*rapid.T) {
			l.record.Version++
			l.past = append(l.past, pair{l.record, copyOf(l.record)})
		},
		"claim": func(t *rapid.T) {
			r, err := l.record.Claim(fmt.Sprint(len(l.past)), rapid.IntRange(0, 3).Draw(t, "hop"), relaytest.Destination, lease, l.now)
			l.become(t, "Claim", r, err == nil, err)
		},
		"accept": func(t *rapid.T) {
			number := l.attempt(t)
			r, changed := l.record.Accept(number, sid(number), anyStatus.Draw(t, "status"), l.now)
			l.become(t, "Accept", r, changed, nil)
		},
		"end": func(t *rapid.T) {
			to := anyState.Filter(func(s ledger.State) bool { return s != ledger.Sent && s != ledger.Delivered && s != ledger.Undelivered })
			r, changed, err := l.record.End(l.attempt(t), anyFault.Draw(t, "fault"), to.Draw(t, "to"), "", l.now.Add(time.Minute), l.now)
			l.become(t, "End", r, changed, err)
		},
		"receipt": func(t *rapid.T) {
			number := l.attempt(t)
			receipt := sms.Receipt{Sid: sid(number), Status: anyStatus.Draw(t, "status"), CallbackRef: sms.CallbackRef{Attempt: number}}
			r, changed := l.record.Apply(receipt, l.now)
			l.become(t, "Apply", r, changed, nil)
		},
		"drop": func(t *rapid.T) {
			r, err := l.record.Drop(ledger.ReasonInactive, l.now)
			l.become(t, "Drop", r, err == nil, err)
		},
		"die": func(t *rapid.T) {
			r, err := l.record.Die(ledger.ReasonAttemptsExhausted, l.now)
			l.become(t, "Die", r, err == nil, err)
		},
	}
}

func TestAnythingMayHappen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &life{record: relaytest.Record(1, noon), now: noon}
		l.past = []pair{{l.record, copyOf(l.record)}}
		t.Repeat(l.events())
	})
}

// TestSendersAndReceiptsOnly lets happen only what senders do, who ask Next and hold a claim, and what Twilio says of
// messages that it has. However these mix, a text that Twilio has taken is never claimed again.
func TestSendersAndReceiptsOnly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := &life{record: relaytest.Record(1, noon), now: noon}
		l.past = []pair{{l.record, copyOf(l.record)}}
		// atTwilio holds the attempts whose POST reached Twilio.
		atTwilio := map[int]bool{}
		events := l.events()
		t.Repeat(map[string]func(*rapid.T){
			"time passes": events["time passes"],
			"claim": func(t *rapid.T) {
				if next, _ := l.record.Next(l.now); next != ledger.StepClaim {
					return
				}
				if last, ok := l.record.Current(); ok && last.Accepted() {
					t.Fatalf("attempt %d is accepted, and the text is to be claimed again", last.Number)
				}
				events["claim"](t)
				last, _ := l.record.Current()
				atTwilio[last.Number] = rapid.Bool().Draw(t, "reaches Twilio")
			},
			"answer": func(t *rapid.T) {
				last, ok := l.record.Current()
				switch {
				case !ok:
				case atTwilio[last.Number] && rapid.Bool().Draw(t, "arrives"):
					r, changed := l.record.Accept(last.Number, sid(last.Number), sms.StatusQueued, l.now)
					l.become(t, "Accept", r, changed, nil)
				case atTwilio[last.Number]:
					r, changed, err := l.record.End(last.Number, lost, ledger.Uncertain, ledger.ReasonUnknownOutcome, time.Time{}, l.now)
					l.become(t, "End", r, changed, err)
				default:
					r, changed, err := l.record.End(last.Number, busy, ledger.Queued, "", l.now.Add(time.Second), l.now)
					l.become(t, "End", r, changed, err)
				}
			},
			"receipt": func(t *rapid.T) {
				if number := l.attempt(t); atTwilio[number] {
					receipt := sms.Receipt{Sid: sid(number), Status: anyStatus.Draw(t, "status"), CallbackRef: sms.CallbackRef{Attempt: number}}
					r, changed := l.record.Apply(receipt, l.now)
					l.become(t, "Apply", r, changed, nil)
				}
			},
			"": func(t *rapid.T) { settledByStatus(t, l.record) },
		})
	})
}

// settledByStatus: what the current attempt's status says and what the state says is the same.
func settledByStatus(t *rapid.T, r ledger.Record) {
	t.Helper()
	last, ok := r.Current()
	if !ok || !last.Accepted() {
		return
	}
	ends := map[sms.Status]ledger.State{
		"delivered": ledger.Delivered, "read": ledger.Delivered, "undelivered": ledger.Undelivered, "failed": ledger.Failed, "canceled": ledger.Failed,
	}
	want, final := ends[last.Status]
	if !final {
		want = ledger.Sent
	}
	if r.State != want {
		t.Fatalf("attempt %d is %q, and the text is %q", last.Number, last.Status, r.State)
	}
}
