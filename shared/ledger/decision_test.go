package ledger_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// as is byAda as the record keeps it.
func as(what ledger.Verdict) ledger.Decision {
	return ledger.Decision{What: what, By: byAda.By, Note: byAda.Note, At: stamped}
}

func TestAttest(t *testing.T) {
	for name, tt := range map[string]struct {
		receipt sms.Receipt
		state   ledger.State
		reason  ledger.Reason
	}{
		"on its way":  {sms.Receipt{Status: sms.StatusSent}, ledger.Sent, ""},
		"delivered":   {sms.Receipt{Status: sms.StatusDelivered}, ledger.Delivered, ""},
		"undelivered": {sms.Receipt{Status: sms.StatusUndelivered, ErrorCode: 30003}, ledger.Undelivered, ""},
		"failed":      {sms.Receipt{Status: sms.StatusFailed, ErrorCode: 30007}, ledger.Failed, ledger.ReasonReceipt},
	} {
		t.Run(name, func(t *testing.T) {
			r := in(t, "uncertain")
			tt.receipt.Sid, tt.receipt.Attempt = sid(1), 1
			got, changed := r.Attest(tt.receipt, byAda, noon)
			if !changed {
				t.Fatal("Attest changed nothing")
			}
			isIn(t, got, tt.state, tt.reason)
			same(t, "decision", as(ledger.VerdictSent), got.Decision)
			a := got.Attempts[0]
			if a.Outcome != ledger.OutcomeAccepted || !a.Found || a.OutboundSid != sid(1) || a.Status != tt.receipt.Status ||
				a.ErrorCode != tt.receipt.ErrorCode {
				t.Errorf("attempt %+v", a)
			}
		})
	}
}

// Whose message it was is an operator's opinion: a receipt of the attempt's own message overrides it.
func TestReceiptOverridesAnOperatorsWord(t *testing.T) {
	r := play(t, in(t, "uncertain"), []event{attested(1, sms.StatusSent)})
	got, changed := r.Apply(sms.Receipt{Sid: otherSid, Status: sms.StatusDelivered, CallbackRef: sms.CallbackRef{Attempt: 1}}, toNobody, noon)
	if a := got.Attempts[0]; !changed || a.OutboundSid != otherSid || a.Found {
		t.Errorf("changed %v, attempt %+v", changed, a)
	}
	isIn(t, got, ledger.Delivered, "")
}

func TestResend(t *testing.T) {
	r := play(t, in(t, "uncertain"), []event{ordered})
	isIn(t, r, ledger.Queued, ledger.ReasonResendOrder)
	same(t, "decision", as(ledger.VerdictResend), r.Decision)
	if !r.NotBefore.Equal(stamped) || r.RedrivenAfter != 1 || r.AttemptsSpentOn(hop(0)) != 0 || !r.DueSince().Equal(stamped) || !r.InDoubt() {
		t.Errorf("record %+v", r)
	}
	// It goes out, and Twilio takes it; of the first POST still nobody knows.
	r = play(t, r, []event{claims(0), accepted(2, sms.StatusQueued)})
	isIn(t, r, ledger.Sent, "")
	// The same order, come a second time, finds more attempts than it knows of.
	if _, changed, err := r.Resend(ledger.Order{Attempts: 1, Decision: byAda}, noon); changed || err != nil {
		t.Errorf("a repeat changed the record: %v, error %v", changed, err)
	}
	// If it is refused now, nobody may say that it failed.
	r = play(t, in(t, "uncertain"), []event{ordered, claims(0), ended(2, blocked, refused)})
	isIn(t, r, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	if _, changed, err := r.Resend(ledger.Order{Attempts: 1, Decision: byAda}, noon); changed || err != nil {
		t.Errorf("an old order sends it again: %v, error %v", changed, err)
	}
}

// TestResendOfAnEndedText: a text that reached nobody goes along its route again, from the first phone on.
func TestResendOfAnEndedText(t *testing.T) {
	for _, situation := range []string{"undelivered", "failed", "dropped"} {
		t.Run(situation, func(t *testing.T) {
			old := in(t, situation)
			r := play(t, old, []event{ordered})
			isIn(t, r, ledger.Queued, ledger.ReasonResendOrder)
			same(t, "decision", as(ledger.VerdictResend), r.Decision)
			if r.RedrivenAfter != current(old) || r.AttemptsSpentOn(hop(0)) != 0 || !r.HopOpen(hop(0)) || !r.NotBefore.Equal(stamped) ||
				!r.DueSince().Equal(stamped) {
				t.Errorf("record %+v", r)
			}
			// It is dropped before it has any attempt: the same order, come a second time, must not bring it back.
			again := play(t, r, []event{dropped(ledger.ReasonNoRoute)})
			if _, changed, err := again.Resend(old.Order(byAda), noon.Add(time.Hour)); changed || err != nil {
				t.Errorf("an old order sends it again: changed %v, error %v", changed, err)
			}
			isIn(t, play(t, again, []event{ordered}), ledger.Queued, ledger.ReasonResendOrder)
		})
	}
}

// TestResendOpensPhonesAgain: what refused or missed the text before is tried again.
func TestResendOpensPhonesAgain(t *testing.T) {
	r := after(t, claims(0), accepted(1, sms.StatusQueued), undelivered(1, nextHop), claims(1), ended(2, blocked, refused))
	isIn(t, r, ledger.Failed, ledger.ReasonRefused)
	if r.HopOpen(hop(0)) {
		t.Fatal("the first phone is open before the order")
	}
	r = play(t, r, []event{ordered})
	if !r.HopOpen(hop(0)) || !r.HopOpen(hop(1)) || !r.Attempts[0].Status.Lost() {
		t.Errorf("attempts %+v", r.Attempts)
	}
}

// TestOrderForATakenText: a text that Twilio has after all is not sent again, but if its message is lost now, it goes on as one that
// is: earlier attempts do not count, and its age counts from the order.
func TestOrderForATakenText(t *testing.T) {
	for name, events := range map[string][]event{
		"redriven": {claims(0), ended(1, busy, later), buried, told(1, sms.StatusSent), redriven},
		"ordered":  {claims(0), ended(1, blocked, refused), told(1, sms.StatusSent), ordered},
	} {
		t.Run(name, func(t *testing.T) {
			r := after(t, events...)
			isIn(t, r, ledger.Sent, "")
			if r.RedrivenAfter != 1 || !r.RedrivenAt.Equal(stamped) || r.AttemptsSpentOn(hop(0)) != 0 || !r.NotBefore.IsZero() {
				t.Errorf("record %+v", r)
			}
			isIn(t, play(t, r, []event{undelivered(1, nextHop)}), ledger.Queued, ledger.ReasonNextHop)
		})
	}
}

// TestLossBeforeAnOrder: a receipt that an earlier message is lost does not take an ordered or redriven text off the queue.
func TestLossBeforeAnOrder(t *testing.T) {
	for name, events := range map[string][]event{
		"ordered":  {claims(0), ended(1, blocked, refused), ordered},
		"redriven": {claims(0), ended(1, busy, later), buried, redriven},
		"in doubt": {claims(0), doubted(1), concluded(1, park), ordered},
	} {
		t.Run(name, func(t *testing.T) {
			r := play(t, after(t, events...), []event{undelivered(1, toNobody)})
			if r.State != ledger.Queued || r.NotBefore.IsZero() {
				t.Errorf("the text is %s (%s)", r.State, r.Reason)
			}
			isIn(t, play(t, r, []event{claims(0), accepted(2, sms.StatusDelivered)}), ledger.Delivered, "")
		})
	}
}

func TestAbandon(t *testing.T) {
	r := play(t, in(t, "uncertain"), []event{abandoned})
	isIn(t, r, ledger.Uncertain, ledger.ReasonGivenUp)
	same(t, "decision", as(ledger.VerdictGiveUp), r.Decision)
	if _, changed := r.Abandon(byAda, noon.Add(time.Hour)); changed {
		t.Error("it was given up twice")
	}
	// Nothing is final about it.
	isIn(t, play(t, r, []event{told(1, sms.StatusDelivered)}), ledger.Delivered, "")
	isIn(t, play(t, r, []event{attested(1, sms.StatusSent)}), ledger.Sent, "")
	isIn(t, play(t, r, []event{ordered}), ledger.Queued, ledger.ReasonResendOrder)
}

func TestDropLetter(t *testing.T) {
	r := play(t, in(t, "dead"), []event{letterDropped})
	isIn(t, r, ledger.Dead, ledger.ReasonAttemptsExhausted)
	same(t, "decision", as(ledger.VerdictLetterDropped), r.Decision)
	// A copy of the letter.
	if _, changed := r.DropLetter(byAda, noon.Add(time.Hour)); changed {
		t.Error("the copy of the letter was noted as well")
	}
	// A later death has a letter of its own, or the letter was put back.
	r, _ = in(t, "dead").DropLetter(byAda, noon.Add(-time.Hour))
	r, changed := play(t, r, []event{redriven, claims(0), ended(2, busy, later), buried}).DropLetter(byAda, noon)
	if at := r.Decision.At; !changed || !at.Equal(stamped) {
		t.Errorf("changed %v, decided at %v", changed, at)
	}
	isIn(t, r, ledger.Dead, ledger.ReasonAttemptsExhausted)
}
