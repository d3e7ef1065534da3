package delivery_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func TestReceiptsSettleAText(t *testing.T) {
	for status, want := range map[sms.Status]ledger.State{
		sms.StatusAccepted: ledger.Sent, sms.StatusScheduled: ledger.Sent, sms.StatusQueued: ledger.Sent, sms.StatusSending: ledger.Sent,
		sms.StatusSent: ledger.Sent, sms.StatusPartiallyDelivered: ledger.Sent, sms.StatusDelivered: ledger.Delivered,
		sms.StatusRead: ledger.Delivered, sms.StatusUndelivered: ledger.Undelivered, sms.StatusFailed: ledger.Failed,
		sms.StatusCanceled: ledger.Failed,
	} {
		t.Run(string(status), func(t *testing.T) {
			s := newSender(t)
			s.queueUp(textOf(1, alone))
			s.checkBack(0)
			s.lines()
			s.clock.Advance(3 * time.Second)
			receipt := receiptOf(1, 1, relaytest.OutboundSid(1), status)
			receipt.Receipt.ErrorCode = 30003
			s.queueUp(receipt, receipt)
			s.checkBack(0)
			reason := ledger.Reason("")
			if want == ledger.Failed {
				reason = ledger.ReasonReceipt
			}
			s.checkState(1, want, reason)
			last, _ := s.record(1).Current()
			if news := status.Supersedes(sms.StatusQueued); news != (last.Status == status) && status != sms.StatusQueued {
				t.Errorf("status on record %q", last.Status)
			}
			if want != ledger.Sent && (s.measured["Outcome "+string(want)] != 1 || last.ErrorCode != 30003) {
				t.Errorf("measured %v, attempt %+v", s.measured, last)
			}
			if lines := s.lines(); !cmp.Equal(lines, []string{"receipt applied", "receipt applied"}) {
				t.Errorf("log %q, want a line each", lines)
			}
			checkChanges(t, s.ledger.Changes())
			s.checkPosts(1)
		})
	}
}

// Whatever order they come in, the last word is the same.
func TestReceiptsOutOfOrder(t *testing.T) {
	statuses := []sms.Status{sms.StatusSending, sms.StatusSent, sms.StatusDelivered, sms.StatusSent, sms.StatusSending}
	for i := range statuses {
		order := slices.Concat(statuses[i:], statuses[:i])
		s := newSender(t)
		s.queueUp(textOf(1, nil))
		s.checkBack(0)
		for _, status := range order {
			s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), status))
		}
		s.drain()
		s.checkState(1, ledger.Delivered, "")
		checkChanges(t, s.ledger.Changes())
	}
}

// The receipt overtakes Twilio's own answer to the POST, or that is lost, or the text is already back on the queue.
func TestReceiptComesBeforeTheAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		answer error
		status sms.Status
		want   ledger.State
	}{
		"sent, taken":            {nil, sms.StatusSent, ledger.Sent},
		"delivered, taken":       {nil, sms.StatusDelivered, ledger.Delivered},
		"failed, taken":          {nil, sms.StatusFailed, ledger.Failed},
		"delivered, answer lost": {refusal(fault.Unknown, 0), sms.StatusDelivered, ledger.Delivered},
		"sent, answer lost":      {refusal(fault.Unknown, 0), sms.StatusSent, ledger.Sent},
		"sent, refused":          {refusal(fault.Transient, 0), sms.StatusSent, ledger.Sent},
		"sent, refused for good": {refusal(fault.Permanent, 0), sms.StatusSent, ledger.Sent},
		"sent, account unusable": {refusal(fault.Fatal, 0), sms.StatusSent, ledger.Sent},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer = func(int, sms.Outbound) error {
				s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), tt.status))
				s.checkBack(0)
				return tt.answer
			}
			s.queueUp(textOf(1, alone))
			s.drain()
			s.clock.Advance(time.Hour)
			s.queueUp(textOf(1, alone))
			s.drain()
			s.checkPosts(1)
			r := s.record(1)
			last, _ := r.Current()
			if r.State != tt.want || last.OutboundSid != relaytest.OutboundSid(1) || !last.Accepted() {
				t.Errorf("record %+v, want %q", r, tt.want)
			}
			s.checkTaken(1)
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// checkTaken holds how many messages were counted as taken, and their segments, of one each, against what it must be.
func (s *sender) checkTaken(want int) {
	s.t.Helper()
	if relayed, segments := s.measured["Relayed"], s.measured["Segments"]; relayed != want || segments != want {
		s.t.Errorf("%d messages of %d segments were counted as taken, want %d", relayed, segments, want)
	}
}

