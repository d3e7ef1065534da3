package ledger_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// most is how large a record may become, in bytes of JSON: DynamoDB refuses an item of 400 kB, and counts about the same.
const most = 350_000

// twins are one text twice: as it is, and with all attempts listed.
type twins struct {
	record, whole ledger.Record
}

// both lets an event happen to both, and reports whether it changed them.
func (w *twins) both(t *rapid.T, happens event) bool {
	t.Helper()
	record, changed, err := happens(w.record)
	whole, alike, wrong := happens(w.whole)
	if changed != alike || (err == nil) != (wrong == nil) {
		t.Fatalf("changed %v (error %v), with all attempts listed %v (%v)", changed, err, alike, wrong)
	}
	if changed {
		w.record, w.whole = record, unfolded(w.whole, whole)
	}
	return changed
}

// unfolded returns after with the attempts that its change from before has folded.
func unfolded(before, after ledger.Record) ledger.Record {
	if after.Folded.Attempts == 0 {
		return after
	}
	last, _ := after.Current()
	listed := slices.Clone(before.Attempts)
	if replaced, _ := before.Current(); replaced.Outcome == fault.Fatal.String() {
		listed = listed[:len(listed)-1]
	}
	after.Attempts, after.Folded = append(listed, last), ledger.Folded{}
	return after
}

// decides is all that a record decides about what happens next.
func decides(r ledger.Record) map[string]any {
	all := map[string]any{
		"state": r.State, "reason": r.Reason, "made": r.Made(), "upcoming": r.Upcoming(), "in doubt": r.InDoubt(),
		"awaited": r.Awaited(), "texted": r.AcceptedByTwilio(), "redriven": r.RedrivenAfter,
	}
	for n := range 3 {
		all["spent at "+string(hop(n))], all["open "+string(hop(n))] = r.AttemptsSpentOn(hop(n)), r.HopOpen(hop(n))
	}
	return all
}

// try makes one attempt come to something, and has the text sent again if it has ended.
func (w *twins) try(t *rapid.T) {
	t.Helper()
	n := rapid.IntRange(0, 2).Draw(t, "hop")
	number := w.record.Upcoming()
	if !w.both(t, claims(n)) {
		t.Fatalf("the text is %q and cannot be tried again", w.record.State)
	}
	queued := ledger.Onward{To: ledger.Queued, HopDone: rapid.Bool().Draw(t, "hop done")}
	trouble := func(kind fault.Kind) *fault.Error {
		return &fault.Error{Kind: kind, Err: errors.New(strings.Repeat("ö", 2000))}
	}
	switch rapid.IntRange(0, 5).Draw(t, "outcome") {
	case 0:
		w.both(t, ended(number, trouble(fault.Transient), queued))
	case 1:
		w.both(t, doubted(number))
		w.both(t, concluded(number, queued))
	case 2:
		w.both(t, accepted(number, sms.StatusQueued))
		w.both(t, undelivered(number, queued))
	case 3:
		w.both(t, accepted(number, sms.StatusQueued))
		w.both(t, timedOut(number))
	case 4:
		w.both(t, ended(number, trouble(fault.Permanent), ledger.Onward{To: ledger.Failed, Reason: ledger.ReasonRefused}))
	case 5:
		w.both(t, ended(number, trouble(fault.Fatal), ledger.Onward{To: ledger.Queued}))
	}
	if r := w.record; r.State == ledger.Queued && !r.Awaited() && !r.InDoubt() && rapid.IntRange(0, 9).Draw(t, "dies") == 0 {
		w.both(t, buried)
		w.both(t, redriven)
	}
	w.goOn(t)
}

// goOn brings a text that has ended, or that Twilio has, back to the queue, as operators, receipts and timers do.
func (w *twins) goOn(t *rapid.T) {
	t.Helper()
	if w.record.State == ledger.Sent {
		w.both(t, timedOut(w.record.Upcoming()-1))
	}
	for _, a := range w.record.Attempts {
		if w.record.State == ledger.Sent && a.Accepted() && !a.Status.Lost() {
			w.both(t, undelivered(a.Number, ledger.Onward{To: ledger.Queued, HopDone: true}))
		}
	}
	if w.record.State.Resendable() {
		w.both(t, ordered)
	}
}

// TestAnyNumberOfAttemptsFits: a text that is tried for ever stays small enough for a table, and everything is decided about it as if
// all its attempts were listed.
func TestAnyNumberOfAttemptsFits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := relaytest.Record(1, noon)
		text.Body = strings.Repeat("ö", 32_000)
		w := &twins{record: text, whole: text}
		for range rapid.IntRange(130, 200).Draw(t, "tries") {
			if w.record.State != "" && w.record.State != ledger.Queued {
				break
			}
			w.try(t)
			if diff := cmp.Diff(decides(w.whole), decides(w.record)); diff != "" {
				t.Fatalf("after %d attempts (-all listed +folded):\n%s", w.record.Made(), diff)
			}
		}
		encoded, err := json.Marshal(w.record)
		if err != nil || len(encoded) > most {
			t.Fatalf("a record of %d attempts takes %d bytes, error %v", w.record.Made(), len(encoded), err)
		}
	})
}

// TestManyDoubtsFit: attempts with unknown outcomes are listed for longer, and the doubt outlives them.
func TestManyDoubtsFit(t *testing.T) {
	r := relaytest.Record(1, noon)
	for n := range 1000 {
		r = play(t, r, []event{claims(n % 3), doubted(n + 1), concluded(n+1, ledger.Onward{To: ledger.Queued})})
	}
	encoded, err := json.Marshal(r)
	if err != nil || len(encoded) > most || r.Made() != 1000 || !r.InDoubt() || r.AttemptsSpentOn(hop(0)) != 334 {
		t.Errorf("%d attempts, %d at the first phone, in doubt %v, in %d bytes, error %v", r.Made(), r.AttemptsSpentOn(hop(0)),
			r.InDoubt(), len(encoded), err)
	}
}
