//go:build unix

package lambdahost

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// ask sends a request to the front door and returns its answer.
func (s *stage) ask(t *testing.T, method, path, body string, prepare func(*http.Request)) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if prepare != nil {
		prepare(request)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was read.
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, string(text)
}

// A request comes to its function in payload format 2.0, and the function's answer goes back as it is.
func TestFrontDoorPayload(t *testing.T) {
	s := started(t)
	const form = "From=%2B18585550111&Body=on+my+way"
	response, body := s.ask(t, http.MethodPost, "/sms/inbound?b=%2B1&a=2&a=1", form, func(r *http.Request) {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("X-TWILIO-Signature", "abc/+=")
	})
	if response.StatusCode != http.StatusAccepted || response.Header.Get("X-Echo") != "yes" ||
		response.Header.Get("Content-Type") != "application/json" {
		t.Errorf("answer %d with %v", response.StatusCode, response.Header)
	}
	var got events.APIGatewayV2HTTPRequest
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	compare(t, "method, path and query", []string{"2.0", "POST /sms/inbound", "/sms/inbound", "b=%2B1&a=2&a=1", "POST"},
		[]string{got.Version, got.RouteKey, got.RawPath, got.RawQueryString, got.RequestContext.HTTP.Method})
	compare(t, "header", "abc/+=", got.Headers["x-twilio-signature"])
	compare(t, "body", base64.StdEncoding.EncodeToString([]byte(form)), got.Body)
	if !got.IsBase64Encoded {
		t.Error("the body of a form is base64, and the event does not say so")
	}
}

