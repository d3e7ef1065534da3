package delivery_test

import (
	"errors"
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

// waits pumps second by second and returns when, from the start, each POST was made.
func (s *sender) waits(most time.Duration) []time.Duration {
	s.t.Helper()
	for s.clock.Now().Sub(started) < most {
		s.pump()
		s.clock.Advance(time.Second)
	}
	var at []time.Duration
	for _, p := range s.twilio.Posts() {
		at = append(at, p.At.Sub(started))
	}
	return at
}

func TestTransientFailureComesAgain(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(refusal(fault.Transient, 0), refusal(fault.Transient, 0))
	s.queueUp(textOf(1, nil))
	s.checkBack(1)
	r := s.record(1)
	if r.State != ledger.Queued || !r.NotBefore.Equal(started.Add(policy.Base)) || !r.LeaseUntil.IsZero() {
		t.Errorf("record %+v, want it queued until %v", r, policy.Base)
	}
	last, _ := r.Current()
	want := ledger.Attempt{
		Number: 1, To: relaytest.Destination, Header: header, ClaimID: last.ClaimID, StartedAt: started, EndedAt: started,
		Outcome: "transient", HTTPStatus: 400, Error: "as in the test",
	}
	if diff := cmp.Diff(want, last); diff != "" {
		t.Errorf("attempt (-want +got):\n%s", diff)
	}
	// Two seconds, then four more; the third attempt succeeds.
	if got := s.waits(time.Minute); !cmp.Equal(got, []time.Duration{0, 2 * time.Second, 6 * time.Second}) {
		t.Errorf("POSTs at %v", got)
	}
	s.checkState(1, ledger.Sent, "")
	for i, p := range s.twilio.Posts() {
		if p.Ref.Attempt != i+1 {
			t.Errorf("POST %d says attempt %d", i+1, p.Ref.Attempt)
		}
	}
	checkChanges(t, s.ledger.Changes())
}

// The visibility timeout alone does not decide: a queue that hands the text out early finds it waiting.
func TestBackoffIsKeptByTheLedgerToo(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = answers(refusal(fault.Transient, 0))
	s.fail("queue before ChangeVisibility", broken(fault.Transient, 1)...)
	s.queueUp(textOf(1, nil))
	s.checkBack(1)
	s.clock.Advance(time.Second)
	out, err := textOf(1, nil).Outgoing()
	if err != nil {
		t.Fatal(err)
	}
	batch := batchOf([]queue.Delivery{{MessageID: "early", Group: "elsewhere", Body: out.Body}})
	response, err := s.Handle(t.Context(), batch)
	if err != nil || len(response.BatchItemFailures) != 1 {
		t.Errorf("answer %+v, error %v; want it back", response, err)
	}
	s.checkPosts(1)
	s.drain()
	s.checkPosts(2)
	s.checkState(1, ledger.Sent, "")
}

func TestThrottledWaitsAsLongAsAsked(t *testing.T) {
	s := newSender(t)
	asked := &fault.Error{Kind: fault.Throttled, Code: 21611, HTTPStatus: 429, RetryAfter: 90 * time.Second}
	s.twilio.answer = answers(asked)
	s.queueUp(textOf(1, nil))
	if got := s.waits(5 * time.Minute); !cmp.Equal(got, []time.Duration{0, 90 * time.Second}) {
		t.Errorf("POSTs at %v, want the second after 90 s", got)
	}
	s.checkState(1, ledger.Sent, "")
}

// checkDeadLetter holds the only dead letter against what it must be.
func (s *sender) checkDeadLetter(e queue.Envelope, attributes map[string]string) {
	s.t.Helper()
	letters := s.dead.Messages()
	if len(letters) != 1 {
		s.t.Fatalf("%d dead letters, want 1", len(letters))
	}
	out, err := e.Outgoing()
	if err != nil {
		s.t.Fatal(err)
	}
	if letters[0].Body != out.Body || letters[0].Group != out.Group {
		s.t.Errorf("dead letter %+v, want the message as it was", letters[0])
	}
	if diff := cmp.Diff(attributes, letters[0].Attributes); diff != "" {
		s.t.Errorf("attributes (-want +got):\n%s", diff)
	}
}

func TestExhausted(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = always(refusal(fault.Transient, 20429))
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkPosts(maxAttempts)
	s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
	s.checkDeadLetter(textOf(1, nil), map[string]string{
		"Reason": "attempts_exhausted", "Attempts": "3", "LastError": "transient: as in the test", "Hop": "0",
	})
	if s.measured["DeadLetters attempts_exhausted"] != 1 || s.measured["Outcome dead"] != 1 {
		t.Errorf("measured %v", s.measured)
	}
	checkChanges(t, s.ledger.Changes())
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkPosts(maxAttempts)
}

// The dead letter is sent in the run of the last attempt, and what is measured does not depend on the ledger's answers.
func TestEndsInOneRun(t *testing.T) {
	for kind, want := range map[fault.Kind]string{fault.Transient: "Outcome dead", fault.Permanent: "Outcome failed"} {
		for _, lost := range []int{0, 1, 2} {
			s := newSender(t)
			s.Policy.MaxAttempts = 1
			s.twilio.answer = always(refusal(kind, 0))
			s.fail("ledger after Update", broken(fault.Unknown, lost)...)
			s.queueUp(textOf(1, nil))
			s.checkBack(0)
			if s.measured[want] != 1 {
				t.Errorf("%s, %d answers lost: measured %v, want one %s", kind, lost, s.measured, want)
			}
			checkChanges(t, s.ledger.Changes())
		}
	}
}

// Not before the dead-letter queue has it is the text recorded as dead, and not before that acknowledged.
func TestOrderOfABurial(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = always(refusal(fault.Transient, 0))
	s.faults.hook = func(op string) error {
		if op == "dead before Send" {
			s.checkState(1, ledger.Queued, "")
		}
		if op == "dead after Send" && len(s.queue.Messages()) != 1 {
			t.Error("acknowledged before it was recorded")
		}
		return nil
	}
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
}

func TestBurialIsInterrupted(t *testing.T) {
	for name, tt := range map[string]struct {
		op   string
		kind fault.Kind
		n    int
	}{
		"dead-letter queue is down":              {"dead before Send", fault.Transient, 1},
		"dead-letter queue's answer is lost":     {"dead after Send", fault.Unknown, 1},
		"dead-letter queue is down for long":     {"dead before Send", fault.Throttled, 20},
		"record not written":                     {"ledger before Update", fault.Transient, 3},
		"record not written for long":            {"ledger before Update", fault.Unknown, 12},
		"record written, answers lost, at first": {"ledger after Update", fault.Unknown, 1},
		"record written, answers lost":           {"ledger after Update", fault.Unknown, 3},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			// The faults begin with the last attempt's end on record.
			s.twilio.answer = func(n int, _ sms.Outbound) error {
				if n == maxAttempts {
					s.faults.hook = func(op string) error {
						if op == "dead before Send" {
							s.faults.hook = nil
							s.fail(tt.op, broken(tt.kind, tt.n)...)
						}
						return nil
					}
				}
				return refusal(fault.Transient, 0)
			}
			s.queueUp(textOf(1, nil))
			s.drain()
			s.checkPosts(maxAttempts)
			s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
			// A repeat within five minutes has the same deduplication id, so there is one.
			s.checkDeadLetter(textOf(1, nil), map[string]string{
				"Reason": "attempts_exhausted", "Attempts": "3", "LastError": "transient: as in the test", "Hop": "0",
			})
			checkChanges(t, s.ledger.Changes())
		})
	}
}

