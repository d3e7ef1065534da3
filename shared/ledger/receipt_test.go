package ledger_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// TestRaces plays what may overtake what: the answer to the POST, its failure, and receipts.
func TestRaces(t *testing.T) {
	answer := func(status sms.Status) event { return accepted(1, status) }
	receipt := func(status sms.Status) event { return told(1, status) }
	failure := ended(1, busy, later)
	coded := func(status sms.Status, code int) event { return toldOf(1, sid(1), status, code, toNobody) }
	tests := []struct {
		name   string
		events []event
		state  ledger.State
		reason ledger.Reason
		status sms.Status
		code   int
		// changes says which of the events are news.
		changes string
	}{
		{
			"as it should be",
			[]event{answer("queued"), receipt("sending"), receipt("sent"), receipt("delivered")},
			ledger.Delivered, "",
			"delivered", 0, "++++",
		},
		{"sent overtakes the answer", []event{receipt("sent"), answer("queued")}, ledger.Sent, "", "sent", 0, "+-"},
		{"delivered overtakes the answer", []event{receipt("delivered"), answer("queued")}, ledger.Delivered, "", "delivered", 0, "+-"},
		{
			"undelivered overtakes the answer",
			[]event{coded("undelivered", 30003), answer("accepted")},
			ledger.Undelivered, "",
			"undelivered", 30003, "+-",
		},
		{
			"failed overtakes the answer",
			[]event{coded("failed", 30008), answer("queued")},
			ledger.Failed, ledger.ReasonReceipt,
			"failed", 30008, "+-",
		},
		{"queued comes with the answer", []event{receipt("queued"), answer("queued")}, ledger.Sent, "", "queued", 0, "+-"},
		{"the answer knows more than the receipt", []event{receipt("accepted"), answer("queued")}, ledger.Sent, "", "queued", 0, "++"},
		{
			"receipts in reverse",
			[]event{answer("queued"), receipt("delivered"), receipt("sent"), receipt("sending")},
			ledger.Delivered, "",
			"delivered", 0, "++--",
		},
		{
			"receipts twice",
			[]event{answer("queued"), receipt("sent"), receipt("sent"), receipt("delivered"), receipt("delivered")},
			ledger.Delivered, "", "delivered", 0, "++-+-",
		},
		{"the answer twice", []event{answer("queued"), answer("queued")}, ledger.Sent, "", "queued", 0, "+-"},
		{
			"read after delivered",
			[]event{answer("queued"), receipt("delivered"), receipt("read"), receipt("delivered")},
			ledger.Delivered,
			"", "read", 0, "+++-",
		},
		{"read overtakes delivered", []event{answer("queued"), receipt("read"), receipt("delivered")}, ledger.Delivered, "", "read", 0, "++-"},
		{
			"undelivered, then delivered",
			[]event{answer("queued"), coded("undelivered", 30005), receipt("delivered")},
			ledger.Undelivered, "",
			"undelivered", 30005, "++-",
		},
		{"canceled", []event{answer("scheduled"), receipt("canceled")}, ledger.Failed, ledger.ReasonReceipt, "canceled", 0, "++"},
		{"of another message", []event{answer("queued"), toldOf(1, otherSid, "delivered", 0, toNobody)}, ledger.Sent, "", "queued", 0, "+-"},
		{
			"of no attempt",
			[]event{answer("queued"), toldOf(0, sid(1), "delivered", 0, toNobody), toldOf(2, sid(1), "delivered", 0, toNobody)},
			ledger.Sent, "", "queued", 0, "+--",
		},
		{"of a status unknown to us", []event{answer("queued"), receipt("teleported"), receipt("")}, ledger.Sent, "", "queued", 0, "+--"},
		{"of a status that is not an outbound message's", []event{answer("queued"), receipt("received")}, ledger.Sent, "", "received", 0, "++"},

		{"the POST failed, but Twilio has it", []event{receipt("sent"), failure}, ledger.Sent, "", "sent", 0, "+-"},
		{"the POST failed, and a receipt comes after all", []event{failure, receipt("delivered")}, ledger.Delivered, "", "delivered", 0, "++"},
		{"the same, on its way", []event{failure, receipt("queued")}, ledger.Sent, "", "queued", 0, "++"},
		{"an answer after the failure was recorded", []event{failure, failure}, ledger.Queued, "", "", 0, "+-"},
		{"a failure after the answer", []event{answer("queued"), failure}, ledger.Sent, "", "queued", 0, "+-"},

		{
			"the answer was lost, and a receipt comes",
			[]event{doubted(1), receipt("sent"), looked(1), found(1, otherSid, "queued"), concluded(1, park)},
			ledger.Sent, "", "sent", 0, "++---",
		},
		{"a receipt comes before the answer is lost", []event{receipt("sent"), doubted(1)}, ledger.Sent, "", "sent", 0, "+-"},
		{"delivered before the answer is lost", []event{receipt("delivered"), doubted(1)}, ledger.Delivered, "", "delivered", 0, "+-"},
		{"the answer comes after the lease", []event{doubted(1), looked(1), answer("queued"), looked(1)}, ledger.Sent, "", "queued", 0, "+++-"},
		{
			"the answer comes after it was found",
			[]event{doubted(1), found(1, sid(1), "queued"), answer("queued")},
			ledger.Sent,
			"", "queued", 0, "++-",
		},
		{
			"a receipt comes after it was found",
			[]event{doubted(1), found(1, sid(1), "queued"), receipt("delivered")},
			ledger.Delivered, "",
			"delivered", 0, "+++",
		},
		{
			"a receipt comes after it was parked",
			[]event{doubted(1), concluded(1, park), receipt("sent"), receipt("delivered")},
			ledger.Delivered,
			"", "delivered", 0, "++++",
		},

		{
			"a receipt before the timeout",
			[]event{answer("queued"), receipt("delivered"), timedOut(1)},
			ledger.Delivered, "",
			"delivered", 0, "++-",
		},
		{
			"a loss before the timeout",
			[]event{answer("queued"), undelivered(1, nextHop), timedOut(1)},
			ledger.Queued, ledger.ReasonNextHop,
			"undelivered", 30003, "++-",
		},
		{
			"the timeout before a delivery",
			[]event{answer("queued"), timedOut(1), receipt("delivered")},
			ledger.Delivered, "",
			"delivered", 0, "+++",
		},
		{
			"the timeout before a loss",
			[]event{answer("queued"), timedOut(1), undelivered(1, nextHop)},
			ledger.Queued,
			ledger.ReasonDeliveryTimeout, "undelivered", 30003, "+++",
		},
		{
			"the timeout before progress",
			[]event{answer("queued"), timedOut(1), receipt("sent"), answer("queued")},
			ledger.Queued,
			ledger.ReasonDeliveryTimeout, "sent", 0, "+++-",
		},
		{
			"the timeout twice",
			[]event{answer("queued"), timedOut(1), timedOut(1)},
			ledger.Queued,
			ledger.ReasonDeliveryTimeout, "queued", 0, "++-",
		},
		{"the timeout before the answer", []event{timedOut(1), answer("queued")}, ledger.Sent, "", "queued", 0, "-+"},

		{
			"a loss overtakes the answer, and goes onward",
			[]event{undelivered(1, nextHop), answer("queued")},
			ledger.Queued, ledger.ReasonNextHop,
			"undelivered", 30003, "+-",
		},
		{
			"a loss overtakes the failure, and goes onward",
			[]event{undelivered(1, nextHop), failure},
			ledger.Queued, ledger.ReasonNextHop,
			"undelivered", 30003, "+-",
		},
		{
			"a loss overtakes the doubt, and goes onward",
			[]event{undelivered(1, nextHop), doubted(1)},
			ledger.Queued, ledger.ReasonNextHop,
			"undelivered", 30003, "+-",
		},
		{
			"a loss twice",
			[]event{answer("queued"), undelivered(1, nextHop), undelivered(1, nextHop)},
			ledger.Queued, ledger.ReasonNextHop,
			"undelivered", 30003, "++-",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := race(t, in(t, "open"), tt.events, tt.changes)
			isIn(t, r, tt.state, tt.reason)
			last, _ := r.Current()
			wantSid := sid(1)
			if tt.status == "" {
				wantSid = ""
			}
			if last.Status != tt.status || last.ErrorCode != tt.code || last.OutboundSid != wantSid {
				t.Errorf("attempt has status %q, code %d, sid %q; want %q, %d, %q", last.Status, last.ErrorCode, last.OutboundSid,
					tt.status, tt.code, wantSid)
			}
			if last.Accepted() != (wantSid != "") || last.EndedAt.IsZero() {
				t.Errorf("attempt has outcome %q, ended at %v", last.Outcome, last.EndedAt)
			}
		})
	}
}

