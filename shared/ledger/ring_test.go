package ledger_test

import (
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// rungAs returns the records of a text to its phones, in these states; "-" is one that does not exist yet.
func rungAs(states string) []ledger.Record {
	var all []ledger.Record
	for state := range strings.FieldsSeq(states) {
		r := ledger.Record{MessageSid: ledger.StageSid(relaytest.MessageSid(1), 0, len(all)), State: ledger.State(state)}
		switch r.State {
		case "-":
			r.State = ""
		case ledger.Uncertain:
			r.Reason = ledger.ReasonUnknownOutcome
		case ledger.Failed:
			r.Reason = ledger.ReasonRefused
		case ledger.Dead:
			r.Reason = ledger.ReasonAttemptsExhausted
		case ledger.Dropped:
			r.Reason = ledger.ReasonExpired
		case ledger.Queued, ledger.Sending, ledger.Sent, ledger.Delivered, ledger.Undelivered:
		}
		all = append(all, r)
	}
	return all
}

// What follows for a text from its records to each phone, for every pair of states.
func TestOfRing(t *testing.T) {
	// Each of these wins over those behind it. The first three are the same for the text.
	order := []string{"delivered", "sent", "sending", "queued", "-", "uncertain", "undelivered", "failed", "dead", "dropped"}
	for i, one := range order {
		for _, other := range order[i:] {
			for _, states := range []string{one + " " + other, other + " " + one, other + " " + one + " " + other} {
				want := ledger.State(one)
				if i >= 2 && i <= 4 {
					want = ledger.Queued
				}
				if got, _ := ledger.OfRing(rungAs(states)); got != want {
					t.Errorf("%s: %s, want %s", states, got, want)
				}
			}
		}
	}
	for states, want := range map[string]ledger.Reason{
		"queued dead": ledger.ReasonRing, "sent failed": "", "failed uncertain": ledger.ReasonUnknownOutcome,
		"dropped failed": ledger.ReasonRefused, "dead dropped": ledger.ReasonAttemptsExhausted, "dropped": ledger.ReasonExpired,
	} {
		if _, got := ledger.OfRing(rungAs(states)); got != want {
			t.Errorf("%s: %s, want %s", states, got, want)
		}
	}
}

// Where a text goes from each state when one of its records has news.
func TestSettle(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		from, phones string
		hasNext      bool
		want         string // "=" if only the record changes, "" if nothing does.
	}{
		{"ringing", "sent sent", false, "sent"},
		{"ringing", "delivered queued", false, "delivered"},
		{"ringing", "sent -", false, "="},
		{"ringing", "undelivered sending", true, "="},
		{"ringing", "failed undelivered", false, "undelivered"},
		{"ringing", "failed undelivered", true, "queued"},
		{"ringing", "dead failed", true, "queued"},
		{"ringing", "dead dead", true, "dead"},
		{"ringing", "dropped dropped", false, "dropped"},
		{"ringing", "uncertain failed", true, "uncertain"},
		{"sent", "sent undelivered", true, ""},
		{"sent", "undelivered delivered", false, "delivered"},
		{"sent", "undelivered failed", false, "undelivered"},
		{"sent", "undelivered failed", true, "queued"},
		{"sent", "undelivered queued", true, ""},
		{"sent", "dead dead", false, "failed"},
		{"dead", "dropped dropped", false, "failed"},
		{"dead", "dropped dropped", true, "failed"},
		{"dead", "dropped dead", false, ""},
		{"dead", "queued dropped", false, ""},
		{"dead", "uncertain dropped", true, "uncertain"},
		{"dead", "uncertain dead", false, "uncertain"},
		{"sent", "uncertain undelivered", true, "uncertain"},
		{"uncertain", "sent undelivered", false, "sent"},
		{"uncertain", "undelivered undelivered", false, "undelivered"},
		{"undelivered", "failed failed", true, ""},
		{"undelivered", "sent failed", true, "sent"},
		{"failed", "uncertain failed", true, ""},
		{"failed", "delivered failed", true, "delivered"},
		{"dead", "dead sent", false, "sent"},
		{"dead", "failed failed", true, "failed"},
		{"delivered", "undelivered undelivered", true, ""},
		{"dropped", "delivered dropped", false, "delivered"},
		// The text goes in turn: its own attempt decides, unless a phone of the ring has it.
		{"next_hop", "undelivered undelivered", true, ""},
		{"next_hop", "sent undelivered", true, ""},
		{"next_hop", "delivered undelivered", true, "delivered"},
	} {
		r := relaytest.Record(1, now)
		r.Version, r.State, r.Ring.Phones = 1, ledger.State(tt.from), []sms.PhoneNumber{relaytest.Destination, relaytest.Fallback}
		switch tt.from {
		case "ringing":
			r.State, r.Reason = ledger.Queued, ledger.ReasonRing
		case "next_hop":
			r.State, r.Reason = ledger.Queued, ledger.ReasonNextHop
		}
		got, changed, err := r.Settle(rungAs(tt.phones), tt.hasNext, now)
		said := string(got.State)
		switch {
		case !changed:
			said = ""
		case got.State == r.State && got.Reason == r.Reason:
			said = "="
		}
		if err != nil || said != tt.want {
			t.Errorf("%s with %s, next %v: %q, error %v; want %q", tt.from, tt.phones, tt.hasNext, said, err, tt.want)
		}
	}
}

