package delivery_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func latenciesInto(at map[string]float64) telemetry.Emit {
	return func(all ...telemetry.Measurement) {
		for _, m := range all {
			if m.Unit == telemetry.Milliseconds {
				at[m.Name] = m.Value
			}
		}
	}
}

// by returns an edit that makes a text that of the customer with the number's last digits.
func by(customer int) func(e *queue.Envelope) {
	return func(e *queue.Envelope) { e.Message.From = sms.PhoneNumber(fmt.Sprintf("+1858555016%d", customer)) }
}

func TestEmptyBatch(t *testing.T) {
	s := newSender(t)
	response, err := s.Handle(t.Context(), batchOf(nil))
	if err != nil || response.BatchItemFailures == nil || len(response.BatchItemFailures) != 0 {
		t.Errorf("answer %+v, error %v; want an empty list, which JSON does not write as null", response, err)
	}
}

// One group waits for Twilio; the others are through before it, and the whole takes as long as the slowest.
func TestGroupsGoSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t)
		s.twilio.answer = func(_ int, m sms.Outbound) error {
			if strings.Contains(m.Body, "(1)") || strings.Contains(m.Body, "(4)") {
				time.Sleep(7 * time.Second)
			}
			time.Sleep(time.Second)
			return nil
		}
		for n := 1; n <= 6; n++ {
			s.queueUp(textOf(n, by((n-1)%3)))
		}
		began := time.Now()
		done := make(chan int, 1)
		go func() {
			failed, _ := s.pump()
			done <- failed
		}()
		time.Sleep(2*time.Second + time.Millisecond)
		synctest.Wait()
		for _, n := range []int{2, 3, 5, 6} {
			s.checkState(n, ledger.Sent, "")
		}
		s.checkState(1, ledger.Sending, "")
		if failed := <-done; failed != 0 {
			t.Errorf("%d messages came back", failed)
		}
		if took := time.Since(began); took != 16*time.Second {
			t.Errorf("the batch took %v, want the slowest group's 16 s", took)
		}
		s.checkPosts(6)
	})
}

func TestConcurrencyIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t)
		s.Concurrency = 2
		s.twilio.answer = func(int, sms.Outbound) error {
			time.Sleep(time.Second)
			return nil
		}
		for n := range 6 {
			s.queueUp(textOf(n, by(n)))
		}
		began := time.Now()
		s.checkBack(0)
		if took := time.Since(began); took != 3*time.Second {
			t.Errorf("six groups took %v, want 3 s in two lanes", took)
		}
	})
}

// handedOut pumps one batch and returns which of its messages came back, counted from 1, and after what wait.
func (s *sender) handedOut() map[int]time.Duration {
	s.t.Helper()
	deliveries := s.receive()
	response, err := s.Handle(context.Background(), batchOf(deliveries))
	if err != nil {
		s.t.Fatal(err)
	}
	s.remove(s.queue, deliveries, response)
	waits := map[int]time.Duration{}
	for i, d := range deliveries {
		if slices.Contains(response.BatchItemFailures, events.SQSBatchItemFailure{ItemIdentifier: d.MessageID}) {
			waits[i+1] = s.asked[d.ReceiptHandle]
		}
	}
	return waits
}

func TestGroupStopsAtItsFirstFailure(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = func(_ int, m sms.Outbound) error {
		if strings.HasSuffix(m.Body, "(3)") {
			return refusal(fault.Transient, 0)
		}
		return nil
	}
	// Texts 1, 3, 5 and 7 are of one customer, the others of a second.
	for n := 1; n <= 8; n++ {
		s.queueUp(textOf(n, by(n%2)))
	}
	if diff := cmp.Diff(map[int]time.Duration{3: policy.Base, 5: 0, 7: 0}, s.handedOut()); diff != "" {
		t.Errorf("came back after (-want +got):\n%s", diff)
	}
	s.checkPosts(6)
	for _, n := range []int{5, 7} {
		if _, err := s.ledger.Get(t.Context(), relaytest.MessageSid(n)); err == nil {
			t.Errorf("text %d behind the failure is on record", n)
		}
	}
	s.twilio.answer = nil
	s.drain()
	s.checkPosts(9)
	checkOrder(t, s.twilio.Posts(), 8)
}

// A failure that ends a text does not stop its group; one whose outcome is being found out does, and no longer.
func TestGroupGoesOnPastWhatIsSettled(t *testing.T) {
	for name, tt := range map[string]struct {
		err  error
		back int
	}{
		"refused":   {refusal(fault.Permanent, 21617), 0},
		"opted out": {refusal(fault.OptedOut, 21610), 0},
		"unknown":   {refusal(fault.Unknown, 0), 2},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer = answers(tt.err)
			s.queueUp(textOf(1, nil), textOf(2, nil))
			s.checkBack(tt.back)
			s.drain()
			s.checkState(2, ledger.Sent, "")
		})
	}
}

// The queue cannot be told when: all of it comes back by itself, in order.
func TestVisibilityCannotBeChanged(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(refusal(fault.Transient, 0))
	s.fail("queue before ChangeVisibility", broken(fault.Transient, 3)...)
	s.queueUp(textOf(1, nil), textOf(2, nil))
	s.checkBack(2)
	s.drain()
	s.checkPosts(3)
	s.checkState(2, ledger.Sent, "")
}

