package twilio

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// specFile is Twilio's OpenAPI document, which is kept next to the repository and not in it.
const specFile = "shared/reference/twilio_api_v2010.json"

// findSpec looks for the document in this directory and in every one above it.
func findSpec() (path string, found bool) {
	dir, err := filepath.Abs(".")
	if err != nil {
		return "", false
	}
	for {
		path := filepath.Join(dir, filepath.FromSlash(specFile))
		if _, err := os.Stat(path); err == nil {
			return path, true
		}
		if dir == filepath.Dir(dir) {
			return "", false
		}
		dir = filepath.Dir(dir)
	}
}

// specRouter reads those paths of the document that the client uses. The document is not validated as a whole: some of its own
// examples do not pass.
var specRouter = sync.OnceValues(func() (routers.Router, error) {
	path, _ := findSpec()
	document, err := openapi3.NewLoader().LoadFromFile(path)
	if err != nil {
		return nil, err
	}
	for path := range document.Paths.Map() {
		used := path == "/2010-04-01/Accounts/{Sid}.json" || strings.HasPrefix(path, "/2010-04-01/Accounts/{AccountSid}/Messages") ||
			strings.HasPrefix(path, "/2010-04-01/Accounts/{AccountSid}/IncomingPhoneNumbers")
		if !used {
			document.Paths.Delete(path)
		}
	}
	return gorillamux.NewRouter(document)
})

// spec checks exchanges against Twilio's OpenAPI document.
type spec struct {
	router routers.Router
}

func newSpec(t *testing.T) *spec {
	t.Helper()
	if _, found := findSpec(); !found {
		t.Skipf("%s is not there", specFile)
	}
	router, err := specRouter()
	if err != nil {
		t.Fatalf("read %s: %v", specFile, err)
	}
	return &spec{router: router}
}

// check returns what is wrong with a request and with the answer to it.
func (s *spec) check(ctx context.Context, r *http.Request, body []byte, w *httptest.ResponseRecorder) (request, response error) {
	r = r.Clone(ctx)
	r.URL.Scheme, r.URL.Host = "https", "api.twilio.com"
	r.Body = io.NopCloser(bytes.NewReader(body))
	route, params, err := s.router.FindRoute(r)
	if err != nil {
		return err, nil
	}
	input := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	request = openapi3filter.ValidateRequest(ctx, input)
	response = openapi3filter.ValidateResponse(ctx, &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: w.Code, Header: w.Header(),
		Body: io.NopCloser(bytes.NewReader(w.Body.Bytes())),
	})
	return request, response
}

// checked answers with handler and fails the test if the request or the answer is not as the document has it.
func (s *spec) checked(t *testing.T, handler http.HandlerFunc) http.HandlerFunc {
	t.Helper()
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the request: %v", err)
		}
		recorder := httptest.NewRecorder()
		handler(recorder, r)
		request, response := s.check(r.Context(), r, body, recorder)
		if request != nil {
			t.Errorf("%s %s: request is not as Twilio wants it: %v", r.Method, r.URL, request)
		}
		if response != nil {
			t.Errorf("%s %s: answer is not as Twilio's: %v", r.Method, r.URL, response)
		}
		for name, values := range recorder.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(recorder.Body.Bytes())
	}
}

// serveChecked is httptest's server alone: serve would read the body before the check can.
func serveChecked(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(newSpec(t).checked(t, handler))
	t.Cleanup(s.Close)
	return s.URL
}

func TestCreateKeepsToTheSpec(t *testing.T) {
	client := newClient(t, serveChecked(t, answer(http.StatusCreated, message(t, nil))))
	for _, period := range []time.Duration{0, 1, 1500 * time.Millisecond, 4 * time.Hour, 2 * sms.MaxValidityPeriod} {
		m := outbound
		m.ValidityPeriod = period
		if _, err := client.Create(t.Context(), m); err != nil {
			t.Errorf("Create() with a validity period of %s: %v", period, err)
		}
	}
}

func TestFetchKeepsToTheSpec(t *testing.T) {
	client := newClient(t, serveChecked(t, answer(http.StatusOK, message(t, nil))))
	if _, err := client.Fetch(t.Context(), testSid); err != nil {
		t.Errorf("Fetch(): %v", err)
	}
}

func TestListKeepsToTheSpec(t *testing.T) {
	client := newClient(t, serveChecked(t, pages(t, 300)))
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	filter := ListFilter{To: outbound.To, From: outbound.From, SentAfter: now.Add(-time.Hour), SentBefore: now}
	found, err := client.List(t.Context(), filter)
	if err != nil || len(found) != 300 {
		t.Errorf("List() found %d, %v, want 300", len(found), err)
	}
}

// The check itself must be able to find fault.
func TestTheSpecRefuses(t *testing.T) {
	s := newSpec(t)
	good := httptest.NewRecorder()
	answer(http.StatusCreated, message(t, nil))(good, nil)
	bad := httptest.NewRecorder()
	answer(http.StatusCreated, message(t, map[string]any{"status": "posted"}))(bad, nil)
	post := func(body string) (*http.Request, []byte) {
		r := httptest.NewRequest(http.MethodPost, messagesPath, nil)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		return r, []byte(body)
	}
	r, body := post("To=%2B18585550199")
	if request, response := s.check(t.Context(), r, body, good); request != nil || response != nil {
		t.Errorf("a good exchange: %v, %v", request, response)
	}
	if _, response := s.check(t.Context(), r, body, bad); response == nil {
		t.Error("an answer with a status that does not exist passes")
	}
	r, body = post("From=%2B18585550142")
	if request, _ := s.check(t.Context(), r, body, good); request == nil {
		t.Error("a request without To passes")
	}
}
