package ledger_test

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const otherSid = "SM0000000000000000000000000000beef"

func TestDoubt(t *testing.T) {
	r := in(t, "open")
	want := r
	want.LeaseUntil, want.NotBefore, want.UpdatedAt = time.Time{}, stamped.Add(3*time.Second), stamped.Add(time.Second)
	a := r.Attempts[0]
	a.Outcome, a.EndedAt, a.Error = "unknown", stamped.Add(time.Second), "connection reset"
	want.Attempts = []ledger.Attempt{a}
	got, changed := r.Doubt(1, lost, noon.Add(3*time.Second), noon.Add(time.Second))
	if !changed {
		t.Fatal("Doubt changed nothing")
	}
	same(t, "doubted record", want, got)
}

func TestLooked(t *testing.T) {
	r := in(t, "doubted")
	for looks := 1; looks <= 3; looks++ {
		want := r
		want.NotBefore, want.UpdatedAt = stamped.Add(time.Duration(looks)*time.Minute), stamped.Add(time.Second)
		a := r.Attempts[0]
		a.Looks = looks
		want.Attempts = []ledger.Attempt{a}
		got, changed := r.Looked(1, noon.Add(time.Duration(looks)*time.Minute), noon.Add(time.Second))
		if !changed {
			t.Fatal("Looked changed nothing")
		}
		same(t, "record after a look", want, got)
		r = got
	}
}

func TestDiscover(t *testing.T) {
	r := in(t, "doubted")
	want := r
	want.State, want.NotBefore, want.UpdatedAt = ledger.Sent, time.Time{}, stamped.Add(time.Second)
	a := r.Attempts[0]
	a.Outcome, a.OutboundSid, a.Status, a.Looks, a.Found = ledger.OutcomeAccepted, sid(1), sms.StatusQueued, 1, true
	want.Attempts = []ledger.Attempt{a}
	got, changed := r.Discover(1, sid(1), sms.StatusQueued, noon.Add(time.Second))
	if !changed {
		t.Fatal("Discover changed nothing")
	}
	same(t, "record after the discovery", want, got)
	if r.Attempts[0].Looks != 0 || r.Attempts[0].Found {
		t.Error("Discover changed the record it was asked of")
	}
}

func TestConclude(t *testing.T) {
	for _, tt := range []struct {
		onward ledger.Onward
		due    time.Time
	}{
		{park, time.Time{}},
		{ledger.Onward{To: ledger.Uncertain, Reason: ledger.ReasonAmbiguous}, time.Time{}},
		{resend, stamped},
		{nextHop, stamped},
	} {
		r := play(t, in(t, "doubted"), []event{looked(1), looked(1)})
		want := r
		want.State, want.Reason, want.NotBefore, want.UpdatedAt = tt.onward.To, tt.onward.Reason, tt.due, stamped.Add(time.Second)
		a := r.Attempts[0]
		a.Looks, a.HopDone = 3, tt.onward.HopDone
		want.Attempts = []ledger.Attempt{a}
		got, changed, err := r.Conclude(1, tt.onward, noon.Add(time.Second))
		if err != nil || !changed {
			t.Fatalf("Conclude: changed %v, error %v", changed, err)
		}
		same(t, "concluded record", want, got)
	}
}

// TestFailureAfterADoubt: the sender was only slow. Twilio refused the POST, so that there is nothing to look for and
// nothing uncertain.
func TestFailureAfterADoubt(t *testing.T) {
	r := play(t, in(t, "doubted"), []event{looked(1)})
	got, changed, err := r.End(1, blocked, refused, noon.Add(time.Minute))
	if err != nil || !changed {
		t.Fatalf("End: changed %v, error %v", changed, err)
	}
	isIn(t, got, ledger.Failed, ledger.ReasonRefused)
	last, _ := got.Current()
	if last.Outcome != "permanent" || last.ErrorCode != 21610 || last.Error != "recipient opted out" ||
		!last.EndedAt.Equal(stamped.Add(time.Minute)) {
		t.Errorf("attempt %+v, want the refusal", last)
	}
	again := play(t, r, []event{ended(1, busy, later)})
	if next, _ := again.Next(noon.Add(time.Hour)); again.State != ledger.Queued || next != ledger.StepClaim {
		t.Errorf("after a busy server the text is %q, next step %d; want it queued, and claimed again", again.State, next)
	}
}

// TestFailureAfterTheDoubtIsOver: the decision on the doubt stays.
func TestFailureAfterTheDoubtIsOver(t *testing.T) {
	for _, r := range []ledger.Record{
		in(t, "uncertain"), in(t, "resend"),
		play(t, in(t, "doubted"), []event{found(1, otherSid, sms.StatusQueued)}),
	} {
		got, changed, err := r.End(1, blocked, refused, noon)
		if changed || err != nil {
			t.Errorf("in state %q: changed %v, error %v", r.State, changed, err)
		}
		same(t, "record that did not change", r, got)
	}
}

// TestReceiptsSettleADoubt, whenever they come: while it is looked for, when it is parked, and when it waits to go again.
func TestReceiptsSettleADoubt(t *testing.T) {
	for _, name := range []string{"doubted", "uncertain", "resend"} {
		for status, want := range map[sms.Status]ledger.State{
			sms.StatusQueued: ledger.Sent, sms.StatusSent: ledger.Sent, "teleported": ledger.Sent, sms.StatusDelivered: ledger.Delivered,
			sms.StatusUndelivered: ledger.Undelivered, sms.StatusFailed: ledger.Failed, sms.StatusCanceled: ledger.Failed,
		} {
			r := play(t, in(t, name), []event{told(1, status)})
			if last, _ := r.Current(); r.State != want || !last.Accepted() || last.Found {
				t.Errorf("%s, receipt %q: state %q, attempt %+v; want %q", name, status, r.State, last, want)
			}
			if next, _ := r.Next(noon.Add(time.Hour)); next != ledger.StepDone {
				t.Errorf("%s, receipt %q: next step %d, want nothing to be done", name, status, next)
			}
		}
	}
}