func TestUndecodable(t *testing.T) {
	for name, body := range map[string]string{
		"no JSON":         "<Message>" + secretText + "</Message>",
		"no version":      `{"kind":"inbound","relay_id":"SM1","body":"` + secretText + `"}`,
		"version 0":       `{"v":0,"kind":"inbound","relay_id":"SM1"}`,
		"version below 0": `{"v":-1,"kind":"inbound","relay_id":"SM1"}`,
		"unknown kind":    `{"v":1,"kind":"carrier pigeon","relay_id":"SM1"}`,
		"no message":      `{"v":1,"kind":"inbound","relay_id":"SM1"}`,
		"no receipt":      `{"v":1,"kind":"receipt","relay_id":"SM1"}`,
		"null":            "null",
		"a list":          "[]",
		"blank":           " ",
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			if err := s.queue.Send(t.Context(), queue.Outgoing{Group: "g", DeduplicationID: "d", Body: body}); err != nil {
				t.Fatal(err)
			}
			s.fail("dead before Send", broken(fault.Transient, 1)...)
			s.fail("dead after Send", broken(fault.Unknown, 1)...)
			s.checkBack(1)
			s.drain()
			letters := s.dead.Messages()
			if len(letters) != 1 || letters[0].Body != body || letters[0].Group != "g" {
				t.Fatalf("dead letters %+v, want the one as it came", letters)
			}
			if got := letters[0].Attributes; got["Reason"] != "undecodable" || got["LastError"] == "" ||
				strings.Contains(got["LastError"], secretText) {
				t.Errorf("attributes %v", got)
			}
			if s.measured["DeadLetters undecodable"] != 1 || len(s.ledger.Changes()) != 0 {
				t.Errorf("measured %v", s.measured)
			}
		})
	}
}

// What a newer version wrote waits for a newer sender, with its group behind it.
func TestNewerEnvelopeIsLeft(t *testing.T) {
	s := newSender(t)
	body := `{"v":2,"kind":"inbound","relay_id":"SM1","message":["` + secretText + `"]}`
	if err := s.queue.Send(t.Context(), queue.Outgoing{Group: textOf(1, nil).Group(), DeduplicationID: "d", Body: body}); err != nil {
		t.Fatal(err)
	}
	s.queueUp(textOf(1, nil))
	if diff := cmp.Diff(map[int]time.Duration{1: policy.HaltDelay, 2: 0}, s.handedOut()); diff != "" {
		t.Errorf("came back after (-want +got):\n%s", diff)
	}
	s.checkPosts(0)
	if n := len(s.dead.Messages()); n != 0 || len(s.ledger.Changes()) != 0 {
		t.Errorf("%d dead letters, changes %v", n, s.ledger.Changes())
	}
}

// An undecodable message in the middle does not stop its group.
func TestUndecodableAmongOthers(t *testing.T) {
	s := newSender(t)
	group := textOf(1, nil).Group()
	s.queueUp(textOf(1, nil))
	if err := s.queue.Send(t.Context(), queue.Outgoing{Group: group, DeduplicationID: "d", Body: "?"}); err != nil {
		t.Fatal(err)
	}
	s.queueUp(textOf(2, nil))
	s.checkBack(0)
	s.checkPosts(2)
	if n := len(s.dead.Messages()); n != 1 {
		t.Errorf("%d dead letters", n)
	}
}

// What there is no time for any more comes back at once, untouched.
func TestDeadlineIsNear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, left := range []time.Duration{-time.Second, 0, time.Second, sendTimeout, sendTimeout + 5*time.Second - time.Millisecond} {
			s := newSender(t)
			s.Now = time.Now
			ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(left))
			defer cancel()
			s.queueUp(textOf(1, nil), textOf(2, nil))
			deliveries := s.receive()
			response, err := s.Handle(ctx, batchOf(deliveries))
			if err != nil || len(response.BatchItemFailures) != 2 {
				t.Errorf("%v left: answer %+v, error %v; want both back", left, response, err)
			}
			s.checkPosts(0)
			if n := len(s.ledger.Changes()); n != 0 {
				t.Errorf("%v left: %d changes of the ledger", left, n)
			}
			if got := s.receive(); len(got) != 2 {
				t.Errorf("%v left: %d messages show at once, want 2", left, len(got))
			}
		}
	})
}

// With time enough the text is seen through, and what happened is recorded even when the time is over by then.
func TestDeadlinePassesDuringThePost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t)
		s.Now = time.Now
		ctx, cancel := context.WithTimeout(t.Context(), sendTimeout+5*time.Second)
		defer cancel()
		s.twilio.answer = func(int, sms.Outbound) error {
			time.Sleep(time.Minute)
			return nil
		}
		s.queueUp(textOf(1, nil), textOf(2, nil))
		deliveries := s.receive()
		response, err := s.Handle(ctx, batchOf(deliveries))
		if err != nil || len(response.BatchItemFailures) != 1 {
			t.Errorf("answer %+v, error %v; want the second back", response, err)
		}
		s.checkPosts(1)
		s.checkState(1, ledger.Sent, "")
	})
}

// checkOrder holds the messages that Twilio took against the order in which each customer sent them.
func checkOrder(t rapid.TB, posts []relaytest.TwilioPost, want int) {
	t.Helper()
	last := map[string]string{}
	taken := 0
	for _, p := range posts {
		if p.Message.Sid == "" {
			continue
		}
		taken++
		customer, _, _ := strings.Cut(p.Body, ": ")
		if p.Ref.RelayID <= last[customer] {
			t.Errorf("%s: %s came after %s", customer, p.Ref.RelayID, last[customer])
		}
		last[customer] = p.Ref.RelayID
	}
	if want >= 0 && taken != want {
		t.Errorf("Twilio took %d messages, want %d", taken, want)
	}
}
