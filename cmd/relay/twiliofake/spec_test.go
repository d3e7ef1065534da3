package twiliofake_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
)

// errNoSpec means that Twilio's OpenAPI document is not next to the module.
var errNoSpec = errors.New("no OpenAPI document")

// specPath looks upwards for the module's root; the document is kept next to it.
func specPath() (string, error) {
	dir, err := filepath.Abs(".")
	if err != nil {
		return "", err
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			return "", errNoSpec
		}
	}
	path := filepath.Join(dir, "..", "shared", "reference", "twilio_api_v2010.json")
	if _, err := os.Stat(path); err != nil {
		return "", errNoSpec
	}
	return path, nil
}

// spec is a router over those of the document's paths that the fake serves. The document as a whole is never validated: its own examples
// do not pass.
var spec = sync.OnceValues(func() (routers.Router, error) {
	path, err := specPath()
	if err != nil {
		return nil, err
	}
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

// againstSpec serves next and fails the test where an exchange that succeeded is not as the document says, or where
// an error is not in the form of Twilio's errors.
func againstSpec(t *testing.T, next http.Handler) http.Handler {
	t.Helper()
	router, err := spec()
	if err != nil && !errors.Is(err, errNoSpec) {
		t.Fatal(err)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the request: %v", err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		r.Body = io.NopCloser(bytes.NewReader(body))
		if strings.HasPrefix(r.URL.Path, "/2010-04-01/") {
			checkExchange(t, router, r, recorded)
		}
		for name, values := range recorded.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorded.Code)
		_, _ = w.Write(recorded.Body.Bytes())
	})
}

func checkExchange(t *testing.T, router routers.Router, r *http.Request, recorded *httptest.ResponseRecorder) {
	t.Helper()
	if recorded.Code/100 == 3 {
		return // the way to an attachment, of which the specification knows nothing
	}
	if recorded.Code/100 != 2 {
		checkRefusal(t, recorded)
		return
	}
	if router == nil {
		return
	}
	if err := validateExchange(router, r, recorded); err != nil {
		t.Errorf("%s %s: not as Twilio's OpenAPI document has it: %v", r.Method, r.URL, err)
	}
}

func validateExchange(router routers.Router, r *http.Request, recorded *httptest.ResponseRecorder) error {
	request := r.Clone(r.Context())
	request.URL.Scheme, request.URL.Host, request.Host = "https", "api.twilio.com", "api.twilio.com"
	route, pathParams, err := router.FindRoute(request)
	if err != nil {
		return err
	}
	input := &openapi3filter.RequestValidationInput{
		Request: request, PathParams: pathParams, Route: route,
		Options: &openapi3filter.Options{
			AuthenticationFunc:    openapi3filter.NoopAuthenticationFunc,
			IncludeResponseStatus: true,
			// Twilio documents dates without a time, and the document's date-time refuses them.
			ExcludeRequestQueryParams: hasPlainDate(r.URL.Query()),
		},
	}
	if err := openapi3filter.ValidateRequest(r.Context(), input); err != nil {
		return err
	}
	return openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: input, Status: recorded.Code, Header: recorded.Header(),
		Body: io.NopCloser(bytes.NewReader(recorded.Body.Bytes())), Options: input.Options,
	})
}

func hasPlainDate(query url.Values) bool {
	return slices.ContainsFunc([]string{"DateSent", "DateSent<", "DateSent>"}, func(name string) bool {
		return query.Has(name) && !strings.Contains(query.Get(name), "T")
	})
}

func checkRefusal(t *testing.T, recorded *httptest.ResponseRecorder) {
	t.Helper()
	var got struct {
		Code     int    `json:"code"`
		Message  string `json:"message"`
		MoreInfo string `json:"more_info"`
		Status   int    `json:"status"`
	}
	decoder := json.NewDecoder(bytes.NewReader(recorded.Body.Bytes()))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&got); err != nil {
		t.Errorf("error answer: %v: %s", err, recorded.Body)
		return
	}
	if got.Code == 0 || got.Message == "" || got.Status != recorded.Code ||
		!strings.HasPrefix(got.MoreInfo, "https://www.twilio.com/docs/errors/") {
		t.Errorf("error answer %d: %+v", recorded.Code, got)
	}
}

// TestSpecNotices shows that the document is really held against the answers: it must object to spoilt ones.
func TestSpecNotices(t *testing.T) {
	router, err := spec()
	if errors.Is(err, errNoSpec) {
		t.Skip("Twilio's OpenAPI document is not next to the module")
	}
	if err != nil {
		t.Fatal(err)
	}
	const target = "https://api.twilio.com/2010-04-01/Accounts/" + accountSid + "/Messages.json"
	for name, body := range map[string]string{
		"malformed sid":        `{"sid":"SM1"}`,
		"status of no message": `{"status":"posted"}`,
		"num_media a number":   `{"num_media":0}`,
	} {
		t.Run(name, func(t *testing.T) {
			request := httptest.NewRequest(http.MethodPost, target, strings.NewReader(params().Encode()))
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			recorded := httptest.NewRecorder()
			recorded.Header().Set("Content-Type", "application/json")
			recorded.WriteHeader(http.StatusCreated)
			recorded.Body.WriteString(body)
			if err := validateExchange(router, request, recorded); err == nil {
				t.Errorf("%s passed", body)
			}
		})
	}
}