// TestReceiptOfAPhoneThatWasGivenUp settles a parked text as well, if it is what the doubt is about.
func TestReceiptOfAPhoneThatWasGivenUp(t *testing.T) {
	onward := ledger.Onward{To: ledger.Uncertain, Reason: ledger.ReasonAmbiguous, HopDone: true}
	isIn(t, play(t, in(t, "doubted"), []event{concluded(1, onward), told(1, sms.StatusSent)}), ledger.Sent, "")
}

// TestAReceiptWithoutACodeKeepsTheFailures: it says why the outcome was unknown.
func TestAReceiptWithoutACodeKeepsTheFailures(t *testing.T) {
	broken := &fault.Error{Kind: fault.Unknown, Code: 20500, HTTPStatus: 500}
	r, _ := in(t, "open").Doubt(1, broken, noon, noon)
	if last, _ := play(t, r, []event{told(1, sms.StatusSent)}).Current(); last.ErrorCode != 20500 || last.HTTPStatus != 500 {
		t.Errorf("code %d, status %d; want those of the POST, 20500 and 500", last.ErrorCode, last.HTTPStatus)
	}
}

// TestAnswerSettlesADoubt: the sender was only slow; its lease had lapsed.
func TestAnswerSettlesADoubt(t *testing.T) {
	for _, name := range []string{"doubted", "uncertain", "resend"} {
		isIn(t, play(t, in(t, name), []event{accepted(1, sms.StatusQueued)}), ledger.Sent, "")
	}
}

// TestAReceiptKnowsBetterThanALook: the message that was found was another's.
func TestAReceiptKnowsBetterThanALook(t *testing.T) {
	wrong := play(t, in(t, "doubted"), []event{found(1, otherSid, sms.StatusQueued), toldOf(1, otherSid, sms.StatusSent, 0, toNobody)})
	for _, tt := range []struct {
		name   string
		events []event
		state  ledger.State
		status sms.Status
		code   int
	}{
		{"and is on its way", []event{told(1, sms.StatusQueued)}, ledger.Sent, "queued", 0},
		{"and was delivered", []event{told(1, sms.StatusDelivered)}, ledger.Delivered, "delivered", 0},
		{"and was not delivered", []event{undelivered(1, toNobody)}, ledger.Undelivered, "undelivered", 30003},
		{"and goes to the next hop", []event{undelivered(1, nextHop)}, ledger.Queued, "undelivered", 30003},
		{"and the POST's own answer comes", []event{accepted(1, sms.StatusAccepted)}, ledger.Sent, "accepted", 0},
		// The other's end is not this one's.
		{
			"which was not delivered",
			[]event{toldOf(1, otherSid, sms.StatusUndelivered, 30005, nextHop), told(1, sms.StatusDelivered)},
			ledger.Delivered, "delivered", 0,
		},
		{
			"which failed, and is to be tried again",
			[]event{toldOf(1, otherSid, sms.StatusFailed, 30008, later), told(1, sms.StatusSent)},
			ledger.Sent, "sent", 0,
		},
		{
			"which was delivered",
			[]event{toldOf(1, otherSid, sms.StatusDelivered, 0, toNobody), undelivered(1, nextHop)},
			ledger.Delivered,
			"undelivered", 30003,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := play(t, wrong, tt.events)
			last, _ := r.Current()
			if r.State != tt.state || last.OutboundSid != sid(1) || last.Found || last.Status != tt.status || last.ErrorCode != tt.code {
				t.Errorf("state %q, attempt %+v; want %q, %q, code %d, found no more", r.State, last, tt.state, tt.status, tt.code)
			}
		})
	}
}

// TestTheOwnWordStands: what Twilio said of this very attempt is not overridden.
func TestTheOwnWordStands(t *testing.T) {
	for _, r := range []ledger.Record{
		in(t, "sent"),
		play(t, in(t, "doubted"), []event{found(1, otherSid, sms.StatusQueued), told(1, sms.StatusSent)}),
		play(t, in(t, "doubted"), []event{told(1, sms.StatusQueued)}),
	} {
		for _, happens := range []event{
			toldOf(1, otherSid, sms.StatusDelivered, 0, toNobody), found(1, otherSid, sms.StatusDelivered),
			concluded(1, park), looked(1),
		} {
			got, changed, err := happens(r)
			if changed || err != nil {
				t.Errorf("in state %q: changed %v, error %v", r.State, changed, err)
			}
			same(t, "record that did not change", r, got)
		}
	}
}

// TestASecondDoubt: an attempt that was sent again has looks of its own.
func TestASecondDoubt(t *testing.T) {
	r := play(t, in(t, "doubted"), []event{looked(1), concluded(1, resend), claims(0), doubted(2), looked(2), looked(2), concluded(2, park)})
	isIn(t, r, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	if r.Attempts[0].Looks != 2 || r.Attempts[1].Looks != 3 || r.AttemptsSpentOn(relaytest.Destination) != 2 {
		t.Errorf("looks %d and %d, %d attempts count; want 2, 3, 2", r.Attempts[0].Looks, r.Attempts[1].Looks,
			r.AttemptsSpentOn(relaytest.Destination))
	}
}
