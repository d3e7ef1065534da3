package twilio

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	testAccount = "AC0123456789abcdef0123456789abcdef"
	testToken   = "0123456789abcdef0123456789abcdef"
	testSid     = "SM0123456789abcdef0123456789abcdef"
	testKey     = "SK0123456789abcdef0123456789abcdef"
	testSecret  = "keysecretkeysecretkeysecretkeyse"
)

// outbound is the message of most tests. No error may contain any part of it.
var outbound = sms.Outbound{
	From:           "+18585550142",
	To:             "+18585550199",
	Body:           "From +18585550100: is the sofa ready?",
	StatusCallback: "https://relay.example.com/sms/status-callback?relay_id=" + testSid + "&attempt=1&hop=0",
}

// seen is one request as the server got it.
type seen struct {
	method, path, rawQuery string
	header                 http.Header
	form                   url.Values
}

// server is an HTTP server on the loopback that remembers the requests that reached it whole.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []seen
}

// serve starts a server whose requests are remembered before handler answers them. A handler that gives no answer
// panics with http.ErrAbortHandler, which drops the connection.
func serve(t *testing.T, handler http.HandlerFunc) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.remember(t, r)
		handler(w, r)
	}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func (s *server) remember(t *testing.T, r *http.Request) {
	t.Helper()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // It was cut short, so nothing came of it.
	}
	values, err := url.ParseQuery(string(body))
	if err != nil {
		t.Errorf("%s %s: body %q: %v", r.Method, r.URL.Path, body, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.requests = append(s.requests, seen{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Clone(), values})
}

func (s *server) seen() []seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]seen(nil), s.requests...)
}

// newClient returns a Client for the base URL; change may set more of its configuration.
func newClient(t *testing.T, baseURL string, change ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{AccountSid: testAccount, AuthToken: testToken, BaseURL: baseURL}
	for _, do := range change {
		do(&cfg)
	}
	c, err := New(cfg)
	if err != nil {
		t.Fatalf("New(): %v", err)
	}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// answer returns a handler that gives one fixed answer. A header is "Name: value".
func answer(status int, body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for _, header := range headers {
			name, value, _ := strings.Cut(header, ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// message returns the Messages resource of outbound with the changes, as Twilio writes it.
func message(t *testing.T, changes map[string]any) string {
	t.Helper()
	resource := map[string]any{
		"account_sid": testAccount, "api_version": "2010-04-01", "body": outbound.Body,
		"date_created": "Thu, 24 Aug 2023 05:01:45 +0000", "date_sent": nil, "date_updated": "Thu, 24 Aug 2023 05:01:45 +0000",
		"direction": "outbound-api", "error_code": nil, "error_message": nil, "from": outbound.From, "messaging_service_sid": nil,
		"num_media": "0", "num_segments": "2", "price": nil, "price_unit": "USD", "sid": testSid, "status": "queued",
		"subresource_uris": map[string]string{
			"media": "/2010-04-01/Accounts/" + testAccount + "/Messages/" + testSid + "/Media.json",
		},
		"to": outbound.To, "uri": "/2010-04-01/Accounts/" + testAccount + "/Messages/" + testSid + ".json",
	}
	for name, value := range changes {
		resource[name] = value
	}
	return toJSON(t, resource)
}

// refusal returns Twilio's JSON of an error. Its message quotes the recipient, as Twilio's do.
func refusal(t *testing.T, code, status int) string {
	t.Helper()
	return toJSON(t, map[string]any{
		"code": code, "message": "The 'To' number " + string(outbound.To) + " is not right: " + outbound.Body,
		"more_info": "https://www.twilio.com/docs/errors", "status": status,
	})
}

func toJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// checkNothingLeaks fails the test if the error's text holds anything of outbound or a secret.
func checkNothingLeaks(t *testing.T, err error) {
	t.Helper()
	for _, secret := range []string{"5550142", "5550199", "5550100", "sofa", testToken, testSecret, "Basic"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("error %q holds %q", err, secret)
		}
	}
}
