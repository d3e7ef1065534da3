package twiliofake_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"

	twilioclient "github.com/twilio/twilio-go/client"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
)

// webhook is a request that a receiver got.
type webhook struct {
	target string // path and query
	header http.Header
	params url.Values
}

// receiver is the application's side of webhooks and callbacks. It fails the test at any signature that Twilio's own
// library does not accept.
type receiver struct {
	url   string
	mu    sync.Mutex
	got   []webhook
	reply func(n int, w http.ResponseWriter) // n counts from 1; nil answers an empty TwiML response
}

func receive(t *testing.T, reply func(n int, w http.ResponseWriter)) *receiver {
	t.Helper()
	rec := &receiver{reply: reply}
	if reply == nil {
		rec.reply = func(_ int, w http.ResponseWriter) { twiML(w, "<Response/>") }
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("read the webhook: %v", err)
		}
		if !signedFor("http://"+r.Host+r.URL.RequestURI(), body, r.Header.Get("X-Twilio-Signature")) {
			t.Errorf("%s: wrong signature", r.URL)
		}
		rec.reply(rec.add(t, r, body), w)
	}))
	t.Cleanup(server.Close)
	rec.url = server.URL + "/hook" // a URL without a path is signed without the slash that the request then has
	return rec
}

// signedFor asks Twilio's own library.
func signedFor(target string, body []byte, signature string) bool {
	validator := twilioclient.NewRequestValidator(authToken)
	return validator.ValidateBody(target, body, signature)
}

func (rec *receiver) add(t *testing.T, r *http.Request, body []byte) int {
	t.Helper()
	params, err := url.ParseQuery(string(body))
	if err != nil {
		t.Errorf("parse the webhook: %v", err)
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	rec.got = append(rec.got, webhook{target: r.URL.RequestURI(), header: r.Header.Clone(), params: params})
	return len(rec.got)
}

func (rec *receiver) webhooks() []webhook {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return append([]webhook{}, rec.got...)
}

func twiML(w http.ResponseWriter, document string) {
	w.Header().Set("Content-Type", "text/xml")
	_, _ = io.WriteString(w, document)
}

// events is an observer.
type events struct {
	mu  sync.Mutex
	got []twiliofake.Event
}

func (e *events) observe(event twiliofake.Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.got = append(e.got, event)
}

func (e *events) all() []twiliofake.Event {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]twiliofake.Event{}, e.got...)
}

func (e *events) kinds() []twiliofake.EventKind {
	var kinds []twiliofake.EventKind
	for _, event := range e.all() {
		kinds = append(kinds, event.Kind)
	}
	return kinds
}
