package delivery_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// redriven hands a dead letter to the sender as SQS's redrive brings it: body, group and attributes unchanged. It has to be
// acknowledged.
func (s *sender) redriven(letter queue.Delivery) {
	s.t.Helper()
	response, err := s.Handle(context.Background(), events.SQSEvent{Records: []events.SQSMessage{{
		MessageId: "redriven", Body: letter.Body, Attributes: map[string]string{"MessageGroupId": letter.Group},
		MessageAttributes: attributesOf(letter),
	}}})
	if err != nil || len(response.BatchItemFailures) != 0 {
		s.t.Fatalf("Handle = %+v, %v", response, err)
	}
}

// deadText brings the first text to its death and returns its letter.
func deadText(s *sender) queue.Delivery {
	s.t.Helper()
	s.twilio.answer = always(refusal(fault.Transient, 0))
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
	letters := s.dead.Messages()
	if len(letters) != 1 {
		s.t.Fatalf("%d dead letters, want 1", len(letters))
	}
	return letters[0]
}

// Someone moves the dead letters back to the queue with SQS's own redrive, twice: the text is sent, once.
func TestRedrive(t *testing.T) {
	s := newSender(t)
	letter := deadText(s)
	s.twilio.answer = always(nil)
	s.redriven(letter)
	s.checkState(1, ledger.Sent, "")
	s.redriven(letter)
	s.checkPosts(maxAttempts + 1)
	if s.measured["Redriven"] != 1 || len(s.dead.Messages()) != 1 {
		t.Errorf("redriven %v times, %d dead letters", s.measured["Redriven"], len(s.dead.Messages()))
	}
	if r := s.record(1); r.RedrivenAfter != maxAttempts {
		t.Errorf("the record is %+v", r)
	}
}

// A redriven text that Twilio still has no time for has all its attempts again, and then a letter of its own. The letter of its
// first death, moved back now, is nothing to act on.
func TestRedriveOfALetterOfAnEarlierDeath(t *testing.T) {
	s := newSender(t)
	first := deadText(s)
	if err := s.queue.Send(t.Context(),
		queue.Outgoing{Group: first.Group, DeduplicationID: "moved", Body: first.Body, Attributes: first.Attributes}); err != nil {
		t.Fatal(err)
	}
	s.drain()
	s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
	s.checkPosts(2 * maxAttempts)
	letters := s.dead.Messages()
	if len(letters) != 2 || letters[0].DeduplicationID == letters[1].DeduplicationID {
		t.Fatalf("dead letters are %+v, want one of each death", letters)
	}
	s.twilio.answer = always(nil)
	s.redriven(first)
	s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
	s.redriven(letters[1])
	s.checkState(1, ledger.Sent, "")
	s.checkPosts(2*maxAttempts + 1)
}

// The message of a sender that ended between its record and its acknowledgement comes again: the letter is on the queue, and
// nothing else is done.
func TestTextsOwnMessageAfterItsDeath(t *testing.T) {
	s := newSender(t)
	letter := deadText(s)
	letter.Attributes = nil
	s.redriven(letter)
	s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
	s.checkPosts(maxAttempts)
	if n := len(s.dead.Messages()); n != 1 {
		t.Errorf("%d dead letters, want the one", n)
	}
}

// A redriven text is as old as its redrive: an operator who moves it wants it sent.
func TestRedriveOfAnOldText(t *testing.T) {
	s := newSender(t)
	letter := deadText(s)
	s.clock.Advance(30 * time.Hour)
	s.twilio.answer = always(nil)
	s.redriven(letter)
	s.checkState(1, ledger.Sent, "")
}

// The record outlives what is on a queue of the text: its letter, and after that the text itself once more.
func TestRecordOutlivesItsLetter(t *testing.T) {
	s := newSender(t)
	s.Retention = ledger.MinRetention
	keptFor := func() time.Duration { return time.Unix(s.record(1).ExpiresAt, 0).Sub(s.clock.Now()).Round(time.Minute) }
	s.twilio.answer = always(refusal(fault.Transient, 0))
	e := textOf(1, nil)
	s.reroute(func(r *route.Route) { r.MaxAge = route.Duration(route.MaxMaxAge) })
	s.clock.Advance(route.MaxMaxAge - time.Hour)
	s.queueUp(e)
	s.drain()
	s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
	if got := keptFor(); got != ledger.MinRetention {
		t.Errorf("a dead text's record is kept for %v, want %v", got, ledger.MinRetention)
	}
	s.clock.Advance(14 * 24 * time.Hour)
	s.twilio.answer = always(nil)
	s.redriven(s.dead.Messages()[0])
	s.checkState(1, ledger.Sent, "")
	if got := keptFor(); got != ledger.MinRetention {
		t.Errorf("a redriven text's record is kept for %v, want %v", got, ledger.MinRetention)
	}
}

