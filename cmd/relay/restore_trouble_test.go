package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// troubledList is a Twilio whose lists have two messages a page, and fail. The others of its answers are the fake's.
type troubledList struct {
	// first and later are the HTTP status of each first and each further page; 0 answers them.
	first, later atomic.Int64
	fake         http.Handler
}

func newTroubledList(t *testing.T, twilioURL string) (*troubledList, string) {
	t.Helper()
	target, err := url.Parse(twilioURL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	// A relay that is killed leaves requests behind, which nobody needs to read about.
	proxy.ErrorHandler = func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }
	l := &troubledList{fake: proxy}
	server := httptest.NewServer(l)
	t.Cleanup(server.Close)
	return l, server.URL
}

func (l *troubledList) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/Messages.json") {
		query := r.URL.Query()
		status := l.first.Load()
		if query.Has("PageToken") {
			status = l.later.Load()
		}
		if status != 0 {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(int(status))
			_, _ = fmt.Fprintf(w, `{"code": 20%d, "message": "trouble", "status": %d}`, status, status)
			return
		}
		query.Set("PageSize", "2")
		r.URL.RawQuery = query.Encode()
	}
	l.fake.ServeHTTP(w, r)
}

// TestRestoreThroughTrouble restores a folder while Twilio's lists fail, and stops the relay before it could ask. Nothing goes out until
// they can be read, nothing is lost, and nothing is sent twice. The lists have many pages.
func TestRestoreThroughTrouble(t *testing.T) {
	t.Parallel()
	s := &restoring{t: t, binary: relayProgram(t), folder: t.TempDir(), taken: map[string]bool{}}
	var busy atomic.Bool
	fake, twilioURL := newFake(t, func(c *twiliofake.Config) {
		c.Faults.BeforeCreate = func(url.Values) twiliofake.Fault {
			if busy.Load() {
				return twiliofake.Fault{Status: http.StatusTooManyRequests, RetryAfter: time.Second}
			}
			return twiliofake.Fault{}
		}
	})
	s.fake = fake
	lists, listsURL := newTroubledList(t, twilioURL)
	s.twilioURL, s.routes = listsURL, writeMaintenance(t, s.folder, testRoutes())
	relay := s.start(0)
	s.text(relay.url, 3, 0)
	s.settle(relay.url, 0)
	s.run("backup", filepath.Join(s.folder, "backups"), "--data", s.data(0))
	s.text(relay.url, 4, 0)
	s.settle(relay.url, 0)
	busy.Store(true)
	s.text(relay.url, 3, 1)
	relay.kill()
	if err := os.RemoveAll(s.data(0)); err != nil {
		t.Fatal(err)
	}
	s.run("restore", filepath.Join(s.folder, "backups"), "--data", s.data(1))
	busy.Store(false)

	lists.first.Store(http.StatusServiceUnavailable)
	relay = s.start(1)
	s.fails("503")
	time.Sleep(time.Second) // Twilio's dates are exact to the second: what comes now came after the start.
	s.text(relay.url, 1, 0)
	s.nothingGoesOut(relay)
	relay.kill()

	lists.first.Store(0)
	lists.later.Store(http.StatusTooManyRequests)
	relay = s.start(1)
	s.fails("429")
	s.nothingGoesOut(relay)
	lists.later.Store(0)
	s.settle(relay.url, 1)
	s.count()
	waitUntil(t, "Twilio was asked", time.Minute, func() bool { return !s.catchUp().DoneAt.IsZero() })
	if state := s.catchUp(); state.Queued != 7 || state.Failure != "" {
		t.Errorf("catching up: %+v, want 7 texts queued", state)
	}
}

// text lets customers text one after the other, a text each, from that one on.
func (s *restoring) text(relayURL string, customers, first int) {
	s.t.Helper()
	for i := range customers {
		s.texts++
		in := twiliofake.Inbound{From: burstCustomer(first + i), To: testNumber, Body: fmt.Sprintf("text %d", s.texts)}
		response, err := s.fake.SendInbound(s.t.Context(), in, relayURL+webhook.PathInbound)
		if err != nil || !response.Taken {
			s.t.Fatalf("text %d: taken %t, error %v", s.texts, response.Taken, err)
		}
		s.taken[response.MessageSid] = true
	}
}

// catchUp is how far catching up has come.
func (s *restoring) catchUp() backups.CatchUp {
	s.t.Helper()
	state, _, err := backups.ReadCatchUp(s.data(1))
	if err != nil {
		s.t.Fatal(err)
	}
	return state
}

// fails waits until Twilio could not be asked for that reason.
func (s *restoring) fails(reason string) {
	s.t.Helper()
	waitUntil(s.t, "catching up fails with "+reason, time.Minute, func() bool { return strings.Contains(s.catchUp().Failure, reason) })
}

// nothingGoesOut checks that the relay sends nothing, though seven texts and a new one wait.
func (s *restoring) nothingGoesOut(relay *serving) {
	s.t.Helper()
	time.Sleep(time.Second)
	sent, waiting := sentByText(s.t, s.fake), 0
	for sid := range s.taken {
		if sent[sid] == 0 {
			waiting++
		}
		if state := stateOf(s.t, relay.url, sid); sent[sid] == 0 && state != "" && state != ledger.Queued {
			s.t.Errorf("%s is %q", sid, state)
		}
	}
	if waiting != 4 {
		s.t.Errorf("%d texts wait, want the three that the lost relay did not send, and the new one", waiting)
	}
}
