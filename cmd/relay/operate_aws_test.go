//go:build unix

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/fake"
	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/aws/cloudwatch"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/aws/sqs"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// park puts the nth text into the ledger as uncertain, and returns its record.
func (s *awsStage) park(n int) ledger.Record {
	s.t.Helper()
	at := time.Now().Add(-time.Hour)
	r, err := relaytest.Record(n, at).Claim("claim", 0, relaytest.Destination, time.Minute, at)
	if err == nil {
		r, _ = r.Doubt(1, &fault.Error{Kind: fault.Unknown}, at, at)
		r, _, err = r.Conclude(1, ledger.Onward{To: ledger.Uncertain, Reason: ledger.ReasonUnknownOutcome}, at)
	}
	if err == nil {
		r, err = s.records().Create(s.t.Context(), r)
	}
	if err != nil || r.State != ledger.Uncertain {
		s.t.Fatalf("text %d is %s, error %v", n, r.State, err)
	}
	return r
}

func (s *awsStage) records() *dynamo.Ledger {
	return dynamo.NewLedger(s.dynamoDB, dynamo.LedgerConfig{Table: s.ledger, Retention: ledger.MinRetention, Now: time.Now})
}

// received takes the messages off the queue.
func (s *awsStage) received() []queue.Delivery {
	s.t.Helper()
	inbox, err := sqs.Find(s.t.Context(), s.sqs, s.queue+".fifo")
	if err != nil {
		s.t.Fatal(err)
	}
	deliveries, err := inbox.Receive(s.t.Context(), 10, time.Second, time.Minute)
	if err != nil {
		s.t.Fatal(err)
	}
	return deliveries
}

// TestUncertainOnAWS decides about texts of a deployed relay in each way.
func TestUncertainOnAWS(t *testing.T) {
	s := newAWSStage(t)
	s.environment[cli.EnvOperator] = "ada"
	sent, again, left := s.park(1), s.park(2), s.park(3)
	s.check("uncertain ls", again.MessageSid, "uncertain", "ls")
	s.check("--sent", sent.MessageSid+" is sent", "uncertain", "resolve", sent.MessageSid, "--sent", "SM"+strings.Repeat("9", 32), "--force",
		"--because", "it is in the log")
	s.check("--give-up", left.MessageSid+" is uncertain", "uncertain", "resolve", left.MessageSid, "--give-up", "--because", "called")
	s.check("--resend", again.MessageSid+" is on the queue", "uncertain", "resolve", again.MessageSid, "--resend", "--because",
		"it is not in the log")
	for _, r := range []struct {
		sid   string
		state ledger.State
		what  ledger.Verdict
	}{{sent.MessageSid, ledger.Sent, ledger.VerdictSent}, {left.MessageSid, ledger.Uncertain, ledger.VerdictGiveUp}} {
		got, err := s.records().Get(t.Context(), r.sid)
		if err != nil || got.State != r.state || got.Decision.What != r.what || got.Decision.By != "ada" {
			t.Errorf("%s is %s with the decision %+v, error %v", r.sid, got.State, got.Decision, err)
		}
	}
	orders := s.received()
	if len(orders) != 1 || orders[0].Attributes[delivery.AttributeOrder] != delivery.OrderResend ||
		orders[0].Attributes[delivery.AttributeAttempts] != "1" {
		t.Errorf("on the queue: %+v, want one order", orders)
	}
}