// What is no letter of this text's death brings nothing back.
func TestRedriveAsksForTheLetter(t *testing.T) {
	for name, attributes := range map[string]map[string]string{
		"another reason":    {delivery.AttributeReason: "undecodable", delivery.AttributeAttempts: "3"},
		"no number":         {delivery.AttributeReason: "attempts_exhausted", delivery.AttributeAttempts: "three"},
		"another number":    {delivery.AttributeReason: "attempts_exhausted", delivery.AttributeAttempts: "2"},
		"no attempts named": {delivery.AttributeReason: "attempts_exhausted"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			letter := deadText(s)
			letter.Attributes = attributes
			s.twilio.answer = always(nil)
			s.redriven(letter)
			s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
			s.checkPosts(maxAttempts)
		})
	}
}

// A receipt after its death said that Twilio has the text: it is not sent again, no matter who moves its letter, but settled, once.
func TestRedriveOfATextThatTwilioHasAfterAll(t *testing.T) {
	for status, want := range map[sms.Status]ledger.State{sms.StatusSent: ledger.Sent, sms.StatusDelivered: ledger.Delivered} {
		t.Run(string(status), func(t *testing.T) {
			s := newSender(t)
			letter := deadText(s)
			s.queueUp(receiptOf(1, maxAttempts, relaytest.OutboundSid(maxAttempts), status))
			s.drain()
			s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
			s.twilio.answer = always(nil)
			s.redriven(letter)
			s.checkState(1, want, "")
			s.redriven(letter)
			s.checkState(1, want, "")
			s.checkPosts(maxAttempts)
			if s.measured["Redriven"] != 0 || s.measured["Outcome "+string(want)] != 1 {
				t.Errorf("measured %v", s.measured)
			}
		})
	}
}

// The receipt comes between the sender's look at the text and its write: what it says is decided on, and not the look.
func TestReceiptThatComesDuringARedrive(t *testing.T) {
	s := newSender(t)
	s.reroute(timeout(time.Hour))
	letter := deadText(s)
	s.twilio.answer = always(nil)
	s.faults.hook = func(op string) error {
		if op == "ledger before Update" {
			s.faults.hook = nil
			s.queueUp(receiptOf(1, maxAttempts, relaytest.OutboundSid(maxAttempts), sms.StatusSent))
			s.pump()
		}
		return nil
	}
	s.redriven(letter)
	s.checkState(1, ledger.Sent, "")
	s.checkPosts(maxAttempts)
	if n := len(s.timers.Messages()); n != 1 {
		t.Errorf("%d timers are set, want that of the delivery timeout", n)
	}
}

// A text that is settled as sent waits for its receipt as any other: without one in time the next hop is tried, also if its letter
// lay so long that the text had become too old.
func TestSettledTextHasADeliveryTimeout(t *testing.T) {
	for _, lain := range []time.Duration{0, 24 * time.Hour} {
		t.Run(lain.String(), func(t *testing.T) {
			s := newSender(t)
			s.reroute(timeout(time.Hour))
			letter := deadText(s)
			s.queueUp(receiptOf(1, maxAttempts, relaytest.OutboundSid(maxAttempts), sms.StatusSent))
			s.drain()
			s.clock.Advance(lain)
			s.twilio.answer = always(nil)
			s.redriven(letter)
			s.checkState(1, ledger.Sent, "")
			s.clock.Advance(2 * time.Hour)
			s.drain()
			s.checkPosts(maxAttempts + 1)
			if last, _ := s.record(1).Current(); last.Hop != 1 {
				t.Errorf("the last attempt is %+v, want one at the next hop", last)
			}
		})
	}
}