// A message is counted once, when someone finds out that Twilio has it, also if the ledger's own answer is lost.
func TestTakenMessageIsCountedOnce(t *testing.T) {
	lost, refused := broken(fault.Unknown, 1), broken(fault.Transient, 1)
	for name, tt := range map[string]struct {
		answers error
		listed  bool
		faults  []error
		where   string
	}{
		"answered":                              {},
		"answered, record refused at first":     {faults: refused, where: "ledger before Update"},
		"answered, write of the record unclear": {faults: lost, where: "ledger after Update"},
		"found by a look":                       {answers: lostAnswer(), listed: true},
		"known from receipts alone":             {answers: lostAnswer()},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer = answers(tt.answers)
			if !tt.listed {
				s.twilio.listLag = time.Hour
			}
			s.fail(tt.where, tt.faults...)
			s.queueUp(textOf(1, nil))
			s.drain()
			s.tell(1, sms.StatusSent, 0)
			s.tell(1, sms.StatusDelivered, 0)
			s.drain()
			s.checkState(1, ledger.Delivered, "")
			s.checkTaken(1)
		})
	}
}

func TestReceiptSettlesWhatWasUncertain(t *testing.T) {
	for status, want := range map[sms.Status]ledger.State{
		sms.StatusSent: ledger.Sent, sms.StatusDelivered: ledger.Delivered, sms.StatusUndelivered: ledger.Undelivered,
		sms.StatusFailed: ledger.Failed,
	} {
		s := newSender(t)
		s.twilio.answer = always(refusal(fault.Unknown, 0))
		s.twilio.listLag = time.Hour
		s.queueUp(textOf(1, alone))
		s.drain()
		s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
		s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), status))
		s.checkBack(0)
		if r := s.record(1); r.State != want {
			t.Errorf("after %s: %q, want %q", status, r.State, want)
		}
	}
}

// Twilio refused the message and sent it all the same: the receipt takes the text off the queue.
func TestReceiptOfATextThatWaits(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(refusal(fault.Transient, 0))
	s.queueUp(textOf(1, nil))
	s.checkBack(1)
	s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusDelivered))
	s.drain()
	s.checkPosts(1)
	s.checkState(1, ledger.Delivered, "")
}

// Its timer has come and gone while the text waited for its retry: the receipt sets another.
func TestReceiptOfATextThatWaitsLonger(t *testing.T) {
	s := newSender(t)
	s.reroute(timeout(10 * time.Second))
	s.twilio.answer = answers(&fault.Error{Kind: fault.Throttled, RetryAfter: 10 * time.Minute})
	s.queueUp(textOf(1, nil))
	s.until(5 * time.Minute)
	s.checkState(1, ledger.Queued, "")
	s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusSent))
	s.pumpFrom(s.queue)
	s.checkState(1, ledger.Sent, "")
	s.drain()
	s.checkPhones(first, second)
}

func TestReceiptsThatChangeNothing(t *testing.T) {
	for name, tt := range map[string]struct {
		n, attempt int
		sid        string
	}{
		"of an unknown text":        {9, 1, relaytest.OutboundSid(1)},
		"of an attempt yet to come": {1, 2, relaytest.OutboundSid(1)},
		"of another message":        {1, 1, relaytest.OutboundSid(7)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			before := s.ledger.Changes()
			s.queueUp(receiptOf(tt.n, tt.attempt, tt.sid, sms.StatusDelivered))
			s.checkBack(0)
			if diff := cmp.Diff(before, s.ledger.Changes()); diff != "" {
				t.Errorf("ledger (-before +after):\n%s", diff)
			}
		})
	}
}

// A receipt moves no text that is final, and of an earlier attempt only that attempt.
func TestReceiptOfAnEarlierAttempt(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(refusal(fault.Transient, 0))
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkState(1, ledger.Sent, "")
	s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusFailed))
	s.checkBack(0)
	s.checkState(1, ledger.Sent, "")
	s.queueUp(receiptOf(1, 2, relaytest.OutboundSid(2), sms.StatusDelivered))
	s.checkBack(0)
	s.checkState(1, ledger.Delivered, "")
	s.queueUp(receiptOf(1, 2, relaytest.OutboundSid(2), sms.StatusUndelivered), receiptOf(1, 2, relaytest.OutboundSid(2), sms.StatusRead))
	s.checkBack(0)
	s.checkState(1, ledger.Delivered, "")
	if last, _ := s.record(1).Current(); last.Status != sms.StatusRead {
		t.Errorf("status %q, want read", last.Status)
	}
}