// race lets the events happen and checks which of them change the record ("+") and which return it as it was ("-").
func race(t *testing.T, r ledger.Record, events []event, changes string) ledger.Record {
	t.Helper()
	for i, happens := range events {
		next, changed, err := happens(r)
		if err != nil || changed != (changes[i] == '+') {
			t.Errorf("event %d: changed %v, error %v; want %c", i+1, changed, err, changes[i])
		}
		if !changed {
			same(t, "record that did not change", r, next)
		}
		if wrong := wrongMarks(next); wrong != "" {
			t.Errorf("after event %d: %s: %+v", i+1, wrong, next)
		}
		r = next
	}
	return r
}

// TestResentTwice: nobody knew what became of the first POST, it was sent again, and then receipts of both come.
func TestResentTwice(t *testing.T) {
	for _, tt := range []struct {
		name   string
		events []event
		state  ledger.State
		reason ledger.Reason
	}{
		{"the first is delivered", []event{told(1, "sent"), told(1, "delivered")}, ledger.Delivered, ""},
		{"the second is delivered", []event{told(2, "sent"), told(2, "delivered")}, ledger.Delivered, ""},
		{"both are", []event{told(1, "delivered"), told(2, "delivered")}, ledger.Delivered, ""},
		{"only the second is", []event{undelivered(1, toNobody), told(2, "delivered")}, ledger.Delivered, ""},
		{"only the first is", []event{undelivered(2, toNobody), told(1, "delivered")}, ledger.Delivered, ""},
		{"the first, after the second was lost", []event{told(1, "sent"), undelivered(2, toNobody), told(1, "delivered")}, ledger.Delivered, ""},
		{"neither is", []event{undelivered(1, toNobody), undelivered(2, toNobody)}, ledger.Undelivered, ""},
		{"neither is, the other way round", []event{undelivered(2, toNobody), undelivered(1, toNobody)}, ledger.Undelivered, ""},
		{"the second is not, and of the first nobody knows", []event{undelivered(2, toNobody)}, ledger.Uncertain, ledger.ReasonUnknownOutcome},
		{"the second is not, and the first is on its way", []event{told(1, "sent"), undelivered(2, toNobody)}, ledger.Sent, ""},
		{"the second is not, and then the first is on its way", []event{undelivered(2, toNobody), told(1, "sent")}, ledger.Sent, ""},
		{
			"the first is not, and the second goes to the next hop",
			[]event{undelivered(1, nextHop), undelivered(2, nextHop)},
			ledger.Queued,
			ledger.ReasonNextHop,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			isIn(t, play(t, in(t, "sent again"), tt.events), tt.state, tt.reason)
			// The receipts may also come before the answer to the second POST; it then says nothing new, or only that.
			r := play(t, in(t, "resend"), append([]event{claims(0)}, tt.events...))
			if r.State == ledger.Sending {
				r = play(t, r, []event{accepted(2, "queued")})
			}
			if got, _, err := accepted(2, "queued")(r); err != nil || got.State != r.State {
				t.Errorf("the answer moved the text from %q to %q", r.State, got.State)
			}
			isIn(t, r, tt.state, tt.reason)
		})
	}
}

