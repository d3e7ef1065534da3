package httpapi_test

import (
	"encoding/base64"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/onehost/httpapi"
)

// wire sends bytes to a server that is the gateway and returns the answer, as it is on the wire.
func (s stage) wire(t *testing.T, lines ...string) string {
	t.Helper()
	server := httptest.NewServer(s)
	defer server.Close()
	var dialer net.Dialer
	connection, err := dialer.DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close() //nolint:errcheck // nothing is left to be written.
	if _, err := io.WriteString(connection, strings.Join(lines, "\r\n")); err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(connection)
	if err != nil {
		t.Fatal(err)
	}
	return string(answer)
}

// TestPayload holds a whole request, from the bytes on the wire, against payload format 2.0.
func TestPayload(t *testing.T) {
	s := newStage()
	const form = "From=%2B18585550111&Body=on+my+way"
	s.wire(t, "POST /sms/inbound?b=%2B1+1&a=2&a=1&empty=&bare&%62=3 HTTP/1.1",
		"Host: relay.example.com:8443", "Connection: close", "User-Agent: TwilioProxy/1.1", "X-TWILIO-SIGNATURE: abc/+=",
		"X-Many: one", "x-many: two, three", "Content-Type: application/x-www-form-urlencoded; charset=UTF-8",
		"Content-Length: 34", "", form)
	got := s.got(t)
	if got.RequestContext.HTTP.SourceIP == "" || strings.Contains(got.RequestContext.HTTP.SourceIP, ":") {
		t.Errorf("source IP is %q, want an address without its port", got.RequestContext.HTTP.SourceIP)
	}
	got.RequestContext.HTTP.SourceIP = ""
	compare(t, "request", events.APIGatewayV2HTTPRequest{
		Version: "2.0", RouteKey: "POST /sms/inbound", RawPath: "/sms/inbound", RawQueryString: "b=%2B1+1&a=2&a=1&empty=&bare&%62=3",
		Headers: map[string]string{
			"host": "relay.example.com:8443", "connection": "close", "user-agent": "TwilioProxy/1.1", "x-twilio-signature": "abc/+=",
			"x-many": "one,two, three", "content-type": "application/x-www-form-urlencoded; charset=UTF-8", "content-length": "34",
		},
		QueryStringParameters: map[string]string{"a": "2,1", "b": "+1 1,3", "bare": "", "empty": ""},
		RequestContext: events.APIGatewayV2HTTPRequestContext{
			RouteKey: "POST /sms/inbound", Stage: "$default", RequestID: "request-1", Time: "24/Nov/2026:12:00:00 +0000", TimeEpoch: 1795521600000,
			HTTP: events.APIGatewayV2HTTPRequestContextHTTPDescription{
				Method: "POST", Path: "/sms/inbound", Protocol: "HTTP/1.1", UserAgent: "TwilioProxy/1.1",
			},
		},
		Body: base64.StdEncoding.EncodeToString([]byte(form)), IsBase64Encoded: true,
	}, got)
}

// TestRawQueryIsByteForByte: the signature covers the query as it was sent, however odd.
func TestRawQueryIsByteForByte(t *testing.T) {
	for _, query := range []string{
		"a=1&a=1", "z=1&a=2", "a=%2b&b=%2B", "a=b=c", "a=+%20", "a=%zz&b=1", "a;b", "&&", "=", "a='\"<>{}|^`~", "a=[1]", "%", "ä=ö", "a?b#", "",
	} {
		t.Run(query, func(t *testing.T) {
			s := newStage()
			s.wire(t, "GET /sms/inbound?"+query+" HTTP/1.1", "Host: relay.example.com", "Connection: close", "", "")
			compare(t, "raw query", query, s.got(t).RawQueryString)
		})
	}
}

// TestQueryParameters: what is unreadable is left out, and the readable stays.
func TestQueryParameters(t *testing.T) {
	for query, want := range map[string]map[string]string{
		"": nil, "a=%zz&b=1": {"b": "1"}, "a=1&a=2&A=3": {"a": "1,2", "A": "3"}, "a;b=1&c=2": {"c": "2"}, "n=+1": {"n": " 1"},
	} {
		t.Run(query, func(t *testing.T) {
			s := newStage()
			s.ask(http.MethodGet, openPath+"?"+query, "")
			compare(t, "parameters", want, s.got(t).QueryStringParameters)
		})
	}
}

func TestRawPathIsUndecoded(t *testing.T) {
	const path = "/sms/a%2Fb%20c"
	s := newStage(func(c *httpapi.Config) { c.Routes[0].Path = path })
	s.wire(t, "GET "+path+" HTTP/1.1", "Host: relay.example.com", "Connection: close", "", "")
	got := s.got(t)
	compare(t, "raw path", path, got.RawPath)
	compare(t, "path", path, got.RequestContext.HTTP.Path)
}

