//go:build unix

package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/pem"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/aws/sqs"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/lambdahost"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var (
	artefacts = flag.String("artefacts", filepath.Join("..", "..", ".aws-sam", "build"), "folder that sam build filled")
	metrics   = flag.String("metrics", "", "file to append the run's metrics to, for testing/dashboards/render")
)

const (
	accountSid = "AC00000000000000000000000000000001"
	authToken  = "faketokenfaketokenfaketokenfake1"
	apiKeySid  = "SK00000000000000000000000000000001"
	apiSecret  = "fakesecretfakesecretfakesecretf1"

	number   = sms.PhoneNumber("+18585550100")
	phone    = sms.PhoneNumber("+16195550123")
	fallback = sms.PhoneNumber("+16195550124")
)

// stage is a stack at work with a fake Twilio.
type stage struct {
	t      *testing.T
	host   *lambdahost.Host
	twilio *twiliofake.Server
	lines  *lines
	tally  *tally
	// beside is what was done during the paths of costs, and is no part of them.
	beside map[string]float64
}

// newStage starts the stack. Its parameters are those of a test on top of the template's defaults.
func newStage(t *testing.T, parameters map[string]any, change func(*twiliofake.Config)) *stage {
	t.Helper()
	s, err := startStage(t, parameters, change)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// startStage is newStage for a stack that may not come up.
func startStage(t *testing.T, parameters map[string]any, change func(*twiliofake.Config)) (*stage, error) {
	t.Helper()
	return startStageOf(t, *artefacts, parameters, change)
}

// startStageOf is startStage for functions in another folder than the one that sam build filled.
func startStageOf(t *testing.T, artefacts string, parameters map[string]any, change func(*twiliofake.Config)) (*stage, error) {
	t.Helper()
	dynamodb, queues, other := relaytest.Emulator(t, relaytest.EmulatorDynamoDB), relaytest.Emulator(t, relaytest.EmulatorSQS),
		relaytest.Emulator(t, relaytest.EmulatorMoto)
	s := &stage{t: t, lines: newLines(t), tally: newTally(), beside: map[string]float64{}}
	certificate := s.startTwilio(change)
	template, err := os.ReadFile(filepath.Join("..", "..", "template.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	mark := strings.ToLower(rand.Text()[:10])
	given := map[string]any{
		"TwilioAccountSid":         accountSid,
		"TwilioAuthTokenSecretArn": secret(t, other, `{"accountSid":"`+accountSid+`","authToken":"`+authToken+`"}`),
		"TwilioApiKeySecretArn": secret(t, other,
			`{"accountSid":"`+accountSid+`","apiKeySid":"`+apiKeySid+`","apiKeySecret":"`+apiSecret+`"}`),
		"TwilioApiBaseUrl": certificate.url,
		// Nobody has to wait for the audit log, and each change is a batch of its own: the most that a text costs.
		"AuditBatchWindow": 1,
		"QueueName":        "e2e-" + mark, "RoutingTableName": "e2e-routing-" + mark, "LedgerTableName": "e2e-ledger-" + mark,
		"PaceTableName": "e2e-pace-" + mark, "ConversationsTableName": "e2e-conversations-" + mark, "AuditLogGroupName": "/e2e/audit/" + mark,
	}
	for name, value := range parameters {
		given[name] = value
	}
	s.host, err = lambdahost.Start(t.Context(), lambdahost.Config{
		Template: template, Parameters: given, StackName: "e2e-" + mark, Artefacts: artefacts,
		DynamoDB: dynamodb.Endpoint, SQS: queues.Endpoint, Other: other.Endpoint,
		Environment: map[string]string{"SSL_CERT_FILE": certificate.file},
		OnLine:      s.printed, OnCall: s.tally.call, OnRequest: s.tally.request, Metrics: s.lines.metrics(), Now: time.Now,
		Logger: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		return nil, err
	}
	s.tally.know(s.host)
	t.Cleanup(func() {
		if err := s.host.Close(); err != nil {
			t.Error(err)
		}
		s.lines.report(t)
	})
	return s, nil
}

// certificate is where the fake Twilio is, and the file with the certificate that the functions have to trust.
type certificate struct{ url, file string }

func (s *stage) startTwilio(change func(*twiliofake.Config)) certificate {
	config := twiliofake.Config{
		AccountSid: accountSid, AuthToken: authToken, APIKeySid: apiKeySid, APIKeySecret: apiSecret, StepDelay: 20 * time.Millisecond,
		Posts: 8, Now: time.Now,
	}
	if change != nil {
		change(&config)
	}
	var err error
	if s.twilio, err = twiliofake.New(config); err != nil {
		s.t.Fatal(err)
	}
	server := httptest.NewTLSServer(s.tally.watching(s.twilio))
	s.t.Cleanup(func() {
		server.Close()
		s.twilio.Close()
	})
	file := filepath.Join(s.t.TempDir(), "twilio.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o600); err != nil {
		s.t.Fatal(err)
	}
	return certificate{url: server.URL, file: file}
}

// printed takes a line that a function printed.
func (s *stage) printed(function string, line []byte) {
	s.lines.take(function, line)
	s.tally.logged(function, line)
}

func secret(t *testing.T, config awsclient.Config, value string) string {
	t.Helper()
	out, err := secretsmanager.NewFromConfig(awsclient.New(config)).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
		Name: aws.String("e2e-" + rand.Text()), SecretString: &value,
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.ARN
}

// text sends one text of a customer to the number's webhook, and again if the front door was not ready, as Twilio does.
func (s *stage) text(from, to sms.PhoneNumber, body string) (sid string, taken bool) {
	s.t.Helper()
	answer, err := s.twilio.SendInbound(s.t.Context(), twiliofake.Inbound{From: from, To: to, Body: body}, s.webhook())
	if err != nil {
		s.t.Error(err)
		return "", false
	}
	return answer.MessageSid, answer.Taken
}

// mustText sends a text that has to be accepted.
func (s *stage) mustText(from, to sms.PhoneNumber, body string) string {
	s.t.Helper()
	sid, taken := s.text(from, to, body)
	if !taken {
		s.t.Fatalf("the text %q was not taken", body)
	}
	return sid
}

// webhook is what the stack's output WebhookUrl says.
func (s *stage) webhook() string {
	return s.host.URL() + "/sms/inbound#rc=5&rp=5xx,ct,rt&rt=4000&tt=15000"
}

// putRoute puts a route, by an operator.
func (s *stage) putRoute(r route.Route) route.Route {
	s.t.Helper()
	r.Active, r.LastUpdated, r.UpdatedBy = true, time.Now(), "operator@example.com"
	stored, err := dynamo.NewRoutes(s.host.Direct("dynamodb"), s.host.Name("RoutingTable")).Put(s.t.Context(), r)
	if err != nil {
		s.t.Fatal(err)
	}
	return stored
}

func (s *stage) ledger() *dynamo.Ledger {
	return dynamo.NewLedger(s.host.Direct("dynamodb"), dynamo.LedgerConfig{Table: s.host.Name("LedgerTable"), Now: time.Now})
}

// record returns what the ledger has of a text; the zero record if it has none.
func (s *stage) record(sid string) ledger.Record {
	r, err := s.ledger().Get(s.t.Context(), sid)
	if err != nil {
		return ledger.Record{}
	}
	return r
}

// await waits until a text is in one of the states, and returns its record.
func (s *stage) await(sid string, limit time.Duration, states ...ledger.State) ledger.Record {
	s.t.Helper()
	var r ledger.Record
	defer func() {
		if s.t.Failed() {
			s.t.Logf("the ledger has %v, attempts %+v", r.LogValue(), r.Attempts)
		}
	}()
	s.until(fmt.Sprintf("text %s is %v", sid, states), limit, func() bool {
		r = s.record(sid)
		for _, state := range states {
			if r.State == state {
				return true
			}
		}
		return false
	})
	return r
}

// until waits until ok, or fails the test.
func (s *stage) until(what string, limit time.Duration, ok func() bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), limit)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			s.t.Fatalf("%s: not within %v", what, limit)
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// queue opens one of the stack's queues, as an administrator.
func (s *stage) queue(logicalID string) *sqs.Queue {
	return sqs.New(s.host.Direct("sqs"), s.host.Name(logicalID))
}

// sent returns the messages that Twilio was asked to send, by their words: a header may be brief or not.
func (s *stage) sent() map[string][]twiliofake.Message {
	byWords := map[string][]twiliofake.Message{}
	for _, m := range s.twilio.Messages() {
		if m.Direction == twiliofake.DirectionOutboundAPI {
			words := conversation.WithoutHeader(m.Body)
			byWords[words] = append(byWords[words], m)
		}
	}
	return byWords
}

// tagOf returns the tag that a phone was shown for a customer.
func (s *stage) tagOf(to, number sms.PhoneNumber) string {
	s.t.Helper()
	for _, m := range s.twilio.Messages() {
		if tag, _, isTagged := conversation.Leading(m.Body); isTagged && m.From == number && strings.Contains(m.Body, string(to)+": ") {
			return string(tag)
		}
	}
	s.t.Fatalf("no phone was shown a tag of %s", to)
	return ""
}

// lines are what the functions print.
type lines struct {
	mu   sync.Mutex
	all  map[string][][]byte
	file *os.File
}

func newLines(t *testing.T) *lines {
	t.Helper()
	l := &lines{all: map[string][][]byte{}}
	if *metrics == "" {
		return l
	}
	file, err := os.OpenFile(*metrics, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
	l.file = file
	return l
}

func (l *lines) take(function string, line []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all[function] = append(l.all[function], bytes.Clone(line))
	if l.file != nil && bytes.Contains(line, []byte(`"_aws"`)) {
		_, _ = l.file.Write(append(bytes.Clone(line), '\n'))
	}
}

// metrics is where AWS's own metrics go; nil if nobody asked for them.
func (l *lines) metrics() io.Writer {
	if l.file == nil {
		return nil
	}
	return l
}

// Write appends lines of metrics to the file.
func (l *lines) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Write(text)
}

// holding returns the lines of a function that hold a text.
func (l *lines) holding(function, text string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for _, line := range l.all[function] {
		if bytes.Contains(line, []byte(text)) {
			found = append(found, string(line))
		}
	}
	return found
}

// report shows the last warnings and errors of a failed test.
func (l *lines) report(t *testing.T) {
	t.Helper()
	if !t.Failed() {
		return
	}
	for _, function := range []string{"IngestFunction", "SenderFunction", "StreamAuditFunction", "OperatorFunction"} {
		said := append(l.holding(function, `"level":"WARN"`), l.holding(function, `"level":"ERROR"`)...)
		said = append(said, l.holding(function, "panic")...)
		t.Logf("%s: %d lines, with warnings and errors:\n%s", function, len(l.all[function]), strings.Join(said[max(0, len(said)-15):], "\n"))
	}
}