func TestPermanentFailure(t *testing.T) {
	s := newSender(t)
	s.twilio.answer = always(refusal(fault.Permanent, 21610))
	s.queueUp(textOf(1, nil), textOf(2, nil), textOf(1, nil))
	s.checkBack(0)
	s.checkPosts(2)
	s.checkState(1, ledger.Failed, ledger.ReasonRefused)
	s.checkState(2, ledger.Failed, ledger.ReasonRefused)
	if last, _ := s.record(1).Current(); last.ErrorCode != 21610 || last.HTTPStatus != 400 || last.Outcome != "permanent" {
		t.Errorf("attempt %+v", last)
	}
	if n := len(s.dead.Messages()); n != 0 {
		t.Errorf("%d dead letters", n)
	}
}

func TestUnknownOutcome(t *testing.T) {
	for name, err := range map[string]error{
		"classified":             refusal(fault.Unknown, 0),
		"lost on the way there":  &fault.Error{Kind: fault.Unknown, Err: errLost},
		"classified by no door":  errors.New("no door knows this"),
		"a kind yet to come":     &fault.Error{Kind: fault.Kind(99)},
		"joined with others":     errors.Join(errors.New("one"), refusal(fault.Unknown, 20500)),
		"an error without cause": &fault.Error{},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSender(t)
			s.twilio.answer = always(err)
			s.twilio.listLag = 24 * time.Hour
			s.queueUp(textOf(1, nil))
			s.checkBack(1)
			s.queueUp(textOf(1, nil))
			s.clock.Advance(time.Hour)
			s.drain()
			s.checkPosts(1)
			s.checkState(1, ledger.Uncertain, ledger.ReasonUnknownOutcome)
			if last, _ := s.record(1).Current(); !last.Unknown() || last.Looks != looks+1 {
				t.Errorf("attempt %+v, want it unknown after %d looks", last, looks+1)
			}
		})
	}
}