// TestResendOnAWS orders texts of a deployed relay to be sent again, and doctor counts them.
func TestResendOnAWS(t *testing.T) {
	s := newAWSStage(t)
	s.environment[cli.EnvOperator] = "ada"
	s.check("route set", string(testNumber), "route", "set", string(testNumber), "--to", string(testDestination), "--verify-phones=false")
	r := relaytest.Record(7, time.Now().Add(-time.Minute))
	r.TwilioNumber = testNumber
	r, err := r.Drop(ledger.ReasonInactive, time.Now())
	if err == nil {
		r, err = s.records().Create(t.Context(), r)
	}
	if err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := s.relay("doctor", "--only", "reached-nobody"); code != cli.ExitFound ||
		!strings.Contains(stdout, "reached nobody: 1") {
		t.Errorf("doctor: exit code %d\n%s%s", code, stdout, stderr)
	}
	s.check("resend", "would go to "+string(testDestination), "resend", "--state", "dropped", "--since", "1h")
	s.check("resend --apply", "1 text was put on the queue", "resend", r.MessageSid, "--apply", "--because", "the route was off")
	orders := s.received()
	if len(orders) != 1 || orders[0].Attributes[delivery.AttributeOrder] != delivery.OrderResend ||
		orders[0].Attributes[delivery.AttributeAttempts] != "0" ||
		orders[0].Attributes[delivery.AttributeBy] != "ada" || orders[0].Attributes[delivery.AttributeNote] != "the route was off" {
		t.Errorf("on the queue: %+v, want one order", orders)
	}
}

// TestSweepOnAWS finds a text whose webhook failed, and queues it as the front door would have.
func TestSweepOnAWS(t *testing.T) {
	s := newAWSStage(t)
	twilio, url := newFake(t, func(c *twiliofake.Config) { c.Webhook = twiliofake.Webhook{URL: "http://127.0.0.1:1/sms/inbound"} })
	s.environment[cli.EnvTwilioBaseURL], s.environment[cli.EnvAccountSid], s.environment[cli.EnvAuthToken] = url, fake.AccountSid,
		fake.AuthToken
	s.check("route set", string(testNumber), "route", "set", string(testNumber), "--to", string(testDestination), "--verify-phones=false")
	lost, err := twilio.SendInbound(t.Context(), twiliofake.Inbound{From: relaytest.Customer, To: testNumber, Body: "Is the gate open?"}, "")
	if err != nil {
		t.Fatal(err)
	}
	s.check("sweep", lost.MessageSid, "sweep", "--grace", "0s")
	s.check("sweep --apply", "1 text queued", "sweep", "--grace", "0s", "--apply")
	found := s.received()
	if len(found) != 1 {
		t.Fatalf("%d messages are on the queue, want one", len(found))
	}
	e, err := queue.Decode(found[0].Body)
	if err != nil || e.RelayID != lost.MessageSid || e.Kind != queue.KindInbound || e.Message.Body != "Is the gate open?" {
		t.Errorf("on the queue: %+v, error %v", e, err)
	}
}

// TestTailOnAWS shows what comes into the log group while it watches.
func TestTailOnAWS(t *testing.T) {
	s := newAWSStage(t)
	r := relaytest.Record(1, time.Now())
	r.State, r.UpdatedAt, r.Version = ledger.Queued, time.Now(), 1
	entry, err := auditlog.MessageEntry(nil, &r, auditlog.ChangeCreated, auditlog.Seen{})
	if err != nil {
		t.Fatal(err)
	}
	line, err := json.Marshal(entry)
	if err != nil {
		t.Fatal(err)
	}
	watching, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	seen := &watched{sid: r.MessageSid, stop: stop}
	p := program{cli.Program{Stdout: seen, Stderr: &bytes.Buffer{}, Lookup: func(name string) (string, bool) {
		value, ok := s.environment[name]
		return value, ok
	}}}
	ended := make(chan int, 1)
	go func() { ended <- p.run(watching, []string{"tail", "--aws", "--json", "--since", "1m"}) }()
	log := cloudwatch.New(s.other, cloudwatch.Config{Group: s.auditLogGroup, Stream: "test"})
	if err := log.Append(t.Context(), []auditlog.Line{{Time: entry.Time, Text: line}}); err != nil {
		t.Fatal(err)
	}
	if code := <-ended; code != cli.ExitDone || !seen.found {
		t.Errorf("exit code %d; the entry was seen: %v", code, seen.found)
	}
}

// watched is the output of a command that is to be ended once it has shown a text.
type watched struct {
	sid   string
	found bool
	stop  func()
}

// Write looks for the text. It never fails.
func (w *watched) Write(p []byte) (int, error) {
	if bytes.Contains(p, []byte(w.sid)) {
		w.found = true
		w.stop()
	}
	return len(p), nil
}