// moveBack moves the oldest dead letter back as SQS does, and has a sender work on it at once. If it has to come back, it is on
// the queue then.
func (s *sender) moveBack() {
	s.t.Helper()
	d := s.receiveFrom(s.dead)[0]
	if err := s.dead.Delete(context.Background(), []string{d.ReceiptHandle}); err != nil {
		s.t.Fatal(err)
	}
	s.moved++
	ev := batchOf([]queue.Delivery{{MessageID: fmt.Sprintf("letter-%d", s.moved), Group: d.Group, Body: d.Body}})
	ev.Records[0].MessageAttributes = attributesOf(d)
	response, err := s.Handle(context.Background(), ev)
	if err != nil {
		s.t.Fatal(err)
	}
	if len(response.BatchItemFailures) > 0 {
		back := queue.Outgoing{Group: d.Group, DeduplicationID: ev.Records[0].MessageId, Body: d.Body, Attributes: d.Attributes}
		if err := s.queue.Send(context.Background(), back); err != nil {
			s.t.Fatal(err)
		}
	}
}

// The sender ends between the letter and the record of the death, and the letter is moved back at once: the queue would drop a
// second letter of that id, and the text must not be left dead without one.
func TestLetterMovedBackBeforeItsDeathIsRecorded(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = func(n int, _ sms.Outbound) error {
		if n == maxAttempts {
			s.faults.hook = func(op string) error {
				if op == "dead after Send" {
					s.faults.hook = nil
					s.fail("ledger before Update", broken(fault.Transient, 3)...)
				}
				return nil
			}
		}
		return refusal(fault.Transient, 0)
	}
	s.queueUp(textOf(1, nil))
	for len(s.dead.Messages()) == 0 {
		s.pump()
		s.clock.Advance(time.Second)
	}
	s.moveBack()
	s.drain()
	r := s.record(1)
	if n := len(s.dead.Messages()); r.State == ledger.Dead && n == 0 {
		t.Errorf("text is dead and no letter is left anywhere: lost")
	}
}

// A sender pauses between the letter and the record of the death. Meanwhile the letter is moved back, another sender buries
// the text again, and that letter is moved back, too. The text is redriven by then, and the first sender must not call it dead:
// nobody would have a letter of it.
func TestRedriveWhileAnotherSenderIsBuryingTheText(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = func(n int, _ sms.Outbound) error {
		if n == maxAttempts {
			s.faults.hook = func(op string) error {
				if op == "dead after Send" {
					s.faults.hook = nil
					s.moveBack()
					s.moveBack()
				}
				return nil
			}
		}
		return refusal(fault.Transient, 0)
	}
	s.queueUp(textOf(1, nil))
	for s.moved < 2 {
		s.pump()
		s.clock.Advance(time.Second)
	}
	s.checkState(1, ledger.Queued, "")
	s.checkPosts(maxAttempts + 1)
	s.twilio.answer = always(nil)
	s.drain()
	s.checkState(1, ledger.Sent, "")
	s.checkPosts(maxAttempts + 2)
}

// A text died and went on, because a receipt said that an earlier phone's message is on its way, and its letter was moved back. When that
// message is lost a moment later, it dies again after the same attempts: there is a letter of that death, too.
func TestLetterOfASecondDeathAfterTheSameAttempts(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = func(n int, _ sms.Outbound) error {
		if n == 2 {
			return refusal(fault.Unreachable, 21614)
		}
		return refusal(fault.Transient, 0)
	}
	s.faults.hook = once(s, "dead after Send", func() {
		sent := receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusSent)
		r, _ := s.record(1).Apply(*sent.Receipt, ledger.Onward{}, s.clock.Now())
		if _, err := s.ledger.Update(context.Background(), r); err != nil {
			t.Error(err)
		}
	})
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkState(1, ledger.Sent, "")
	letters := s.receiveFrom(s.dead)
	if len(letters) != 1 {
		t.Fatalf("%d dead letters, want 1", len(letters))
	}
	if err := s.dead.Delete(t.Context(), []string{letters[0].ReceiptHandle}); err != nil {
		t.Fatal(err)
	}
	s.redriven(letters[0])
	lost := receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusUndelivered)
	lost.Receipt.ErrorCode = 30003
	s.queueUp(lost)
	s.drain()
	s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
	if n := len(s.dead.Messages()); n != 1 {
		t.Errorf("%d dead letters, want 1", n)
	}
}
