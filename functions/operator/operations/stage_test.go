package operations_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// noon is what the clock shows.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// newID is the id of the manual text that comes next without an idempotency key.
const newID = "RL0123456789abcdef0123456789abcdef"

// caller is who asks, as the gateway vouches for it.
const caller = "arn:aws:iam::123456789012:user/alex"

// stage is a handler with everything around it.
type stage struct {
	*operations.Handler
	// Config is the handler's own.
	*operations.Config

	queue         *relaytest.MemoryQueue
	ledger        *relaytest.MemoryLedger
	routes        *relaytest.MemoryRoutes
	conversations *relaytest.MemoryConversations
	trail         *relaytest.MemoryAuditLog
	logged        *bytes.Buffer
	// emitted are the names of the measurements with their dimension's value.
	emitted *[]string
}

func newStage() stage {
	clock := relaytest.NewClock(noon)
	s := stage{
		queue:  relaytest.NewMemoryQueue(relaytest.QueueOptions{}, clock.Now),
		ledger: &relaytest.MemoryLedger{}, routes: relaytest.NewMemoryRoutes(relaytest.Route()),
		conversations: &relaytest.MemoryConversations{}, trail: &relaytest.MemoryAuditLog{}, logged: &bytes.Buffer{}, emitted: &[]string{},
	}
	s.Handler = operations.New(operations.Config{
		Queue: s.queue, Records: s.ledger, Routes: s.routes, Conversations: s.conversations, Trail: s.trail, Now: clock.Now,
		NewID:  func() string { return newID },
		Logger: slog.New(slog.NewJSONHandler(s.logged, nil)),
		Emit: func(measurements ...telemetry.Measurement) {
			for _, m := range measurements {
				*s.emitted = append(*s.emitted, strings.TrimSuffix(fmt.Sprintf("%s %g %s", m.Name, m.Value, m.Dimension.Value), " "))
			}
		},
	})
	s.Config = operations.ConfigOf(s.Handler)
	return s
}

// answer is what a request was answered with.
type answer struct {
	status  int
	headers map[string]string
	body    string
}

func (s stage) ask(t *testing.T, request events.APIGatewayV2HTTPRequest) answer {
	t.Helper()
	return s.askWith(t.Context(), t, request)
}

// askWith checks what is true of every answer.
func (s stage) askWith(ctx context.Context, t *testing.T, request events.APIGatewayV2HTTPRequest) answer {
	t.Helper()
	response, err := s.Handle(ctx, request)
	if err != nil {
		t.Fatalf("Handle: %v, want no error ever", err)
	}
	a := answer{response.StatusCode, response.Headers, response.Body}
	wantType := "application/json"
	if a.status >= 400 {
		wantType = "application/problem+json"
		a.problem(t)
	}
	if got := a.headers["content-type"]; got != wantType {
		t.Errorf("content type of a %d is %q, want %q", a.status, got, wantType)
	}
	if got := a.headers["cache-control"]; got != "no-store" {
		t.Errorf("cache-control is %q, want no-store", got)
	}
	described(ctx, t, request, response)
	if response.IsBase64Encoded || !json.Valid([]byte(a.body)) {
		t.Errorf("body is no JSON: %s", a.body)
	}
	return a
}

// problem reads the problem document, which has to say the answer's own status.
func (a answer) problem(t *testing.T) operations.Problem {
	t.Helper()
	var p operations.Problem
	decode(t, a.body, &p)
	if p.Status != a.status || p.Title != http.StatusText(a.status) || p.Type != "about:blank" {
		t.Errorf("problem document %s of a %d", a.body, a.status)
	}
	return p
}

// wantProblem fails unless the answer is a problem of that status whose detail holds each of the details.
func (a answer) wantProblem(t *testing.T, status int, details ...string) {
	t.Helper()
	if a.status != status {
		t.Fatalf("status %d, want %d: %s", a.status, status, a.body)
	}
	for _, detail := range details {
		if got := a.problem(t).Detail; !strings.Contains(got, detail) {
			t.Errorf("detail %q does not say %q", got, detail)
		}
	}
}

// decode reads JSON that has no fields but value's.
func decode(t *testing.T, text string, value any) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(value); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
}

// request returns a request as the gateway hands it over.
func request(method, path, rawQuery, body string) events.APIGatewayV2HTTPRequest {
	r := events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: method + " " + path, RawPath: path, RawQueryString: rawQuery, Body: body,
		Headers: map[string]string{"content-type": "application/json"},
	}
	r.RequestContext.HTTP.Method, r.RequestContext.HTTP.Path = method, path
	r.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		IAM: &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{UserARN: caller},
	}
	return r
}

func relay(body string) events.APIGatewayV2HTTPRequest {
	return request(http.MethodPost, operations.PathRelay, "", body)
}

func status(rawQuery string) events.APIGatewayV2HTTPRequest {
	return request(http.MethodGet, operations.PathStatus, rawQuery, "")
}

// with returns a good relay request with one field set to a JSON value, or left out if that is "".
func with(field, value string) events.APIGatewayV2HTTPRequest {
	fields := map[string]string{"twilio_number": `"+18585550100"`, "body": `"Gate 4 is open."`}
	fields[field] = value
	var parts []string
	for name, text := range fields {
		if text != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", name, text))
		}
	}
	return relay("{" + strings.Join(parts, ",") + "}")
}

// queued returns the one message on the queue.
func (s stage) queued(t *testing.T) queue.Delivery {
	t.Helper()
	messages := s.queue.Messages()
	if len(messages) != 1 {
		t.Fatalf("%d messages on the queue, want 1", len(messages))
	}
	return messages[0]
}

// envelope returns the envelope of the one message on the queue.
func (s stage) envelope(t *testing.T) queue.Envelope {
	t.Helper()
	envelope, err := queue.Decode(s.queued(t).Body)
	if err != nil {
		t.Fatal(err)
	}
	return envelope
}

// store puts records into the ledger as they are.
func (s stage) store(t *testing.T, records ...ledger.Record) {
	t.Helper()
	for _, r := range records {
		if _, err := s.ledger.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

// list asks for a page.
func (s stage) list(t *testing.T, query url.Values) operations.List {
	t.Helper()
	a := s.ask(t, status(query.Encode()))
	if a.status != http.StatusOK {
		t.Fatalf("status %d: %s", a.status, a.body)
	}
	var list operations.List
	decode(t, a.body, &list)
	return list
}

// sids returns the MessageSids of a page.
func sids(list operations.List) []string {
	sids := []string{}
	for _, m := range list.Messages {
		sids = append(sids, m.MessageSid)
	}
	return sids
}

// compare fails on any difference.
func compare(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
