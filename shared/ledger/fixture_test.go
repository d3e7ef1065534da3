package ledger_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const lease = 18 * time.Second

var (
	// noon is not in UTC and has more than milliseconds, as clocks do.
	noon    = time.Date(2026, 11, 24, 12, 0, 0, 123456789, time.FixedZone("EST", -5*3600))
	stamped = time.Date(2026, 11, 24, 17, 0, 0, 123e6, time.UTC)

	busy      = &fault.Error{Kind: fault.Transient, HTTPStatus: 503, Err: errors.New("server busy")}
	blocked   = &fault.Error{Kind: fault.Permanent, Code: 21610, HTTPStatus: 400, Err: errors.New("recipient opted out")}
	lost      = &fault.Error{Kind: fault.Unknown, Err: errors.New("connection reset")}
	suspended = &fault.Error{Kind: fault.Fatal, Code: 20003, HTTPStatus: 401}
)

// Where a failed attempt may send the text.
var (
	later    = ledger.Onward{To: ledger.Queued, NotBefore: noon.Add(time.Minute)}
	refused  = ledger.Onward{To: ledger.Failed, Reason: ledger.ReasonRefused}
	nextHop  = ledger.Onward{To: ledger.Queued, Reason: ledger.ReasonNextHop, NotBefore: noon, HopDone: true}
	noHop    = ledger.Onward{To: ledger.Failed, Reason: ledger.ReasonRefused, HopDone: true}
	park     = ledger.Onward{To: ledger.Uncertain, Reason: ledger.ReasonUnknownOutcome}
	resend   = ledger.Onward{To: ledger.Queued, Reason: ledger.ReasonResend, NotBefore: noon}
	toNobody = ledger.Onward{}
)

// sid is the MessageSid that Twilio gives the attempt's message.
func sid(attempt int) string { return relaytest.MessageSid(0xa000 + attempt) }

// hop returns the phone of the nth hop.
func hop(n int) sms.PhoneNumber {
	return []sms.PhoneNumber{relaytest.Destination, relaytest.Fallback, "+18585550144", "+18585550155"}[n]
}

// current returns the number of the record's last attempt, 0 if there is none.
func current(r ledger.Record) int {
	last, _ := r.Current()
	return last.Number
}

// event is something that happens to a record. It reports whether the record changed.
type event func(r ledger.Record) (ledger.Record, bool, error)

// changing is an event that is refused or else happens.
func changing(r ledger.Record, err error) (ledger.Record, bool, error) { return r, err == nil, err }

// claims opens the next attempt, at the nth hop.
func claims(n int) event {
	return func(r ledger.Record) (ledger.Record, bool, error) {
		return changing(r.Claim("claim", n, hop(n), lease, noon))
	}
}

// books puts the text off for a pace limit of the nth hop's phone.
func books(n int) event {
	return func(r ledger.Record) (ledger.Record, bool, error) {
		return changing(r.Book(ledger.Slot{At: noon.Add(time.Minute), To: hop(n)}, noon))
	}
}

// accepted is Twilio's answer to the POST of the attempt.
func accepted(number int, status sms.Status) event {
	return func(r ledger.Record) (ledger.Record, bool, error) {
		r, changed := r.Accept(number, sid(number), status, noon)
		return r, changed, nil
	}
}

// ended is the failure of the attempt's POST.
func ended(number int, f *fault.Error, onward ledger.Onward) event {
	return func(r ledger.Record) (ledger.Record, bool, error) { return r.End(number, f, onward, noon) }
}

// doubted is a POST whose outcome nobody knows.
func doubted(number int) event {
	return func(r ledger.Record) (ledger.Record, bool, error) {
		r, changed := r.Doubt(number, lost, noon.Add(2*time.Second), noon)
		return r, changed, nil
	}
}

// looked is a look that finds nothing.
func looked(number int) event {
	return func(r ledger.Record) (ledger.Record, bool, error) {
		r, changed := r.Looked(number, noon.Add(time.Minute), noon)
		return r, changed, nil
	}
}

// found is a look that finds a message.
func found(number int, messageSid string, status sms.Status) event {
	return func(r ledger.Record) (ledger.Record, bool, error) {
		r, changed := r.Discover(number, messageSid, status, noon)
		return r, changed, nil
	}
}

// concluded is the last look.
func concluded(number int, onward ledger.Onward) event {
	return func(r ledger.Record) (ledger.Record, bool, error) { return r.Conclude(number, onward, noon) }
}

// told is a receipt of the attempt's own message, after which no further attempt is due.
func told(number int, status sms.Status) event {
	return toldOf(number, sid(number), status, 0, toNobody)
}

// toldOf is a receipt.
func toldOf(number int, messageSid string, status sms.Status, code int, onward ledger.Onward) event {
	return func(r ledger.Record) (ledger.Record, bool, error) {
		receipt := sms.Receipt{
			Sid: messageSid, Status: status, ErrorCode: code,
			CallbackRef: sms.CallbackRef{RelayID: r.MessageSid, Attempt: number},
		}
		r, changed := r.Apply(receipt, onward, noon)
		return r, changed, nil
	}
}

// undelivered is a receipt that sends the text onward.
func undelivered(number int, onward ledger.Onward) event {
	return toldOf(number, sid(number), sms.StatusUndelivered, 30003, onward)
}

// timedOut is a delivery timeout.
func timedOut(number int) event {
	return func(r ledger.Record) (ledger.Record, bool, error) {
		r, changed := r.TimeOut(number, noon)
		return r, changed, nil
	}
}

func dropped(reason ledger.Reason) event {
	return func(r ledger.Record) (ledger.Record, bool, error) { return changing(r.Drop(reason, noon)) }
}

func givenUp(r ledger.Record) (ledger.Record, bool, error) { return changing(r.GiveUp(noon)) }

// redriven is the move of the text's last dead letter back to the queue.
func redriven(r ledger.Record) (ledger.Record, bool, error) {
	return r.Redrive(r.Made(), noon)
}

// byAda is an operator's decision.
var byAda = ledger.Decision{By: "ada", Note: "it is in Twilio's log"}

// attested is an operator's word that Twilio has the attempt's message.
func attested(number int, status sms.Status) event {
	return func(r ledger.Record) (ledger.Record, bool, error) {
		receipt := sms.Receipt{Sid: sid(number), Status: status, CallbackRef: sms.CallbackRef{RelayID: r.MessageSid, Attempt: number}}
		r, changed := r.Attest(receipt, byAda, noon)
		return r, changed, nil
	}
}

// ordered is an operator's word to send the text again.
func ordered(r ledger.Record) (ledger.Record, bool, error) {
	return r.Resend(r.Order(byAda), noon)
}

// abandoned is an operator's word to leave the text alone.
func abandoned(r ledger.Record) (ledger.Record, bool, error) {
	r, changed := r.Abandon(byAda, noon)
	return r, changed, nil
}

// letterDropped is the end of the text's dead letter.
func letterDropped(r ledger.Record) (ledger.Record, bool, error) {
	r, changed := r.DropLetter(byAda, noon)
	return r, changed, nil
}

func buried(r ledger.Record) (ledger.Record, bool, error) {
	return changing(r.Die(ledger.ReasonAttemptsExhausted, noon))
}

// after lets the events happen to a new record; each must change it.
func after(t *testing.T, events ...event) ledger.Record {
	t.Helper()
	return play(t, relaytest.Record(1, noon), events)
}

// play lets the events happen; each must change the record.
func play(t *testing.T, r ledger.Record, events []event) ledger.Record {
	t.Helper()
	for i, happens := range events {
		next, changed, err := happens(r)
		if err != nil || !changed {
			t.Fatalf("event %d of %d in state %q: changed %v, error %v", i+1, len(events), r.State, changed, err)
		}
		r = next
	}
	return r
}

