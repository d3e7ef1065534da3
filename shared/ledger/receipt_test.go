package ledger_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/relaytest"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// step is something that happens to a record. Each returns the record and whether it changed.
type step struct {
	name string
	do   func(t *testing.T, r ledger.Record) (ledger.Record, bool)
}

// accepted is Twilio's answer to the POST of the attempt.
func accepted(number int, sid string, status sms.Status) step {
	return step{"accept " + string(status), func(_ *testing.T, r ledger.Record) (ledger.Record, bool) {
		return r.Accept(number, sid, status, noon)
	}}
}

// ended is the failure of the first attempt's POST, after which the text waits.
func ended() step {
	return step{"end", func(t *testing.T, r ledger.Record) (ledger.Record, bool) {
		t.Helper()
		r, changed, err := r.End(1, busy, ledger.Queued, "", noon.Add(time.Minute), noon)
		if err != nil {
			t.Errorf("End in state %q: %v", r.State, err)
		}
		return r, changed
	}}
}

// told is a receipt.
func told(attempt int, sid string, status sms.Status, code int) step {
	return step{"receipt " + string(status), func(_ *testing.T, r ledger.Record) (ledger.Record, bool) {
		return r.Apply(sms.Receipt{Sid: sid, Status: status, ErrorCode: code, CallbackRef: sms.CallbackRef{RelayID: r.MessageSid, Attempt: attempt}}, noon)
	}}
}

// claims opens the next attempt.
func claims() step {
	return step{"claim", func(t *testing.T, r ledger.Record) (ledger.Record, bool) {
		t.Helper()
		return claim(t, r), true
	}}
}

// TestRaces plays what may overtake what: the answer to the POST, its failure, and receipts.
func TestRaces(t *testing.T) {
	const other = "SM0000000000000000000000000000beef"
	sid := outboundSid
	tests := []struct {
		name   string
		steps  []step
		state  ledger.State
		reason ledger.Reason
		status sms.Status
		code   int
		sid    string
		// changes says which of the steps are news.
		changes string
	}{
		{"as it should be", []step{accepted(1, sid, "queued"), told(1, sid, "sending", 0), told(1, sid, "sent", 0), told(1, sid, "delivered", 0)}, ledger.Delivered, "", "delivered", 0, sid, "++++"},
		{"sent overtakes the answer", []step{told(1, sid, "sent", 0), accepted(1, sid, "queued")}, ledger.Sent, "", "sent", 0, sid, "+-"},
		{"delivered overtakes the answer", []step{told(1, sid, "delivered", 0), accepted(1, sid, "queued")}, ledger.Delivered, "", "delivered", 0, sid, "+-"},
		{"undelivered overtakes the answer", []step{told(1, sid, "undelivered", 30003), accepted(1, sid, "accepted")}, ledger.Undelivered, "", "undelivered", 30003, sid, "+-"},
		{"failed overtakes the answer", []step{told(1, sid, "failed", 30008), accepted(1, sid, "queued")}, ledger.Failed, ledger.ReasonReceipt, "failed", 30008, sid, "+-"},
		{"queued comes with the answer", []step{told(1, sid, "queued", 0), accepted(1, sid, "queued")}, ledger.Sent, "", "queued", 0, sid, "+-"},
		{"the answer knows more than the receipt", []step{told(1, sid, "accepted", 0), accepted(1, sid, "queued")}, ledger.Sent, "", "queued", 0, sid, "++"},
		{"receipts in reverse", []step{accepted(1, sid, "queued"), told(1, sid, "delivered", 0), told(1, sid, "sent", 0), told(1, sid, "sending", 0)}, ledger.Delivered, "", "delivered", 0, sid, "++--"},
		{"receipts twice", []step{accepted(1, sid, "queued"), told(1, sid, "sent", 0), told(1, sid, "sent", 0), told(1, sid, "delivered", 0), told(1, sid, "delivered", 0)}, ledger.Delivered, "", "delivered", 0, sid, "++-+-"},
		{"the answer twice", []step{accepted(1, sid, "queued"), accepted(1, sid, "queued")}, ledger.Sent, "", "queued", 0, sid, "+-"},
		{"read after delivered", []step{accepted(1, sid, "queued"), told(1, sid, "delivered", 0), told(1, sid, "read", 0), told(1, sid, "delivered", 0)}, ledger.Delivered, "", "read", 0, sid, "+++-"},
		{"read overtakes delivered", []step{accepted(1, sid, "queued"), told(1, sid, "read", 0), told(1, sid, "delivered", 0)}, ledger.Delivered, "", "read", 0, sid, "++-"},
		{"undelivered, then delivered", []step{accepted(1, sid, "queued"), told(1, sid, "undelivered", 30005), told(1, sid, "delivered", 0)}, ledger.Undelivered, "", "undelivered", 30005, sid, "++-"},
		{"canceled", []step{accepted(1, sid, "scheduled"), told(1, sid, "canceled", 0)}, ledger.Failed, ledger.ReasonReceipt, "canceled", 0, sid, "++"},
		{"of another message", []step{accepted(1, sid, "queued"), told(1, other, "delivered", 0)}, ledger.Sent, "", "queued", 0, sid, "+-"},
		{"of no attempt", []step{accepted(1, sid, "queued"), told(0, sid, "delivered", 0), told(2, sid, "delivered", 0)}, ledger.Sent, "", "queued", 0, sid, "+--"},
		{"of a status unknown to us", []step{accepted(1, sid, "queued"), told(1, sid, "teleported", 0), told(1, sid, "", 0)}, ledger.Sent, "", "queued", 0, sid, "+--"},
		{"the POST failed, but Twilio has it", []step{told(1, sid, "sent", 0), ended()}, ledger.Sent, "", "sent", 0, sid, "+-"},
		{"the POST failed, and a receipt comes after all", []step{ended(), told(1, sid, "delivered", 0)}, ledger.Delivered, "", "delivered", 0, sid, "++"},
		{"the same, on its way", []step{ended(), told(1, sid, "queued", 0)}, ledger.Sent, "", "queued", 0, sid, "++"},
		{"an answer after the failure was recorded", []step{ended(), ended()}, ledger.Queued, "", "", 0, "", "+-"},
		{"a failure after the answer", []step{accepted(1, sid, "queued"), ended()}, ledger.Sent, "", "queued", 0, sid, "+-"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := play(t, reach(t, ledger.Sending), tt.steps, tt.changes)
			if r.State != tt.state || r.Reason != tt.reason {
				t.Errorf("ends as %q, reason %q; want %q, reason %q", r.State, r.Reason, tt.state, tt.reason)
			}
			last, _ := r.Current()
			if last.Status != tt.status || last.ErrorCode != tt.code || last.OutboundSid != tt.sid {
				t.Errorf("attempt has status %q, code %d, sid %q; want %q, %d, %q", last.Status, last.ErrorCode, last.OutboundSid, tt.status, tt.code, tt.sid)
			}
			if last.Accepted() != (tt.sid != "") || last.EndedAt.IsZero() {
				t.Errorf("attempt has outcome %q, ended at %v", last.Outcome, last.EndedAt)
			}
		})
	}
}

// play lets the steps happen and checks which of them change the record ("+") and which return it as it was ("-").
func play(t *testing.T, r ledger.Record, steps []step, changes string) ledger.Record {
	t.Helper()
	for i, s := range steps {
		before := r
		var changed bool
		if r, changed = s.do(t, r); changed != (changes[i] == '+') {
			t.Errorf("step %d, %s: changed %v, want %c", i+1, s.name, changed, changes[i])
		}
		if !changed {
			same(t, "record that did not change", before, r)
		}
	}
	return r
}

// TestReceiptOfAnEarlierAttempt: it is written down, but the text goes by its current attempt.
func TestReceiptOfAnEarlierAttempt(t *testing.T) {
	second := relaytest.MessageSid(0xa2)
	r := play(t, reach(t, ledger.Sending), []step{ended(), claims(), accepted(2, second, "queued"), told(1, outboundSid, "failed", 30008)}, "++++")
	if r.State != ledger.Sent {
		t.Errorf("state %q, want sent", r.State)
	}
	first := r.Attempts[0]
	if !first.Accepted() || first.Status != sms.StatusFailed || first.ErrorCode != 30008 || first.OutboundSid != outboundSid {
		t.Errorf("first attempt %+v, want what its receipt said", first)
	}
	r = play(t, r, []step{told(2, second, "delivered", 0)}, "+")
	if r.State != ledger.Delivered {
		t.Errorf("state %q, want delivered", r.State)
	}
}