// A text that went on in turn after its ring is where its own attempts have brought it, unless a phone of the ring does better.
func TestSettleWithOwnAttempts(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	r := relaytest.Record(1, now)
	r.Version, r.State, r.Ring.Phones = 1, ledger.Sent, []sms.PhoneNumber{relaytest.Destination, relaytest.Fallback}
	r.Attempts = []ledger.Attempt{{Number: 1, To: "+18585550144", Outcome: ledger.OutcomeAccepted, OutboundSid: relaytest.OutboundSid(1)}}
	if got, changed, err := r.Settle(rungAs("undelivered failed"), true, now); changed || err != nil {
		t.Errorf("it moved to %s (%v)", got.State, err)
	}
	refused := r
	refused.Attempts = []ledger.Attempt{{Number: 1, To: "+18585550144", Outcome: fault.Permanent.String()}}
	if got, changed, err := refused.Settle(rungAs("failed failed"), true, now); !changed || err != nil || got.State != ledger.Failed {
		t.Errorf("refused for good, and lost at a phone of the ring: it is %s (%s), error %v", got.State, got.Reason, err)
	}
	if whole := r.OfPhones(rungAs("undelivered failed")); whole.State != ledger.Sent || len(whole.Attempts) != 1 {
		t.Errorf("with its phones it is %s", whole.State)
	}
}

// A phone of the ring gets the text by its own record only, until an operator has the text itself sent again.
func TestPhonesOfARingAreClosed(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	phones := []sms.PhoneNumber{relaytest.Destination, relaytest.Fallback}
	r, err := relaytest.Record(1, now).StartRing(phones, now)
	if err != nil || !r.IsRinging() || r.HopOpen(relaytest.Destination) || !r.HopOpen("+18585550144") {
		t.Fatalf("%+v, error %v", r, err)
	}
	one := r.ToPhone(1, now)
	if !one.IsRung() || r.IsRung() || one.Destination != relaytest.Fallback || one.MessageSid != r.MessageSid+"/e0/2" || one.Step() != 0 {
		t.Errorf("record to a phone: %+v", one)
	}
	for _, sid := range []string{ledger.StageSid(r.MessageSid, 1, 0), ledger.GivenSid(r.MessageSid, "SM2"), one.MessageSid + "/p2"} {
		if other := (ledger.Record{MessageSid: sid, ParentSid: ledger.ParentOf(sid)}); other.IsRung() != strings.HasPrefix(sid, one.MessageSid) {
			t.Errorf("%s is one of the ring", sid)
		}
	}
	lost, _, err := r.Settle(rungAs("failed failed"), false, now)
	if err != nil {
		t.Fatal(err)
	}
	resent, changed, err := lost.Resend(lost.Order(ledger.Decision{By: "ada"}), now.Add(time.Hour))
	if !changed || err != nil || !resent.HopOpen(relaytest.Destination) || !resent.Ring.IsOver {
		t.Errorf("sent again: %+v, error %v", resent, err)
	}
	if _, err := (ledger.Record{State: ledger.Sent}).StartRing(phones, now); err == nil {
		t.Error("a text that was sent rings")
	}
}