func TestReceiptWhileTheLedgerIsDown(t *testing.T) {
	for _, op := range []string{"ledger before Get", "ledger before Update", "ledger after Update", "ledger after Get"} {
		t.Run(op, func(t *testing.T) {
			s := newSender(t)
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			s.fail(op, broken(fault.Unknown, 7)...)
			s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusDelivered))
			s.drain()
			s.checkState(1, ledger.Delivered, "")
			if got := s.measured["Outcome delivered"]; got > 1 {
				t.Errorf("measured %d outcomes, want 1, or none where the answer to the write was lost", got)
			}
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// Receipts never wait behind a text: their group is their own.
func TestReceiptsDoNotWaitBehindATextsGroup(t *testing.T) {
	s := newSender(t)
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.twilio.answer = always(refusal(fault.Fatal, 20003))
	s.queueUp(textOf(2, nil))
	s.checkBack(1)
	s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusDelivered))
	s.checkBack(0)
	s.checkState(1, ledger.Delivered, "")
}

// From the front door to the receipt that says delivered, by the clock that was given.
func TestLatencies(t *testing.T) {
	s := newSender(t)
	at := map[string]float64{}
	s.Emit = latenciesInto(at)
	s.clock.Advance(1500 * time.Millisecond)
	s.queueUp(textOf(1, nil))
	s.checkBack(0)
	s.clock.Advance(6 * time.Second)
	s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusDelivered))
	s.checkBack(0)
	if diff := cmp.Diff(map[string]float64{"RelayLatency": 1500, "DeliveryLatency": 7500}, at); diff != "" {
		t.Errorf("latencies in milliseconds (-want +got):\n%s", diff)
	}
}

// A receipt that is worked on at the same moment as another one is applied to the newer record, and what the other one
// has moved is not counted again.
func TestReceiptMeetsAnother(t *testing.T) {
	for status, want := range map[sms.Status]int{sms.StatusSent: 1, sms.StatusDelivered: 0} {
		s := newSender(t)
		s.queueUp(textOf(1, nil))
		s.checkBack(0)
		before := s.record(1)
		s.faults.hook = func(op string) error {
			if op == "ledger before Update" {
				s.faults.hook = nil
				r, _ := before.Apply(*receiptOf(1, 1, relaytest.OutboundSid(1), status).Receipt, ledger.Onward{}, s.clock.Now())
				if _, err := s.ledger.Update(context.Background(), r); err != nil {
					t.Error(err)
				}
			}
			return nil
		}
		last := sms.StatusDelivered
		if status == last {
			last = sms.StatusRead
		}
		s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), last))
		s.checkBack(0)
		s.checkState(1, ledger.Delivered, "")
		if r := s.record(1); r.Version != 4 || r.Attempts[0].Status != last {
			t.Errorf("record %+v, want version 4 with %s", r, last)
		}
		if got := s.measured["Outcome delivered"]; got != want {
			t.Errorf("%s before %s: measured %d outcomes, want %d", status, last, got, want)
		}
	}
}

// While the text's dead letter is queued, a receipt says that Twilio has the message after all. The text is done, and
// nobody is told that it is dead.
func TestReceiptDuringABurial(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = always(refusal(fault.Transient, 0))
	s.faults.hook = func(op string) error {
		if op == "dead after Send" {
			delivered := receiptOf(1, maxAttempts, relaytest.OutboundSid(maxAttempts), sms.StatusDelivered)
			r, _ := s.record(1).Apply(*delivered.Receipt, ledger.Onward{}, s.clock.Now())
			if _, err := s.ledger.Update(context.Background(), r); err != nil {
				t.Error(err)
			}
		}
		return nil
	}
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkPosts(maxAttempts)
	s.checkState(1, ledger.Delivered, "")
	lines := s.lines()
	if slices.Contains(lines, "dead letter not recorded") || slices.Contains(lines, "repeat ignored") {
		t.Errorf("log %q: it came back", lines)
	}
	if slices.Contains(lines, "text is dead") {
		t.Errorf("log %q of a text that was delivered", lines)
	}
}