// TestHeadersOnTheWire: names are lower case, repeated ones are joined by commas, and Host is among them.
func TestHeadersOnTheWire(t *testing.T) {
	s := newStage()
	s.wire(t, "GET /sms/inbound HTTP/1.1", "HOST: relay.example.com", "Connection: close", "X-UPPER: One", "x-lower: Two", "X-Empty:",
		"X-Twice: a", "X-TWICE: b", "x-twice:", "", "")
	want := map[string]string{
		"host": "relay.example.com", "connection": "close", "x-upper": "One", "x-lower": "Two",
		"x-empty": "", "x-twice": "a,b,",
	}
	compare(t, "headers", want, s.got(t).Headers)
}

func TestBodies(t *testing.T) {
	const binary = "\x00\xff\xfe"
	for _, tt := range []struct {
		name, contentType, body string
		encoded                 bool
	}{
		{"a form", "application/x-www-form-urlencoded", "a=1", true},
		{"JSON", "application/json", `{"a":1}`, false},
		{"JSON with a charset", "application/json; charset=utf-8", `{"a":"ä"}`, false},
		{"JSON in capitals", "Application/JSON", `{}`, false},
		{"plain text", "text/plain", "text", false},
		{"XML", "application/xml", "<a/>", false},
		{"text/xml", "text/xml; charset=utf-8", "<a/>", false},
		{"a picture", "image/jpeg", binary, true},
		{"a form with parts", "multipart/form-data; boundary=x", "--x--", true},
		{"no type", "", "text", true},
		{"an unreadable type", "json;;", "text", true},
		{"only the name of a kind", "text", "text", true},
		{"no body", "application/x-www-form-urlencoded", "", false},
		{"no body, no type", "", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage()
			var headers []string
			if tt.contentType != "" {
				headers = []string{"Content-Type", tt.contentType}
			}
			s.ask(http.MethodPost, openPath, tt.body, headers...)
			got := s.got(t)
			want := tt.body
			if tt.encoded {
				want = base64.StdEncoding.EncodeToString([]byte(tt.body))
			}
			if got.Body != want || got.IsBase64Encoded != tt.encoded {
				t.Errorf("body %q, in base64 %v; want %q, %v", got.Body, got.IsBase64Encoded, want, tt.encoded)
			}
		})
	}
}

func TestSourceIP(t *testing.T) {
	for address, want := range map[string]string{"192.0.2.7:4711": "192.0.2.7", "[2001:db8::7]:4711": "2001:db8::7", "@": "@", "": ""} {
		s := newStage()
		request := httptest.NewRequest(http.MethodGet, openPath, nil)
		request.RemoteAddr = address
		s.ServeHTTP(httptest.NewRecorder(), request)
		compare(t, "source IP of "+address, want, s.got(t).RequestContext.HTTP.SourceIP)
	}
}

func TestBodyBound(t *testing.T) {
	const most = 1000
	bound := func(c *httpapi.Config) { c.MaxBody = most }
	for _, tt := range []struct {
		name    string
		size    int
		chunked bool
		status  int
	}{
		{"the largest", most, false, http.StatusOK},
		{"a byte more", most + 1, false, http.StatusRequestEntityTooLarge},
		{"the largest in chunks", most, true, http.StatusOK},
		{"a byte more in chunks", most + 1, true, http.StatusRequestEntityTooLarge},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newStage(bound)
			request := httptest.NewRequest(http.MethodPost, openPath, strings.NewReader(strings.Repeat("x", tt.size)))
			if tt.chunked {
				request.ContentLength = -1
			}
			w := httptest.NewRecorder()
			s.ServeHTTP(w, request)
			if tt.status != http.StatusOK {
				wantMessage(t, w, tt.status)
			}
			if w.Code != tt.status || s.ran() != map[bool]int{true: 1, false: 0}[tt.status == http.StatusOK] {
				t.Errorf("status %d, and the function ran %d times", w.Code, s.ran())
			}
		})
	}
	t.Run("the gateway's own", func(t *testing.T) {
		s := newStage()
		if w := s.ask(http.MethodPost, openPath, strings.Repeat("x", httpapi.MaxBody)); w.Code != http.StatusOK {
			t.Errorf("status of the largest is %d", w.Code)
		}
		wantMessage(t, s.ask(http.MethodPost, openPath, strings.Repeat("x", httpapi.MaxBody+1)), http.StatusRequestEntityTooLarge)
	})
}

// TestTornBody: what did not come whole is no request of the function's.
func TestTornBody(t *testing.T) {
	s := newStage()
	request := httptest.NewRequest(http.MethodPost, openPath, io.MultiReader(strings.NewReader("half"), torn{}))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, request)
	wantMessage(t, w, http.StatusBadRequest)
	if s.ran() > 0 {
		t.Error("the function ran")
	}
}

// torn is a body whose client went away.
type torn struct{}

func (torn) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }
