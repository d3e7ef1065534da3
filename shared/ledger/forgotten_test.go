package ledger_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// TestForget: nothing of what a text said is left, and nothing sends it again.
func TestForget(t *testing.T) {
	const customer = sms.PhoneNumber("+13125550147")
	told := ledger.Record{
		MessageSid: sid(1), State: ledger.Undelivered, Version: 3, TwilioNumber: "+18585550100", Customer: customer, Destination: customer,
		Body: "my sofa", Media: []sms.Media{{URL: "https://api.twilio.com/sofa"}}, Slot: ledger.Slot{To: customer},
		Answer:   ledger.Answer{Phone: hop(0), Words: "my sofa", Tells: "the sofa"},
		Attempts: []ledger.Attempt{{Number: 1, To: customer, Header: "A05 Ann: ", Outcome: ledger.OutcomeAccepted, OutboundSid: sid(2)}},
		Folded:   ledger.Folded{Attempts: 1, Phones: []ledger.FoldedPhone{{To: customer}}},
	}
	for _, state := range []ledger.State{ledger.Undelivered, ledger.Failed, ledger.Dropped, ledger.Dead} {
		told.State = state
		r, changed := ledger.Forget(told, customer, ledger.Decision{By: "ada"}, noon)
		text, err := json.Marshal(r)
		if err != nil || !changed || !ledger.IsForgotten(r) {
			t.Fatalf("changed %v, error %v", changed, err)
		}
		for _, word := range []string{"sofa", "Ann", "3125550147"} {
			if strings.Contains(string(text), word) {
				t.Errorf("%q is still there: %s", word, text)
			}
		}
		if r.Customer.Mask() != customer.Mask() || r.State != state || r.Attempts[0].OutboundSid != sid(2) || told.Attempts[0].Header == "" {
			t.Errorf("got %+v", r)
		}
		if _, changed := ledger.Forget(r, customer, ledger.Decision{By: "bob"}, noon); changed {
			t.Error("it was forgotten twice")
		}
		if _, changed, err := r.Resend(r.Order(ledger.Decision{}), noon); changed || err != nil {
			t.Errorf("%s: an order sends it again, error %v", state, err)
		}
		if _, changed, err := r.Redrive(r.Made(), noon); changed || err != nil {
			t.Errorf("%s: its letter sends it again, error %v", state, err)
		}
	}
	told.State, told.UpdatedAt = ledger.Sent, noon
	if why := ledger.WhetherKept(told, noon.Add(71*time.Hour)); why != ledger.KeptUnderWay {
		t.Errorf("a text that was just sent: %q", why)
	}
	if why := ledger.WhetherKept(told, noon.Add(73*time.Hour)); why != "" {
		t.Errorf("a text without a receipt: %q", why)
	}
	r, _ := ledger.Forget(told, customer, ledger.Decision{By: "ada"}, noon)
	if _, late := r.TimeOut(1, noon.Add(time.Hour)); late {
		t.Error("its timer sends it to the next phone")
	}
	lost := sms.Receipt{Sid: sid(2), Status: sms.StatusUndelivered, CallbackRef: sms.CallbackRef{Attempt: 1}}
	if r, changed := r.Apply(lost, nextHop, noon); !changed || r.State != ledger.Undelivered {
		t.Errorf("a late receipt: changed %v, %s", changed, r.State)
	}
}

// TestEndForgotten: what came back with an older backup ends, by the state machine.
func TestEndForgotten(t *testing.T) {
	for _, state := range append(ledger.States(), "") {
		r, err := ledger.EndForgotten(ledger.Record{MessageSid: sid(1), State: state}, noon)
		if err != nil || r.State != state && !state.MayBecome(r.State) {
			t.Errorf("%s became %s, error %v", state, r.State, err)
		}
		if why := ledger.WhetherKept(r, noon.Add(100*time.Hour)); why != "" && state != ledger.Dead {
			t.Errorf("%s is still needed: %s", state, why)
		}
	}
}

func TestPseudonym(t *testing.T) {
	for _, number := range []sms.PhoneNumber{"+13125550147", "24365", "QuickDump", "whatsapp:+13125550147", ""} {
		if hidden := sms.Pseudonym(number); hidden.Mask() != number.Mask() || strings.Contains(string(hidden), "5550147") {
			t.Errorf("%s became %s", string(number), string(hidden))
		}
	}
}