// TestLateReceiptsSettle: whoever waits for a look, or was given up, is told of the delivery.
func TestLateReceiptsSettle(t *testing.T) {
	for _, tt := range []struct {
		from, want ledger.State
	}{
		{ledger.Uncertain, ledger.Delivered},
		{ledger.Queued, ledger.Delivered},
		{ledger.Sending, ledger.Delivered},
		// Final states stand; the attempt has the status.
		{ledger.Failed, ledger.Failed},
		{ledger.Dead, ledger.Dead},
	} {
		r := reach(t, tt.from)
		got := apply(t, r, sms.StatusDelivered)
		last, _ := got.Current()
		if got.State != tt.want || last.Status != sms.StatusDelivered {
			t.Errorf("from %q: state %q, status %q; want %q, delivered", tt.from, got.State, last.Status, tt.want)
		}
		if tt.from != tt.want && (got.Reason != "" || !got.LeaseUntil.IsZero() || !got.NotBefore.IsZero()) {
			t.Errorf("from %q: reason %q, lease until %v, not before %v are left over", tt.from, got.Reason, got.LeaseUntil, got.NotBefore)
		}
		if tt.from == tt.want && got.Reason != r.Reason {
			t.Errorf("from %q: reason %q became %q", tt.from, r.Reason, got.Reason)
		}
	}
}

// TestEndedAtStays: an attempt ends once, whatever is learned of it later.
func TestEndedAtStays(t *testing.T) {
	r := reach(t, ledger.Sending)
	r, _, err := r.End(1, busy, ledger.Queued, "", noon.Add(time.Minute), noon.Add(time.Second))
	if err != nil {
		t.Fatalf("End: %v", err)
	}
	for i, status := range []sms.Status{sms.StatusQueued, sms.StatusSent, sms.StatusDelivered} {
		r, _ = r.Apply(receiptOf(r, status), noon.Add(time.Duration(i+1)*time.Hour))
		if last, _ := r.Current(); !last.EndedAt.Equal(stamped.Add(time.Second)) {
			t.Errorf("after the receipt %q the attempt ended at %v", status, last.EndedAt)
		}
	}
}

// TestAcceptSettlesAParkedText: the sender was only slow; its lease had lapsed.
func TestAcceptSettlesAParkedText(t *testing.T) {
	r := accept(t, reach(t, ledger.Uncertain))
	if r.State != ledger.Sent || r.Reason != "" {
		t.Errorf("state %q, reason %q; want sent, no reason", r.State, r.Reason)
	}
}

// TestAcceptKeepsAWaitingTextFromBeingSentAgain: a text whose attempt Twilio has taken must not be claimed once more.
func TestAcceptKeepsAWaitingTextFromBeingSentAgain(t *testing.T) {
	r := accept(t, reach(t, ledger.Queued))
	if next, _ := r.Next(noon.Add(time.Hour)); r.State != ledger.Sent || next == ledger.StepClaim {
		t.Errorf("after Accept in state queued: state %q, next step %d; want sent, and no claim", r.State, next)
	}
}

// TestAcceptOfAnEarlierAttemptLeavesTheCurrentOneOpen, as a receipt of an earlier attempt does: else the open attempt
// never gets its outcome, and no receipt of the accepted one moves the text on.
func TestAcceptOfAnEarlierAttemptLeavesTheCurrentOneOpen(t *testing.T) {
	r := claim(t, reach(t, ledger.Queued))
	got, changed := r.Accept(1, outboundSid, sms.StatusQueued, noon)
	if !changed {
		t.Fatal("Accept changed nothing")
	}
	if got.State != ledger.Sending || got.LeaseUntil.IsZero() {
		t.Errorf("state %q, lease until %v; want the second attempt's claim to stand", got.State, got.LeaseUntil)
	}
}

// TestAcceptWithAFinalStatus: a message that is found at Twilio may have come to its end already. The receipt that says
// the same again is no news, so that the text would be "sent" for ever.
func TestAcceptWithAFinalStatus(t *testing.T) {
	for status, want := range map[sms.Status]ledger.State{
		sms.StatusDelivered: ledger.Delivered, sms.StatusRead: ledger.Delivered, sms.StatusUndelivered: ledger.Undelivered,
		sms.StatusFailed: ledger.Failed, sms.StatusCanceled: ledger.Failed,
	} {
		r, _ := reach(t, ledger.Sending).Accept(1, outboundSid, status, noon)
		r, _ = r.Apply(receiptOf(r, status), noon)
		if r.State != want {
			t.Errorf("after Accept with %q and the receipt of it: state %q, want %q", status, r.State, want)
		}
	}
}

// TestAcceptOfNoAttempt changes nothing.
func TestAcceptOfNoAttempt(t *testing.T) {
	for _, number := range []int{0, 2} {
		r := reach(t, ledger.Sending)
		got, changed := r.Accept(number, outboundSid, sms.StatusQueued, noon)
		if changed {
			t.Errorf("Accept of attempt %d changed the record", number)
		}
		same(t, "record that did not change", r, got)
	}
}
