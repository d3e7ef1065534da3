package delivery_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// lostAnswer is that of a message that Twilio took, lostPost that of one that it did not take. The sender sees the same.
func lostAnswer() error { return refusal(fault.Unknown, 20500) }

func lostPost() error { return &fault.Error{Kind: fault.Unknown, Err: errLost} }

// looksAt notes when, from the start, Twilio's list is asked for.
func (s *sender) looksAt() *[]time.Duration {
	at := &[]time.Duration{}
	s.faults.hook = func(op string) error {
		if op == "twilio before List" {
			*at = append(*at, s.clock.Now().Sub(started))
		}
		return nil
	}
	return at
}

// Nothing is posted again, and Twilio is asked at least three times over at least two minutes before the text is parked.
func TestLooksForALostPost(t *testing.T) {
	for name, err := range map[string]error{"taken, listed too late": lostAnswer(), "not taken": lostPost()} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer, s.twilio.listLag = always(err), time.Hour
			at := s.looksAt()
			s.queueUp(textOf(1, nil))
			s.drain()
			if diff := cmp.Diff([]time.Duration{2 * time.Second, 42 * time.Second, 82 * time.Second, 122 * time.Second}, *at); diff != "" {
				t.Errorf("looks at (-want +got):\n%s", diff)
			}
			s.checkPosts(1)
			s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
			want := map[string]int{"TwilioFault unknown": 1, "Looked absent": looks + 1, "Outcome uncertain": 1}
			if diff := cmp.Diff(want, s.measured); diff != "" {
				t.Errorf("measured (-want +got):\n%s", diff)
			}
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// The list shows the message when it will; the first look that finds it settles the text.
func TestListLags(t *testing.T) {
	for lag, want := range map[time.Duration]int{
		0: 1, 2 * time.Second: 1, 3 * time.Second: 2, 42 * time.Second: 2, 43 * time.Second: 3,
		83 * time.Second: 4, 122 * time.Second: 4,
	} {
		t.Run(lag.String(), func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer, s.twilio.listLag = answers(lostAnswer()), lag
			s.queueUp(textOf(1, nil), textOf(2, nil))
			s.drain()
			s.checkPosts(2)
			s.checkState(1, ledger.Sent, "")
			s.checkState(2, ledger.Sent, "")
			last, _ := s.record(1).Current()
			if last.OutboundSid != relaytest.OutboundSid(1) || last.Looks != want || !last.Found || !last.Accepted() {
				t.Errorf("attempt %+v, want it found at look %d", last, want)
			}
			if s.measured["Looked present"] != 1 || s.measured["Looked absent"] != want-1 || s.measured["Relayed"] != 2 {
				t.Errorf("measured %v", s.measured)
			}
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// The receipt is asked for first: what it has settled is not looked for.
func TestReceiptBeforeALook(t *testing.T) {
	for status, want := range map[sms.Status]ledger.State{
		sms.StatusQueued: ledger.Sent, sms.StatusSent: ledger.Sent, sms.StatusDelivered: ledger.Delivered,
		sms.StatusUndelivered: ledger.Undelivered,
	} {
		for _, after := range []time.Duration{time.Second, 50 * time.Second} {
			t.Run(fmt.Sprint(status, after), func(t *testing.T) {
				s := newSender(t)
				s.twilio.answer, s.twilio.listLag = answers(lostAnswer()), time.Hour
				s.queueUp(textOf(1, alone))
				s.until(after)
				looked := s.measured["Looked absent"]
				s.tell(1, status, 30003)
				s.drain()
				s.checkPosts(1)
				if r := s.record(1); r.State != want {
					t.Errorf("text is %q, want %q", r.State, want)
				}
				if got := s.measured["Looked absent"]; got != looked || s.measured["Looked present"] != 0 {
					t.Errorf("%d looks, want no more than the %d before the receipt", got, looked)
				}
				if last, _ := s.record(1).Current(); last.OutboundSid != relaytest.OutboundSid(1) || last.Found {
					t.Errorf("attempt %+v", last)
				}
			})
		}
	}
}

// The receipt comes while Twilio is asked, and the look does not find the message; or it finds another than the receipt names.
func TestReceiptDuringALook(t *testing.T) {
	for name, lag := range map[string]time.Duration{"not found": time.Hour, "found": 0} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer, s.twilio.listLag = answers(lostAnswer()), lag
			s.queueUp(textOf(1, nil))
			s.checkBack(1)
			s.faults.hook = once(s, "twilio before List", func() {
				s.tell(1, sms.StatusDelivered, 0)
				s.pumpFrom(s.queue)
			})
			s.drain()
			s.checkState(1, ledger.Delivered, "")
			s.checkPosts(1)
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// What was found among messages alike is overridden by the receipt's own word.
func TestReceiptNamesAnotherThanTheOneFound(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(lostPost())
	stranger := sms.Listed{
		Sid: relaytest.OutboundSid(99), Status: sms.StatusSent, From: relaytest.TwilioNumber, To: first, Direction: sms.DirectionAPI,
		Body: header + textOf(1, nil).Message.Body, DateCreated: started,
	}
	s.twilio.Add(stranger)
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkState(1, ledger.Sent, "")
	s.queueUp(receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusDelivered))
	s.drain()
	s.checkState(1, ledger.Delivered, "")
	if last, _ := s.record(1).Current(); last.OutboundSid != relaytest.OutboundSid(1) || last.Found {
		t.Errorf("attempt %+v", last)
	}
}

// What became of the message is known with it, and its receipt may never come.
func TestFoundStatusIsApplied(t *testing.T) {
	for name, tt := range map[string]struct {
		status   sms.Status
		code     int
		state    ledger.State
		reason   ledger.Reason
		outcomes string
	}{
		"queued":      {sms.StatusQueued, 0, ledger.Sent, "", "1@0 accepted queued"},
		"delivered":   {sms.StatusDelivered, 0, ledger.Delivered, "", "1@0 accepted delivered"},
		"read":        {sms.StatusRead, 0, ledger.Delivered, "", "1@0 accepted read"},
		"undelivered": {sms.StatusUndelivered, 30003, ledger.Sent, "", "1@0 accepted done undelivered, 2@1 accepted queued"},
		"opted out":   {sms.StatusFailed, 21610, ledger.Sent, "", "1@0 accepted done failed, 2@1 accepted queued"},
		"overflowed":  {sms.StatusFailed, 30001, ledger.Sent, "", "1@0 accepted failed, 2@0 accepted queued"},
		"for good":    {sms.StatusFailed, 30034, ledger.Failed, ledger.ReasonReceipt, "1@0 accepted failed"},
		"canceled":    {sms.StatusCanceled, 0, ledger.Failed, ledger.ReasonReceipt, "1@0 accepted canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer = func(n int, _ sms.Outbound) error {
				if n > 1 {
					return nil
				}
				return lostAnswer()
			}
			s.queueUp(textOf(1, nil))
			s.checkBack(1)
			s.twilio.Become(1, tt.status, tt.code)
			s.drain()
			s.checkState(1, tt.state, tt.reason)
			s.checkOutcomes(tt.outcomes)
			checkChanges(t, s.ledger.Changes())
		})
	}
}

// A look that fails does not count: however long the trouble lasts, the text is parked after as many looks as ever.
func TestListFailsIsNoLook(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Transient, fault.Throttled, fault.Permanent, fault.Fatal} {
		for _, op := range []string{"twilio before List", "ledger before List", "ledger after List", "ledger before Get"} {
			t.Run(kind.String()+" "+op, func(t *testing.T) {
				s := newSender(t)
				s.twilio.answer = answers(lostAnswer())
				s.queueUp(textOf(2, same), textOf(1, same))
				s.checkBack(2)
				s.clock.Advance(2 * time.Second)
				s.fail(op, broken(kind, 9)...)
				s.drain()
				s.checkPosts(2)
				s.checkState(1, ledger.Sent, "")
				s.checkState(2, ledger.Sent, "")
				checkChanges(t, s.ledger.Changes())
			})
		}
	}
	s := newSender(t)
	s.twilio.answer = answers(lostPost())
	s.queueUp(textOf(1, nil))
	s.checkBack(1)
	s.fail("twilio before List", broken(fault.Transient, 7)...)
	s.drain()
	s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	if last, _ := s.record(1).Current(); last.Looks != looks+1 {
		t.Errorf("%d looks, want %d", last.Looks, looks+1)
	}
}

// Nothing of a look that found nothing, or concludes, is lost or counted twice while the ledger is out of order.
func TestLedgerIsDownDuringLooks(t *testing.T) {
	for _, op := range []string{"ledger before Update", "ledger after Update", "routes before Lookup", "ledger before Get"} {
		for _, n := range []int{1, 3, 5, 10} {
			s := newSender(t)
			s.twilio.answer = answers(lostPost())
			s.queueUp(textOf(1, nil))
			s.checkBack(1)
			s.faults.hook = once(s, "twilio before List", func() { s.fail(op, broken(fault.Unknown, n)...) })
			s.drain()
			s.checkPosts(1)
			s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
			checkChanges(t, s.ledger.Changes())
		}
	}
}

// Much is sent between the POST and the look: the list is asked again by date. What waits at Twilio has no date, and is
// found as long as the list reaches back to it.
func TestLateLook(t *testing.T) {
	for name, tt := range map[string]struct {
		status  sms.Status
		between int
		want    ledger.State
		reason  ledger.Reason
	}{
		"sent":                       {sms.StatusSent, 10, ledger.Sent, ""},
		"still queued":               {sms.StatusQueued, 900, ledger.Sent, ""},
		"sent, beyond the list":      {sms.StatusSent, 1100, ledger.Sent, ""},
		"delivered, beyond the list": {sms.StatusDelivered, 1100, ledger.Delivered, ""},
		"more than can be read":      {sms.StatusSent, 2000, ledger.Uncertain, ledger.ReasonAmbiguous},
		"queued, beyond the list":    {sms.StatusQueued, 1100, ledger.Uncertain, ledger.ReasonAmbiguous},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer = answers(lostAnswer())
			s.queueUp(textOf(1, nil))
			s.checkBack(1)
			s.twilio.Become(1, tt.status, 0)
			for i := range tt.between {
				m := alike(2000+i, time.Minute+time.Duration(i)*2*time.Hour/time.Duration(tt.between))
				m.Body = fmt.Sprint(secretText, i)
				s.twilio.Add(m)
			}
			s.clock.Advance(2 * time.Hour)
			s.drain()
			s.checkPosts(1)
			s.checkState(1, tt.want, tt.reason)
		})
	}
}

