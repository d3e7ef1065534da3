package mending_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/mending"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const phone = relaytest.Destination

// counted is a queue in memory that can be counted.
type counted struct{ *relaytest.MemoryQueue }

func (c counted) Depth(context.Context) (visible, inFlight int, err error) { return 0, 0, nil }

// stage is a desk over a relay in memory.
type stage struct {
	*mending.Desk

	t      *testing.T
	ledger *relaytest.MemoryLedger
	inbox  *relaytest.MemoryQueue
	dead   *relaytest.MemoryQueue
	twilio *relaytest.Twilio
	did    *relaytest.MemoryConversations
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{
		t: t, ledger: &relaytest.MemoryLedger{}, inbox: relaytest.NewMemoryQueue(relaytest.QueueOptions{}, time.Now),
		dead: relaytest.NewMemoryQueue(relaytest.QueueOptions{}, time.Now), twilio: &relaytest.Twilio{Now: time.Now},
		did: &relaytest.MemoryConversations{},
	}
	s.Desk = mending.New(mending.Config{
		Ledger: s.ledger, Queue: s.inbox, Dead: counted{s.dead}, Twilio: s.twilio, Actions: s.did, Pause: time.Second, Now: time.Now,
		Routes: relaytest.NewMemoryRoutes(route.Route{
			TwilioNumber: relaytest.TwilioNumber, DestinationCarrier: phone, Active: true, Version: 1,
		}),
	})
	return s
}