// situations are ways to bring a new record to every state, and to those places within a state that differ.
var situations = map[string][]event{
	"(none)":  nil,
	"paced":   {books(0)},
	"waiting": {claims(0), ended(1, busy, later)},
	"resend":  {claims(0), doubted(1), concluded(1, resend)},
	// A first hop did not deliver, or has not said so in time.
	"next hop":  {claims(0), accepted(1, sms.StatusQueued), undelivered(1, nextHop)},
	"timed out": {claims(0), accepted(1, sms.StatusQueued), timedOut(1)},

	"open":    {claims(0)},
	"doubted": {claims(0), doubted(1)},
	// The same at a second hop, while the first may still deliver.
	"open 2nd":    {claims(0), accepted(1, sms.StatusQueued), timedOut(1), claims(1)},
	"doubted 2nd": {claims(0), accepted(1, sms.StatusQueued), timedOut(1), claims(1), doubted(2)},

	"sent": {claims(0), accepted(1, sms.StatusQueued)},
	// Twilio may have accepted an earlier POST as well.
	"sent again": {claims(0), doubted(1), concluded(1, resend), claims(0), accepted(2, sms.StatusQueued)},
	// A second hop has it; the first has not said its last word.
	"sent 2nd": {claims(0), accepted(1, sms.StatusQueued), timedOut(1), claims(1), accepted(2, sms.StatusQueued)},

	"delivered":   {claims(0), accepted(1, sms.StatusQueued), told(1, sms.StatusDelivered)},
	"undelivered": {claims(0), accepted(1, sms.StatusQueued), undelivered(1, toNobody)},
	"failed":      {claims(0), ended(1, blocked, refused)},
	"uncertain":   {claims(0), doubted(1), concluded(1, park)},
	"dropped":     {dropped(ledger.ReasonNoRoute)},
	// A receipt after the end says that Twilio has a message of it after all.
	"undelivered sent": {
		claims(0), ended(1, busy, later), claims(0), accepted(2, sms.StatusQueued), undelivered(2, toNobody),
		told(1, sms.StatusSent),
	},
	"undelivered delivered": {
		claims(0), ended(1, busy, later), claims(0), accepted(2, sms.StatusQueued), undelivered(2, toNobody),
		told(1, sms.StatusDelivered),
	},
	"failed sent":       {claims(0), ended(1, blocked, refused), told(1, sms.StatusSent)},
	"failed delivered":  {claims(0), ended(1, blocked, refused), told(1, sms.StatusDelivered)},
	"dropped sent":      {claims(0), ended(1, busy, later), dropped(ledger.ReasonExpired), told(1, sms.StatusSent)},
	"dropped delivered": {claims(0), ended(1, busy, later), dropped(ledger.ReasonExpired), told(1, sms.StatusDelivered)},
	"dead":              {claims(0), ended(1, busy, later), buried},
	// A receipt after its death says that Twilio has it, or an older sender buried it while a POST was in doubt.
	"dead taken":     {claims(0), ended(1, busy, later), buried, told(1, sms.StatusSent)},
	"dead delivered": {claims(0), ended(1, busy, later), buried, told(1, sms.StatusDelivered)},
	"dead lost":      {claims(0), ended(1, busy, later), buried, undelivered(1, toNobody)},
	"dead in doubt":  {claims(0), doubted(1), concluded(1, resend), buried},
}

// in returns a record in that situation.
func in(t *testing.T, situation string) ledger.Record {
	t.Helper()
	events, ok := situations[situation]
	if !ok {
		t.Fatalf("no situation %q", situation)
	}
	return after(t, events...)
}

// reach brings a new record to the state by the shortest way there is.
func reach(t *testing.T, s ledger.State) ledger.Record {
	t.Helper()
	situation, ok := map[ledger.State]string{"": "(none)", ledger.Queued: "waiting", ledger.Sending: "open"}[s]
	if !ok {
		situation = string(s)
	}
	r := in(t, situation)
	if r.State != s {
		t.Fatalf("the way to %q ends in %q", s, r.State)
	}
	return r
}

// same fails unless got is want, and says what it is about.
func same(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// isIn fails unless the record is in that state for that reason.
func isIn(t *testing.T, r ledger.Record, state ledger.State, reason ledger.Reason) {
	t.Helper()
	if r.State != state || r.Reason != reason {
		t.Errorf("the text is %q (%s), want %q (%s)", r.State, r.Reason, state, reason)
	}
}