// The first question has no bound by date: a message that waits at Twilio has none.
func TestListIsNotAskedByDate(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(lostAnswer())
	s.queueUp(textOf(1, nil))
	s.drain()
	want := []sms.ListFilter{{From: relaytest.TwilioNumber, To: first, CreatedAfter: started.Add(-30 * time.Second), Limit: 1000}}
	var asked []sms.ListFilter
	for _, read := range s.twilio.Lists() {
		asked = append(asked, read.Filter)
	}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}

// However short the looks are set: a message that Twilio made at the end of the time that a POST has is found.
func TestSlowPostIsFound(t *testing.T) {
	for _, every := range []time.Duration{10 * time.Millisecond, time.Second, 5 * time.Second, interval} {
		t.Run(every.String(), func(t *testing.T) {
			s := newSender(t)
			s.reroute(resend)
			s.ReconcileLooks, s.ReconcileInterval = 3, every
			s.faults.hook = once(s, "ledger after Create", func() {
				s.clock.Advance(4 * time.Second)
				s.faults.hook = once(s, "twilio before Create", func() { s.clock.Advance(sendTimeout - time.Second) })
			})
			s.twilio.answer = answers(lostAnswer())
			s.queueUp(textOf(1, nil))
			s.drain()
			s.checkPosts(1)
			s.checkState(1, ledger.Sent, "")
		})
	}
}

// Two senders look at the same time: that is one look.
func TestLooksMeet(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(lostPost())
	s.queueUp(textOf(1, nil))
	s.checkBack(1)
	s.clock.Advance(2 * time.Second)
	out, err := textOf(1, nil).Outgoing()
	if err != nil {
		t.Fatal(err)
	}
	s.faults.hook = once(s, "twilio before List", func() {
		if _, err := s.Handle(t.Context(),
			batchOf([]queue.Delivery{{MessageID: "other", Group: "elsewhere", Body: out.Body, ReceiveCount: 2}})); err != nil {
			t.Error(err)
		}
	})
	s.checkBack(1)
	if last, _ := s.record(1).Current(); last.Looks != 1 {
		t.Errorf("%d looks on record, want 1", last.Looks)
	}
	s.drain()
	s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
	checkChanges(t, s.ledger.Changes())
}

// Twilio's clock and ours are some seconds apart, however short the looks are set.
func TestClocksAreApart(t *testing.T) {
	for _, every := range []time.Duration{10 * time.Millisecond, time.Second, interval} {
		for _, apart := range []time.Duration{-8 * time.Second, 8 * time.Second} {
			s := newSender(t)
			s.ReconcileInterval = every
			s.twilio.Now = func() time.Time { return s.clock.Now().Add(apart) }
			s.twilio.answer, s.twilio.listLag = answers(lostAnswer()), -time.Minute
			s.queueUp(textOf(1, nil))
			s.drain()
			if r := s.record(1); r.State != ledger.Sent {
				t.Errorf("looks %v apart, clocks %v: %q (%s)", every, apart, r.State, r.Reason)
			}
		}
	}
}
