package workload

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Twilio's codes in the histories.
const (
	codeUnreachable   = 30003
	codeNotRegistered = 30034
	codeTooMany       = 20429
)

// lease is how long a claim holds.
const lease = time.Minute

// ending is one way for a text to end, and how many of the endings of a thousand texts it is.
type ending struct {
	weight int
	tell   func(*story)
}

func endings() []ending {
	return []ending{
		{900, delivered},
		{15, deliveredLater},
		{15, deliveredByFallback},
		{15, sentOnly},
		{20, undelivered},
		{10, refused},
		{3, uncertain},
		{5, dead},
		{4, dropped(ledger.ReasonNoRoute)},
		{4, dropped(ledger.ReasonInactive)},
		{1, dropped(ledger.ReasonLoop)},
		{3, dropped(ledger.ReasonOptOut)},
		{1, dropped(ledger.ReasonExpired)},
		{4, dropped(ledger.ReasonKeyword)},
	}
}

// story is a text on its way through the state machine. After an error nothing more happens.
type story struct {
	rng    *rand.Rand
	number int
	now    time.Time
	record ledger.Record
	err    error
}

// write makes the next version of the record, a moment later.
func (s *story) write(after time.Duration, edit func(r ledger.Record, now time.Time) (ledger.Record, error)) {
	if s.err != nil {
		return
	}
	s.now = s.now.Add(after + time.Duration(s.rng.Int64N(int64(after)+1)))
	r, err := edit(s.record, s.now)
	if err != nil {
		s.err = fmt.Errorf("make text %s: %w", s.record.MessageSid, err)
		return
	}
	r.Version++
	s.record = r
}

// news is the error of a change that changes nothing.
func news(r ledger.Record, changed bool) (ledger.Record, error) {
	if !changed {
		return r, errors.New("nothing new in what happens next")
	}
	return r, nil
}

// to returns the phone of that hop.
func (s *story) to(hop int) sms.PhoneNumber {
	if s.record.Destination != "" && hop == 0 {
		return s.record.Destination
	}
	return destination(s.number, hop)
}

func (s *story) claim(hop int) {
	s.write(100*time.Millisecond, func(r ledger.Record, now time.Time) (ledger.Record, error) {
		return r.Claim(fmt.Sprintf("%016x", s.rng.Uint64()), hop, s.to(hop), lease, now)
	})
}

func (s *story) accept() {
	s.write(200*time.Millisecond, func(r ledger.Record, now time.Time) (ledger.Record, error) {
		return news(r.Accept(r.Upcoming()-1, sid(s.rng, "SM"), sms.StatusQueued, now))
	})
}

// receipt adds a receipt for the last attempt's message.
func (s *story) receipt(status sms.Status, code int, onward ledger.Onward) {
	s.write(time.Second, func(r ledger.Record, now time.Time) (ledger.Record, error) {
		last, _ := r.Current()
		receipt := sms.Receipt{Sid: last.OutboundSid, Status: status, ErrorCode: code}
		receipt.Attempt = last.Number
		onward.NotBefore = now
		return news(r.Apply(receipt, onward, now))
	})
}

func (s *story) end(f fault.Error, onward ledger.Onward) {
	s.write(300*time.Millisecond, func(r ledger.Record, now time.Time) (ledger.Record, error) {
		onward.NotBefore = now
		ended, changed, err := r.End(r.Upcoming()-1, &f, onward, now)
		if err != nil {
			return r, err
		}
		return news(ended, changed)
	})
}

// fail is an attempt that Twilio turns away for now; another follows.
func (s *story) fail(hop int) {
	s.claim(hop)
	s.end(fault.Error{Kind: fault.Throttled, Code: codeTooMany, HTTPStatus: http.StatusTooManyRequests}, ledger.Onward{To: ledger.Queued})
}

func (s *story) deliver(hop int) {
	s.claim(hop)
	s.accept()
	s.receipt(sms.StatusSent, 0, ledger.Onward{})
	s.receipt(sms.StatusDelivered, 0, ledger.Onward{})
}

func delivered(s *story) { s.deliver(0) }

func deliveredLater(s *story) {
	for range 1 + s.rng.IntN(3) {
		s.fail(0)
	}
	s.deliver(0)
}

func deliveredByFallback(s *story) {
	s.claim(0)
	s.accept()
	s.receipt(sms.StatusUndelivered, codeUnreachable, ledger.Onward{To: ledger.Queued, Reason: ledger.ReasonNextHop, HopDone: true})
	s.deliver(1)
}

func sentOnly(s *story) {
	s.claim(0)
	s.accept()
	s.receipt(sms.StatusSent, 0, ledger.Onward{})
}

func undelivered(s *story) {
	s.claim(0)
	s.accept()
	s.receipt(sms.StatusUndelivered, codeUnreachable, ledger.Onward{})
}

func refused(s *story) {
	s.claim(0)
	s.end(fault.Error{Kind: fault.Permanent, Code: codeNotRegistered, HTTPStatus: http.StatusBadRequest},
		ledger.Onward{To: ledger.Failed, Reason: ledger.ReasonRefused, HopDone: true})
}

func uncertain(s *story) {
	s.claim(0)
	s.end(fault.Error{Kind: fault.Unknown}, ledger.Onward{To: ledger.Uncertain, Reason: ledger.ReasonUnknownOutcome})
}

func dead(s *story) {
	for range 8 {
		s.fail(0)
	}
	s.write(time.Second, func(r ledger.Record, now time.Time) (ledger.Record, error) {
		return r.Die(ledger.ReasonAttemptsExhausted, now)
	})
}

func dropped(reason ledger.Reason) func(*story) {
	return func(s *story) {
		s.write(100*time.Millisecond, func(r ledger.Record, now time.Time) (ledger.Record, error) { return r.Drop(reason, now) })
	}
}

// words returns what a customer might write.
func words(rng *rand.Rand) string {
	sentences := []string{
		"Is the gate open?", "We are standing in front of it.", "Can you come today?", "The container is full.",
		"Thank you!", "When do you close?", "My order has not come yet.", "Please call me back after four.",
		"We need a second one by Friday, the bigger size if you still have it.", "Yes.", "No, thursday is better.",
		"The driver left it at the neighbours'.", "How much is it for half a day?", "I am ten minutes late.",
	}
	var text strings.Builder
	for range 1 + rng.IntN(3) {
		if text.Len() > 0 {
			text.WriteByte(' ')
		}
		text.WriteString(sentences[rng.IntN(len(sentences))])
	}
	return text.String()
}