// TestLossWhileALaterAttemptIsInDoubt: Twilio accepted what it refused, and says later that it was lost. Meanwhile the same phone may
// have got the attempt after it, so that the next phone is not texted, though the message to the first one may still come.
func TestLossWhileALaterAttemptIsInDoubt(t *testing.T) {
	r := after(t, claims(0), accepted(1, sms.StatusQueued), timedOut(1),
		claims(1), ended(2, busy, later), claims(1), doubted(3), told(2, sms.StatusSent), concluded(3, park))
	isIn(t, r, ledger.Sent, "")
	r = play(t, r, []event{undelivered(2, nextHop)})
	isIn(t, r, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	isIn(t, play(t, r, []event{told(1, sms.StatusDelivered)}), ledger.Delivered, "")
}

// TestLateReceiptsSettle: a text that waits for a look, or was given up, becomes delivered.
func TestLateReceiptsSettle(t *testing.T) {
	for _, tt := range []struct {
		from, want ledger.State
	}{
		{ledger.Uncertain, ledger.Delivered},
		{ledger.Queued, ledger.Delivered},
		{ledger.Sending, ledger.Delivered},
		// Final states stay; the attempt has the status.
		{ledger.Failed, ledger.Failed},
		{ledger.Dead, ledger.Dead},
	} {
		r := reach(t, tt.from)
		got := play(t, r, []event{told(1, sms.StatusDelivered)})
		last, _ := got.Current()
		if got.State != tt.want || last.Status != sms.StatusDelivered {
			t.Errorf("from %q: state %q, status %q; want %q, delivered", tt.from, got.State, last.Status, tt.want)
		}
		if wrong := wrongMarks(got); wrong != "" {
			t.Errorf("from %q: %s", tt.from, wrong)
		}
		if tt.from == tt.want && got.Reason != r.Reason {
			t.Errorf("from %q: reason %q became %q", tt.from, r.Reason, got.Reason)
		}
	}
}

// TestEndedAtStays: an attempt ends once, whatever is learned of it later.
func TestEndedAtStays(t *testing.T) {
	r, _, err := in(t, "open").End(1, busy, later, noon.Add(time.Second))
	if err != nil {
		t.Fatalf("End: %v", err)
	}
	for i, status := range []sms.Status{sms.StatusQueued, sms.StatusSent, sms.StatusDelivered} {
		receipt := sms.Receipt{Sid: sid(1), Status: status, CallbackRef: sms.CallbackRef{Attempt: 1}}
		r, _ = r.Apply(receipt, toNobody, noon.Add(time.Duration(i+1)*time.Hour))
		if last, _ := r.Current(); !last.EndedAt.Equal(stamped.Add(time.Second)) {
			t.Errorf("after the receipt %q the attempt ended at %v", status, last.EndedAt)
		}
	}
}

// TestAcceptKeepsAWaitingTextFromBeingSentAgain: a text whose attempt Twilio has accepted must not be claimed once more.
func TestAcceptKeepsAWaitingTextFromBeingSentAgain(t *testing.T) {
	for _, name := range []string{"waiting", "resend"} {
		r := play(t, in(t, name), []event{accepted(1, sms.StatusQueued)})
		if next, _ := r.Next(noon.Add(time.Hour)); r.State != ledger.Sent || next == ledger.StepClaim {
			t.Errorf("%s: after Accept state %q, next step %d; want sent, and no claim", name, r.State, next)
		}
	}
}

// TestAcceptOfAnEarlierAttemptLeavesTheCurrentOneOpen, as a receipt of an earlier attempt does: else the open attempt
// never gets its outcome, and no receipt of the accepted one moves the text on.
func TestAcceptOfAnEarlierAttemptLeavesTheCurrentOneOpen(t *testing.T) {
	got := play(t, in(t, "waiting"), []event{claims(0), accepted(1, sms.StatusQueued)})
	if got.State != ledger.Sending || got.LeaseUntil.IsZero() || !got.HeldBy("claim") {
		t.Errorf("state %q, lease until %v; want the second attempt's claim to stay", got.State, got.LeaseUntil)
	}
}

// TestAcceptWithAFinalStatus: a message that is found at Twilio may have come to its end already. The receipt that says
// the same again is no news, so that the text would be "sent" for ever.
func TestAcceptWithAFinalStatus(t *testing.T) {
	for status, want := range map[sms.Status]ledger.State{
		sms.StatusDelivered: ledger.Delivered, sms.StatusRead: ledger.Delivered, sms.StatusUndelivered: ledger.Undelivered,
		sms.StatusFailed: ledger.Failed, sms.StatusCanceled: ledger.Failed,
	} {
		answered := play(t, in(t, "open"), []event{accepted(1, status)})
		discovered := play(t, in(t, "doubted"), []event{found(1, sid(1), status)})
		for _, r := range []ledger.Record{answered, discovered} {
			r, changed, _ := told(1, status)(r)
			if r.State != want || changed {
				t.Errorf("after %q and the receipt of it: state %q, changed %v; want %q, no change", status, r.State, changed, want)
			}
		}
	}
}