// What no route names is not found, and no function hears of it. Paths are read as they were sent.
func TestFrontDoorRoutes(t *testing.T) {
	s := started(t)
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{http.MethodPost, "/sms/inbound", http.StatusAccepted},
		{http.MethodPost, "/sms/inbound?x=1", http.StatusAccepted},
		{http.MethodGet, "/sms/inbound", http.StatusNotFound},
		{http.MethodPost, "/sms/inbound/", http.StatusNotFound},
		{http.MethodPost, "/sms/%69nbound", http.StatusNotFound},
		{http.MethodPost, "/SMS/inbound", http.StatusNotFound},
		{http.MethodPost, "/", http.StatusNotFound},
		// It is for operators, and nobody signed it.
		{http.MethodPost, "/sms/relay", http.StatusForbidden},
	} {
		response, body := s.ask(t, tt.method, tt.path, "", nil)
		if response.StatusCode != tt.want {
			t.Errorf("%s %s: %d, want %d", tt.method, tt.path, response.StatusCode, tt.want)
		}
		if want := `{"message":"` + http.StatusText(tt.want) + `"}`; tt.want >= http.StatusBadRequest && body != want {
			t.Errorf("%s %s: %s, want %s", tt.method, tt.path, body, want)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	heard := slices.ContainsFunc(s.lines["Echo"], func(line string) bool { return !strings.Contains(line, `"rawPath":"/sms/inbound"`) })
	if len(s.requests) != 8 || s.requests[0].Route != "POST /sms/inbound" || s.requests[4].Route != "POST /sms/%69nbound" ||
		s.requests[4].Status != http.StatusNotFound || heard {
		t.Errorf("reported %+v; the function got others: %v", s.requests, heard)
	}
}

// Preflights are the gateway's own, and so are the headers that let a page read the answers.
func TestFrontDoorCORS(t *testing.T) {
	s := started(t)
	from := func(origin string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Origin", origin)
			r.Header.Set("Access-Control-Request-Method", http.MethodPost)
		}
	}
	const known, unknown = "https://console.example.com", "https://elsewhere.example.com"
	for _, tt := range []struct {
		method, path, origin, allowed string
	}{
		{http.MethodOptions, "/sms/relay", known, known},
		{http.MethodOptions, "/sms/relay", unknown, ""},
		{http.MethodOptions, "/sms/elsewhere", known, known},
		{http.MethodPost, "/sms/inbound", known, known},
		{http.MethodPost, "/sms/inbound", unknown, ""},
	} {
		response, _ := s.ask(t, tt.method, tt.path, "", from(tt.origin))
		if got := response.Header.Get("Access-Control-Allow-Origin"); got != tt.allowed {
			t.Errorf("%s %s from %s: allowed is %q, want %q", tt.method, tt.path, tt.origin, got, tt.allowed)
		}
		if age := response.Header.Get("Access-Control-Max-Age"); tt.method == http.MethodOptions && tt.allowed != "" && age != "600" {
			t.Errorf("%s %s: max age %q, want that of the template", tt.method, tt.path, age)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.ContainsFunc(s.lines["Echo"], func(line string) bool { return strings.Contains(line, "OPTIONS") }) {
		t.Error("a function heard of a preflight")
	}
}

// What the gateway cannot wait for, or has no instance for, it answers 503; what the function fails at, 500.
func TestFrontDoorWithoutAnAnswer(t *testing.T) {
	s := started(t)
	if response, _ := s.ask(t, http.MethodPost, "/sms/inbound?fail", "", nil); response.StatusCode != http.StatusInternalServerError {
		t.Errorf("a failing function: %d, want 500", response.StatusCode)
	}
	response, body := s.ask(t, http.MethodGet, "/sms/health?wait", "", nil)
	if response.StatusCode != http.StatusServiceUnavailable || body != `{"message":"Service Unavailable"}` {
		t.Errorf("a slow function: %d, %s, want 503", response.StatusCode, body)
	}
	// Its only instance is still at work.
	if response, _ := s.ask(t, http.MethodPost, "/sms/inbound", "", nil); response.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("a throttled function: %d, want 503", response.StatusCode)
	}
}

// An operator's request is signed for IAM: as a whole, by that user, a short time ago.
func TestFrontDoorSignatures(t *testing.T) {
	s := started(t)
	const body = `{"to":"+18585550100"}`
	signed := func(at time.Time, signedBody string, after func(*http.Request)) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Content-Type", "application/json")
			if err := SignOperator(t.Context(), r, []byte(signedBody), at); err != nil {
				t.Fatal(err)
			}
			if after != nil {
				after(r)
			}
		}
	}
	now := time.Now()
	for name, tt := range map[string]struct {
		prepare func(*http.Request)
		want    int
	}{
		"signed":         {signed(now, body, nil), http.StatusAccepted},
		"a minute ago":   {signed(now.Add(-time.Minute), body, nil), http.StatusAccepted},
		"an hour ago":    {signed(now.Add(-time.Hour), body, nil), http.StatusForbidden},
		"another body":   {signed(now, body+" ", nil), http.StatusForbidden},
		"another query":  {signed(now, body, func(r *http.Request) { r.URL.RawQuery = "x=1" }), http.StatusForbidden},
		"another header": {signed(now, body, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }), http.StatusForbidden},
		"a date that was moved": {signed(now, body,
			func(r *http.Request) { r.Header.Set("X-Amz-Date", now.Add(time.Minute).UTC().Format(timeLayout)) }), http.StatusForbidden},
		"no signature": {signed(now, body, func(r *http.Request) { r.Header.Del("Authorization") }), http.StatusForbidden},
		"another's key": {signed(now, body, func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), operatorKey, "AKIDSOMEONE", 1))
		}), http.StatusForbidden},
	} {
		if response, _ := s.ask(t, http.MethodPost, "/sms/relay", body, tt.prepare); response.StatusCode != tt.want {
			t.Errorf("%s: %d, want %d", name, response.StatusCode, tt.want)
		}
	}
	var got events.APIGatewayV2HTTPRequest
	s.got(t, "Echo", &got)
	if got.Body != body {
		t.Errorf("the function got the body %q", got.Body)
	}
}

// What is not played as the template says is an error at the start.
func TestRoutesThatAreNotPlayed(t *testing.T) {
	const echo = "{IntegrationUri: !GetAtt Echo.Arn, PayloadFormatVersion: \"2.0\", TimeoutInMillis: 20000}"
	for name, tt := range map[string]struct{ old, new, want string }{
		"another payload format": {echo, "{IntegrationUri: !GetAtt Echo.Arn, PayloadFormatVersion: \"1.0\"}", `payload format "1.0"`},
		"another's function":     {echo, "{IntegrationUri: arn:elsewhere, PayloadFormatVersion: \"2.0\"}", "arn:elsewhere"},
		"no integration": {
			`Target: !Sub "integrations/${EchoIntegration}", AuthorizationType: AWS_IAM`, "Target: integrations/Nothing",
			"integrations/Nothing",
		},
	} {
		if _, err := newStage(t, tt.old, tt.new); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want one about %s", name, err, tt.want)
		}
	}
}
