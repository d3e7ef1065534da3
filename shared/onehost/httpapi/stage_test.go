package httpapi_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/onehost/httpapi"
)

// noon is what the clock shows.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const (
	openPath     = "/sms/inbound"
	operatorPath = "/sms/relay"
	// token opens the operator routes. It is nobody's.
	token = "not-a-real-token"
)

// stage is a gateway before one function on two routes.
type stage struct {
	*httpapi.Gateway

	logged *bytes.Buffer

	mu       *sync.Mutex
	requests *[]events.APIGatewayV2HTTPRequest
	// answer is what the function does, besides writing down the request.
	answer *httpapi.Function
}

// newStage returns a gateway whose function answers 200 and "done".
func newStage(edits ...func(*httpapi.Config)) stage {
	s := stage{logged: &bytes.Buffer{}, mu: &sync.Mutex{}, requests: &[]events.APIGatewayV2HTTPRequest{}, answer: new(httpapi.Function)}
	s.answers(events.APIGatewayV2HTTPResponse{StatusCode: http.StatusOK, Body: "done"})
	function := func(ctx context.Context, request events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		s.mu.Lock()
		*s.requests = append(*s.requests, request)
		s.mu.Unlock()
		return (*s.answer)(ctx, request)
	}
	config := httpapi.Config{
		Routes: []httpapi.Route{
			{Path: openPath, Function: function},
			{Path: operatorPath, Function: function, Operator: true},
		},
		OperatorToken: token, Now: func() time.Time { return noon }, NewID: func() string { return "request-1" },
		Logger: slog.New(slog.NewJSONHandler(s.logged, nil)),
	}
	for _, edit := range edits {
		edit(&config)
	}
	s.Gateway = httpapi.New(config)
	return s
}

// answers lets the function answer with response.
func (s stage) answers(response events.APIGatewayV2HTTPResponse) {
	*s.answer = func(context.Context, events.APIGatewayV2HTTPRequest) (events.APIGatewayV2HTTPResponse, error) {
		return response, nil
	}
}

// ran returns how many requests the function got.
func (s stage) ran() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(*s.requests)
}

// got returns the one request that the function got.
func (s stage) got(t *testing.T) events.APIGatewayV2HTTPRequest {
	t.Helper()
	if s.ran() != 1 {
		t.Fatalf("the function ran %d times, want once", s.ran())
	}
	return (*s.requests)[0]
}

// ask sends a request with pairs of header names and values.
func (s stage) ask(method, target, body string, headers ...string) *httptest.ResponseRecorder {
	request := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	s.ServeHTTP(recorder, request)
	return recorder
}

// wantMessage fails unless the answer is the gateway's own of that status.
func wantMessage(t *testing.T, w *httptest.ResponseRecorder, status int) {
	t.Helper()
	if w.Code != status || w.Header().Get("Content-Type") != "application/json" {
		t.Errorf("status %d of type %q, want %d and JSON", w.Code, w.Header().Get("Content-Type"), status)
	}
	compare(t, "body", `{"message":"`+http.StatusText(status)+`"}`, w.Body.String())
}

// compare fails on any difference.
func compare(t *testing.T, what string, want, got any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}