// While the account is unusable, texts wait without end, and their records do not grow.
func TestFatalHalts(t *testing.T) {
	s := newSender(t)
	const halts = 40
	s.twilio.answer = func(n int, _ sms.Outbound) error {
		if n <= halts {
			return refusal(fault.Fatal, 20003)
		}
		return nil
	}
	s.queueUp(textOf(1, nil), textOf(2, nil))
	s.checkBack(2)
	r := s.record(1)
	if r.State != ledger.Queued || r.AttemptsSpentOn(relaytest.Destination) != 0 || !r.NotBefore.Equal(started.Add(policy.HaltDelay)) {
		t.Errorf("record %+v", r)
	}
	for len(s.queue.Messages()) > 0 {
		s.pump()
		s.clock.Advance(policy.HaltDelay)
		if r := s.record(1); len(r.Attempts) > 1 {
			t.Fatalf("%d attempts on record", len(r.Attempts))
		}
	}
	s.checkPosts(halts + 2)
	s.checkState(1, ledger.Sent, "")
	s.checkState(2, ledger.Sent, "")
	if s.measured["Halted"] != halts || len(s.dead.Messages()) != 0 {
		t.Errorf("measured %v", s.measured)
	}
	checkChanges(t, s.ledger.Changes())
}

// Attempts that count are all kept, and those that do not count take nothing from the most there may be.
func TestFatalBetweenTransients(t *testing.T) {
	s := newSender(t)
	transient, fatal := refusal(fault.Transient, 0), refusal(fault.Fatal, 20003)
	s.twilio.answer = answers(fatal, transient, fatal, fatal, transient, fatal, transient, transient)
	s.queueUp(textOf(1, nil))
	s.drain()
	s.checkPosts(7)
	s.checkState(1, ledger.Dead, ledger.ReasonAttemptsExhausted)
	numbers := ""
	for _, a := range s.record(1).Attempts {
		numbers += fmt.Sprint(" ", a.Number, a.Outcome)
	}
	if numbers != " 2transient 5transient 7transient" {
		t.Errorf("attempts%s", numbers)
	}
	if got := s.dead.Messages()[0].Attributes["Attempts"]; got != "3" {
		t.Errorf("dead letter says %s attempts", got)
	}
}
