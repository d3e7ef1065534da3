package webhook_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"flag"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	base     = "https://relay.example.com"
	oldBase  = "https://old.example.com:8443/stage"
	token    = "fake-token-of-a-test"
	oldToken = "fake-token-before-it"
	formType = "application/x-www-form-urlencoded"
	sourceIP = "192.0.2.7"
	// secretText is in every text that a test sends, so that a log that shows it is found.
	secretText = "gate-code-4711"
	emptyTwiML = `<?xml version="1.0" encoding="UTF-8"?><Response></Response>`
)

var started = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// front is a handler with everything around it in memory.
type front struct {
	*webhook.Handler
	// Config is the handler's own.
	*webhook.Config

	t        testing.TB
	queue    *relaytest.MemoryQueue
	clock    *relaytest.Clock
	logs     *bytes.Buffer
	measured []telemetry.Measurement
}

func newFront(tb testing.TB) *front {
	tb.Helper()
	verifier, err := signature.NewValidator([]string{base, oldBase}, []string{token, oldToken})
	if err != nil {
		tb.Fatal(err)
	}
	f := &front{t: tb, clock: relaytest.NewClock(started), logs: &bytes.Buffer{}}
	f.queue = relaytest.NewMemoryQueue(relaytest.QueueOptions{}, f.clock.Now)
	f.Handler = webhook.New(webhook.Config{
		Queue: f.queue, Verifier: verifier, Now: f.clock.Now, Started: started,
		Build:  telemetry.Build{Version: "v1.2.3", Commit: "0123456789abcdef0123", Date: "2026-11-23T10:00:00Z"},
		Logger: slog.New(slog.NewJSONHandler(f.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Emit:   func(m ...telemetry.Measurement) { f.measured = append(f.measured, m...) },
	})
	f.Config = webhook.ConfigOf(f.Handler)
	return f
}

// handle serves a request and holds what must be so of every one: one log line without secrets, an answer without
// anything of the request.
func (f *front) handle(r events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, map[string]any) {
	f.t.Helper()
	f.logs.Reset()
	f.measured = nil
	response, err := f.Handle(f.t.Context(), r)
	if err != nil {
		f.t.Fatalf("Handle: %v; every outcome is an HTTP answer", err)
	}
	f.answersNothingOf(r, response)
	return response, f.line()
}

// line returns the one log line of the request.
func (f *front) line() map[string]any {
	f.t.Helper()
	text := f.logs.String()
	if strings.Count(text, "\n") != 1 {
		f.t.Fatalf("log has %d lines, want exactly one a request:\n%s", strings.Count(text, "\n"), text)
	}
	for _, secret := range []string{
		secretText, token, oldToken, string(relaytest.TwilioNumber), string(relaytest.Customer),
		strings.TrimPrefix(string(relaytest.Customer), "+"), url.QueryEscape(string(relaytest.Customer)),
	} {
		if strings.Contains(text, secret) {
			f.t.Errorf("log line shows %q: %s", secret, text)
		}
	}
	var line map[string]any
	if err := json.Unmarshal([]byte(text), &line); err != nil {
		f.t.Fatalf("log line %q: %v", text, err)
	}
	return line
}

func (f *front) answersNothingOf(r events.APIGatewayV2HTTPRequest, response events.APIGatewayV2HTTPResponse) {
	f.t.Helper()
	all, err := json.Marshal(response)
	if err != nil {
		f.t.Fatal(err)
	}
	for _, part := range []string{
		secretText, token, r.Headers["x-twilio-signature"], r.Body, r.RawQueryString,
		"signature", "HMAC", "base64",
	} {
		if len(part) > 3 && bytes.Contains(all, []byte(part)) {
			f.t.Errorf("answer shows %q: %s", part, all)
		}
	}
}

// measurement returns the request's only measurement as "Name Dimension=Value".
func (f *front) measurement() string {
	f.t.Helper()
	switch len(f.measured) {
	case 0:
		return ""
	case 1:
		m := f.measured[0]
		if m.Value != 1 || m.Unit != telemetry.Count {
			f.t.Errorf("measurement %+v, want a count of 1", m)
		}
		return strings.TrimSuffix(m.Name+" "+m.Dimension.Name+"="+m.Dimension.Value, " =")
	default:
		f.t.Fatalf("measurements %+v, want at most one", f.measured)
		return ""
	}
}

// queued returns the one envelope on the queue.
func (f *front) queued() (queue.Envelope, queue.Delivery) {
	f.t.Helper()
	messages := f.queue.Messages()
	if len(messages) != 1 {
		f.t.Fatalf("queue holds %d messages, want 1", len(messages))
	}
	envelope, err := queue.Decode(messages[0].Body)
	if err != nil {
		f.t.Fatalf("queue holds %q: %v", messages[0].Body, err)
	}
	return envelope, messages[0]
}

// text returns the form of a text as Twilio sends it, changed by edit.
func text(edit func(form url.Values)) url.Values {
	form := url.Values{
		"MessageSid": {relaytest.MessageSid(1)}, "SmsSid": {relaytest.MessageSid(1)}, "SmsMessageSid": {relaytest.MessageSid(1)},
		"AccountSid": {"AC00000000000000000000000000000001"}, "ApiVersion": {"2010-04-01"}, "SmsStatus": {"received"},
		"From": {string(relaytest.Customer)}, "To": {string(relaytest.TwilioNumber)},
		"Body": {"The " + secretText + ", please"}, "NumMedia": {"0"}, "NumSegments": {"1"}, "FromCity": {""},
	}
	if edit != nil {
		edit(form)
	}
	return form
}

// callback returns the form of a status callback of the outbound message 2.
func callback(status string) url.Values {
	return url.Values{
		"MessageSid": {relaytest.MessageSid(2)}, "MessageStatus": {status}, "SmsSid": {relaytest.MessageSid(2)}, "SmsStatus": {status},
		"AccountSid": {"AC00000000000000000000000000000001"}, "From": {string(relaytest.TwilioNumber)}, "To": {string(relaytest.Destination)},
		"ApiVersion": {"2010-04-01"},
	}
}

// callbackQuery is what the relay wrote into the callback's URL.
var callbackQuery = "attempt=2&hop=1&relay_id=" + relaytest.MessageSid(1)

// post returns a form POST with the body as it is, unsigned, not in base64.
func post(path, rawQuery, body string) events.APIGatewayV2HTTPRequest {
	r := request("POST", path, rawQuery)
	r.Headers["content-type"], r.Body = formType, body
	return r
}

// request returns a request as API Gateway hands it over, with what a stranger may write into it besides.
func request(method, path, rawQuery string) events.APIGatewayV2HTTPRequest {
	return events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: method + " " + path, RawPath: path, RawQueryString: rawQuery,
		Headers: map[string]string{"host": "stranger.example.net", "x-forwarded-host": "stranger.example.net"},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{Method: method, Path: path, SourceIP: sourceIP},
		},
	}
}

