package operations_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func TestMethods(t *testing.T) {
	allowed := map[string]string{
		operations.PathRelay: http.MethodPost, operations.PathStatus: http.MethodGet,
		operations.PathText: http.MethodGet,
	}
	for path, only := range allowed {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "post", ""} {
			if method == only {
				continue
			}
			t.Run(method+" "+path, func(t *testing.T) {
				s := newStage()
				r := with("", "")
				r.RawPath, r.RequestContext.HTTP.Method = path, method
				a := s.ask(t, r)
				a.wantProblem(t, http.StatusMethodNotAllowed, "use "+only)
				if got := a.headers["allow"]; got != only {
					t.Errorf("Allow is %q, want %q", got, only)
				}
				s.wantNothingDone(t)
			})
		}
	}
}

func TestUnknownPaths(t *testing.T) {
	for _, path := range []string{
		"", "/", "/sms", "/sms/", "/sms/relay/", "/sms/Relay", "/SMS/relay", "//sms/relay", "/prod/sms/relay",
		"/sms/inbound", "/sms/status/", "/sms/status/text/", "/sms/text",
	} {
		t.Run(path, func(t *testing.T) {
			s := newStage()
			r := with("", "")
			r.RawPath = path
			s.ask(t, r).wantProblem(t, http.StatusNotFound)
			s.wantNothingDone(t)
		})
	}
}

// line reads the one line of the operator's log.
func (s stage) line(t *testing.T) map[string]any {
	t.Helper()
	if got := bytes.Count(s.logged.Bytes(), []byte("\n")); got != 1 {
		t.Fatalf("%d lines, want one a request: %s", got, s.logged)
	}
	var line map[string]any
	if err := json.Unmarshal(s.logged.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	delete(line, "time")
	return line
}

func TestOneLineForARequest(t *testing.T) {
	alone := status("")
	alone.RequestContext.Authorizer = nil
	for _, tt := range []struct {
		name    string
		request events.APIGatewayV2HTTPRequest
		want    map[string]any
	}{
		{"a manual text", with("to", `"+18585550122"`), map[string]any{
			"method": "POST", "path": "/sms/relay", "status": 202.0, "caller": caller,
			"message_sid": newID, "twilio_number": "***0100", "destination": "***0122",
			"dry_run": false, "repeated": false,
		}},
		{"a text refused", with("body", ""), map[string]any{"method": "POST", "path": "/sms/relay", "status": 400.0, "caller": caller}},
		{
			"a question", status("number=%2B18585550111"),
			map[string]any{"method": "GET", "path": "/sms/status", "status": 200.0, "caller": caller},
		},
		{"nobody's question", alone, map[string]any{"method": "GET", "path": "/sms/status", "status": 200.0, "caller": ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			s.ask(t, tt.request)
			tt.want["level"], tt.want["msg"] = "INFO", "operator request"
			compare(t, "line", tt.want, s.line(t))
		})
	}
}

// TestLogsKeepSecrets: whatever is asked, and however it goes, the log has no number, text or key.
func TestLogsKeepSecrets(t *testing.T) {
	everything := `{"twilio_number":"+18585550100","body":"secret body","from":"+18585550111","to":"+18585550122",` +
		`"idempotency_key":"secret-key"}`
	encoded := relay(base64.StdEncoding.EncodeToString([]byte(everything)))
	encoded.IsBase64Encoded = true
	for name, r := range map[string]events.APIGatewayV2HTTPRequest{
		"accepted":        relay(everything),
		"in base64":       encoded,
		"no JSON":         relay(everything + everything),
		"an unknown name": with("secret +18585550111", "1"),
		"a wrong number":  with("to", `"+18585550111x"`),
		"a wrong value":   with("to", `{"secret":"+18585550111"}`),
		"a list":          status("number=%2B18585550111&cursor=secret"),
		"a wrong list":    status("secret=%2B18585550111"),
		"what it says":    asksText("message_sid=" + relaytest.MessageSid(1)),
		"one text":        status("message_sid=" + relaytest.MessageSid(1)),
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage()
			s.store(t, spoken())
			s.ask(t, r)
			if text := s.logged.String(); strings.Contains(text, "858555") || strings.Contains(text, "secret") {
				t.Errorf("logged: %s", text)
			}
		})
	}
}

// FuzzRelay: any body is either refused, or it is one text on the queue, exactly as it was asked for.
func FuzzRelay(f *testing.F) {
	f.Add([]byte(with("to", `"+18585550122"`).Body), false)
	f.Add([]byte(with("from", `"QuickDump"`).Body), true)
	f.Add([]byte(`{"twilio_number":"+18585550100","body":"\ud800","idempotency_key":"\u0000"}`), false)
	f.Add([]byte("null"), false)
	f.Add([]byte(`{}{}`), true)
	f.Fuzz(func(t *testing.T, body []byte, encoded bool) {
		r := relay(string(body))
		if encoded {
			r.Body, r.IsBase64Encoded = base64.StdEncoding.EncodeToString(body), true
		}
		s := newStage()
		a := s.ask(t, r)
		if a.status == http.StatusBadRequest {
			s.wantNothingDone(t)
			return
		}
		if a.status != http.StatusAccepted {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
		var wanted operations.RelayRequest
		if err := json.Unmarshal(body, &wanted); err != nil {
			t.Fatalf("accepted what is not one JSON value: %q", body)
		}
		e := s.envelope(t)
		got := operations.RelayRequest{
			TwilioNumber: e.Message.To, Body: e.Message.Body, From: e.Message.From, To: e.Destination, IdempotencyKey: wanted.IdempotencyKey,
		}
		compare(t, "request on the queue", wanted, got)
		if !strings.Contains(a.body, e.RelayID) || (e.RelayID == newID) != (wanted.IdempotencyKey == "") {
			t.Errorf("id %s of key %q, answered %s", e.RelayID, wanted.IdempotencyKey, a.body)
		}
	})
}