// text keeps a text with a claimed attempt that ended so.
func (s *stage) text(n int, kind fault.Kind, onward ledger.Onward) ledger.Record {
	s.t.Helper()
	now := time.Now()
	r, err := relaytest.Record(n, now).Claim("claim", 0, phone, time.Minute, now)
	if err == nil {
		r, _, err = r.End(1, &fault.Error{Kind: kind, Err: errors.New("as in the test")}, onward, now)
	}
	if err == nil && onward.To == ledger.Queued {
		r, err = r.Die(ledger.ReasonAttemptsExhausted, now)
	}
	if err == nil {
		r, err = auditlog.Put(s.t.Context(), s.ledger, ledger.Record{}, r)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *stage) waiting() []queue.Delivery {
	s.t.Helper()
	got, err := s.inbox.Receive(s.t.Context(), 10, 0, time.Minute)
	if err != nil {
		s.t.Fatal(err)
	}
	return got
}

// TestResend: a dry run sends nothing, and an order goes to the sender once, with who gave it and why.
func TestResend(t *testing.T) {
	s := newStage(t)
	r := s.text(1, fault.Permanent, ledger.Onward{To: ledger.Failed, Reason: ledger.ReasonRefused})
	order := operations.ResendOrder{MessageSids: []string{r.MessageSid, r.MessageSid}, Because: "fixed", DryRun: true}
	got, err := s.Resend(t.Context(), "anna", order)
	if err != nil || got.Orders != 1 || len(got.Texts) != 1 || got.Texts[0].Means != "would go to "+string(phone) || len(s.waiting()) != 0 {
		t.Errorf("the dry run says %+v, %v", got, err)
	}
	order.DryRun = false
	if got, err = s.Resend(t.Context(), "anna", order); err != nil || got.Ordered != 1 {
		t.Errorf("ordered: %+v, %v", got, err)
	}
	if sent := s.waiting(); len(sent) != 1 || sent[0].Attributes[delivery.AttributeBy] != "anna" ||
		sent[0].Attributes[delivery.AttributeNote] != "fixed" {
		t.Errorf("on the queue is %+v", sent)
	}
	order.MessageSids = []string{relaytest.MessageSid(9)}
	_, err = s.Resend(t.Context(), "anna", order)
	s.wantRefusal(err, http.StatusNotFound)
}

func (s *stage) wantRefusal(err error, status int) {
	s.t.Helper()
	if refused, ok := errors.AsType[operations.OrderError](err); !ok || refused.Status != status {
		s.t.Errorf("the error is %v, want a refusal with %d", err, status)
	}
}

// TestDecide: a decision is written with who made it; a dry run writes nothing; a message that is not the text's is refused.
func TestDecide(t *testing.T) {
	s := newStage(t)
	r := s.text(1, fault.Unknown, ledger.Onward{To: ledger.Uncertain, Reason: ledger.ReasonUnknownOutcome})
	order := operations.DecideOrder{MessageSid: r.MessageSid, Decision: ledger.VerdictGiveUp, Because: "we called", DryRun: true}
	if got, err := s.Decide(t.Context(), "anna", order); err != nil || got.Reason != ledger.ReasonGivenUp {
		t.Errorf("the dry run says %+v, %v", got, err)
	}
	if kept, err := s.ledger.Get(t.Context(), r.MessageSid); err != nil || kept.Reason == ledger.ReasonGivenUp {
		t.Errorf("the dry run wrote %s, %v", kept.Reason, err)
	}
	order.DryRun = false
	if _, err := s.Decide(t.Context(), "anna", order); err != nil {
		t.Error(err)
	}
	if kept, err := s.ledger.Get(t.Context(), r.MessageSid); err != nil || kept.Reason != ledger.ReasonGivenUp || kept.Decision.By != "anna" {
		t.Errorf("it is %s, decided by %s, %v", kept.Reason, kept.Decision.By, err)
	}
	_, err := s.Decide(t.Context(), "anna", order)
	s.wantRefusal(err, http.StatusConflict)
	order.Decision, order.SentSid = ledger.VerdictSent, relaytest.OutboundSid(7)
	_, err = s.Decide(t.Context(), "anna", order)
	s.wantRefusal(err, http.StatusConflict)
	order.Decision, order.SentSid = ledger.VerdictResend, ""
	if _, err := s.Decide(t.Context(), "anna", order); err != nil || len(s.waiting()) != 1 {
		t.Errorf("what was given up cannot be sent again: %v", err)
	}
	order.MessageSid = relaytest.MessageSid(9)
	_, err = s.Decide(t.Context(), "anna", order)
	s.wantRefusal(err, http.StatusNotFound)
}

// bury puts a text on the dead-letter queue.
func (s *stage) bury(n int) {
	s.t.Helper()
	r := s.text(n, fault.Transient, ledger.Onward{To: ledger.Queued, NotBefore: time.Now()})
	letter, err := queue.Envelope{
		Version: queue.Version, Kind: queue.KindInbound, RelayID: r.MessageSid, ReceivedAt: r.ReceivedAt,
		Message: &sms.Message{Sid: r.MessageSid, From: r.Customer, To: r.TwilioNumber, Body: r.Body},
	}.Outgoing()
	letter.Group = r.MessageSid
	letter.Attributes = map[string]string{
		delivery.AttributeReason: string(ledger.ReasonAttemptsExhausted), delivery.AttributeAttempts: "1",
	}
	if err == nil {
		err = s.dead.Send(s.t.Context(), letter)
	}
	if err != nil {
		s.t.Fatal(err)
	}
}

// TestRedrive: letters are moved one after the other, in the background, and how far it is can be seen; one run at a time.
func TestRedrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		_, err := s.Redrive(t.Context(), "anna", operations.RedriveOrder{})
		s.wantRefusal(err, http.StatusConflict)
		for n := range 3 {
			s.bury(n + 1)
		}
		planned, err := s.Redrive(t.Context(), "anna", operations.RedriveOrder{DryRun: true})
		if err != nil || planned.Moving != 3 || len(planned.Letters) != 3 || planned.Letters[0].Means != "dead; would be sent again" {
			t.Fatalf("the plan is %+v, %v", planned, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		if begun, err := s.Redrive(t.Context(), "anna", operations.RedriveOrder{}); err != nil || begun.Run == nil || begun.Run.Moving != 3 {
			t.Fatalf("begun: %+v, %v", begun, err)
		}
		time.Sleep(1500 * time.Millisecond)
		synctest.Wait()
		if now, err := s.DeadLetters(t.Context()); err != nil || now.Run.Moved != 2 || !now.Run.EndedAt.IsZero() || now.Run.By != "anna" {
			t.Errorf("in between: %+v, %v", now.Run, err)
		}
		_, err = s.Redrive(t.Context(), "bert", operations.RedriveOrder{})
		s.wantRefusal(err, http.StatusConflict)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if now, err := s.DeadLetters(t.Context()); err != nil || now.Run.Moved != 3 || now.Run.EndedAt.IsZero() || len(now.Letters) != 0 {
			t.Errorf("at the end: %+v, %v", now, err)
		}
		if sent := s.waiting(); len(sent) != 3 {
			t.Errorf("%d letters are on the queue", len(sent))
		}
		var recorded []string
		for _, a := range s.did.Actions() {
			recorded = append(recorded, a.By+" "+string(a.Deed)+" "+a.MessageSid)
		}
		var want []string
		for n := range 3 {
			want = append(want, "anna redrive "+relaytest.MessageSid(n+1))
		}
		if slices.Sort(recorded); !slices.Equal(recorded, want) {
			t.Errorf("on record are %v, want %v", recorded, want)
		}
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestAStopInBetween leaves the other letters where they were, and says so.
func TestAStopInBetween(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStage(t)
		s.bury(1)
		s.bury(2)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- s.Run(ctx) }()
		if _, err := s.Redrive(t.Context(), "anna", operations.RedriveOrder{}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if now, err := s.DeadLetters(t.Context()); err != nil || now.Run.Moved != 1 || now.Run.Problem == "" || len(now.Letters) != 1 {
			t.Errorf("afterwards: %+v of %+v, %v", now.Letters, now.Run, err)
		}
	})
}