// sign signs a form POST as Twilio does that was given the base URL.
func sign(r events.APIGatewayV2HTTPRequest, base, token string) events.APIGatewayV2HTTPRequest {
	parsed, err := signature.ParseForm([]byte(r.Body))
	form := url.Values{}
	if err == nil {
		for name, value := range parsed.All() {
			form.Add(name, value)
		}
	}
	link := base + r.RawPath
	if r.RawQueryString != "" {
		link += "?" + r.RawQueryString
	}
	r.Headers["x-twilio-signature"] = signature.SignForm(token, link, form)
	return r
}

// gateway puts the body in base64, as API Gateway does with forms.
func gateway(r events.APIGatewayV2HTTPRequest) events.APIGatewayV2HTTPRequest {
	r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString([]byte(r.Body)), true
	return r
}

// signedText is the usual request: a text, signed, in base64.
func signedText(form url.Values) events.APIGatewayV2HTTPRequest {
	return gateway(sign(post(webhook.PathInbound, "", form.Encode()), base, token))
}

func signedCallback(rawQuery string, form url.Values) events.APIGatewayV2HTTPRequest {
	return gateway(sign(post(sms.CallbackPath, rawQuery, form.Encode()), base, token))
}

// golden returns the golden file's text, which -update makes got.
func golden(t *testing.T, name, got string) string {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	return string(want)
}
