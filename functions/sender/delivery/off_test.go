package delivery_test

import (
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// off is what a phone is told that is off for two hours.
const off2h = "/off: you get no customers' texts for 2h. /on ends that, and so does /undo for an hour."

// A phone that is off gets no text, not even as the next one after a failure, until it is over.
func TestOffPhoneGetsNoText(t *testing.T) {
	s := impatient(t)
	s.hears(1, relaytest.Destination, "/off 2h")
	s.checkSent(toPhone + off2h)
	s.hears(2, relaytest.Customer, "Is anybody there?")
	s.checkSent(toFallback + customerAs + "Is anybody there?")
	// The next stages pass it over, too.
	s.until(15*time.Minute + 10*time.Second)
	s.checkSent(toThird + customerAs + "Is anybody there?")
	s.until(119 * time.Minute)
	s.checkSent()
	s.hears(3, third, "A05 Me")
	s.checkSent(toCustomer+"Me", toFallback+"…0144 has "+firstTag+".")
	s.until(121 * time.Minute)
	s.hears(4, other, "Hello")
	if got := s.sent(); len(got) != 1 || !strings.HasPrefix(got[0], toPhone) {
		t.Errorf("once it is over, sent %q, want it to the first phone", got)
	}
	s.checkSealed()
}

// Who goes off lets go of the customers that he has: one who waits goes on at once, and the next text of one who does not goes to others.
func TestOffLetsGo(t *testing.T) {
	for _, hasStages := range []bool{true, false} {
		s := impatient(t)
		s.reroute(func(r *route.Route) {
			if !hasStages {
				r.AnswerTimeout, r.ClaimTime = 0, route.Duration(time.Hour)
			}
		})
		s.hears(1, relaytest.Customer, "Is anybody there?")
		s.hears(2, relaytest.Destination, "/mine A05")
		s.hears(3, other, "Hello")
		s.until(time.Minute)
		s.hears(4, relaytest.Destination, "A18 Hi")
		s.sent()
		s.until(2 * time.Minute)
		s.hears(5, relaytest.Destination, "/off 2h")
		s.until(2*time.Minute + 10*time.Second)
		s.checkSent(toPhone+off2h, toFallback+customerAs+"Is anybody there?")
		c := s.conversation()
		if c.Claim.EndedAt.IsZero() {
			t.Errorf("with stages %v: the claim is %+v, want it ended", hasStages, c.Claim)
		}
		s.until(3 * time.Minute)
		s.hears(6, other, "Hello again")
		s.checkSent(toFallback + "A18 " + string(other) + ": Hello again")
		s.checkSealed()
	}
}

// The last phone on duty stays, and is told so. /on and /undo bring a phone back.
func TestOffOfTheLastPhone(t *testing.T) {
	s := newSender(t)
	s.reroute(func(r *route.Route) {
		r.FallbackCarriers, r.TimeZone = []sms.PhoneNumber{relaytest.Fallback}, "America/Los_Angeles"
	})
	const ann, bo = string(relaytest.Destination), string(relaytest.Fallback)
	for i, step := range []struct{ from, says, reads string }{
		{ann, "/off 30s", toPhone + "/off: not done: say for how long, as /off 2h, or until when, "},
		{ann, "/OFF until 18:00", toPhone + "/off: you get no customers' texts until Tue 18:00."},
		{bo, "/off 1h", toFallback + "/off: not done: nobody else is on duty on Tue 04:00."},
		{bo, "/undo", toFallback + "/undo: there is nothing of the last hour to take back."},
		{ann, "/undo", toPhone + "/undo: /off is taken back."},
		{ann, "/undo", toPhone + "/undo: there is nothing of the last hour to take back."},
		{bo, "/off 1h", toFallback + "/off: you get no customers' texts until Tue 05:00."},
		{ann, "/off 1h", toPhone + "/off: not done: nobody else is on duty on Tue 04:00."},
		{bo, "/on", toFallback + "/on: you get customers' texts again whenever you are on duty."},
		{ann, "/on now", toPhone + "/on is no command, or lacks something; it was not sent. "},
	} {
		s.hears(i+1, sms.PhoneNumber(step.from), step.says)
		if got := s.sent(); len(got) != 1 || !strings.HasPrefix(got[0], step.reads) {
			t.Errorf("after %q sent %q, want %q", step.says, got, step.reads)
		}
		s.checkState(i+1, ledger.Dropped, ledger.ReasonInstruction)
	}
	found, err := s.routes.Lookup(t.Context(), relaytest.TwilioNumber)
	if err != nil || len(found[relaytest.TwilioNumber].Off) != 0 {
		t.Errorf("off are %v, error %v", found[relaytest.TwilioNumber].Off, err)
	}
}
