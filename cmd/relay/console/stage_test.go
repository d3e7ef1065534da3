package console_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/checkup"
	"quickdumpnow.com/smsrelay/cmd/relay/console"
	"quickdumpnow.com/smsrelay/cmd/relay/mending"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/mediafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	password     = "a horse and a battery"
	fakeOperator = "fake-operator-token"
	business     = sms.PhoneNumber("+18585550100")
	phone        = sms.PhoneNumber("+16195550123")
	bos          = sms.PhoneNumber("+16195550124")
	ann          = sms.PhoneNumber("+13125550147")
	words        = "The lock is <b>frozen</b>"
)

// monday is noon in Los Angeles, and when each stage begins: no test depends on the day on which it runs.
func monday() time.Time { return time.Date(2026, 11, 30, 20, 0, 0, 0, time.UTC) }

// stage is a relay with users of each role, in a data folder, and its console.
type stage struct {
	testing.TB

	folder string
	db     *sqlite.DB
	door   *signin.Door
	relay  *target.Target
	pages  *console.Console
	live   *console.Live
	log    *strings.Builder
	did    *recorded
	inbox  *sqlite.Queue
	media  *mediafolder.Folder
	twilio *relaytest.Twilio
	trail  auditlog.Trail
	dead   *sqlite.Queue
	desk   *mending.Desk
	// examine and problems say how the relay is.
	examine  func(ctx context.Context) ([]checkup.Finding, error)
	problems []string

	mu  sync.Mutex
	now time.Time
}

func (s *stage) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

func (s *stage) pass(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = s.now.Add(d)
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{TB: t, folder: t.TempDir(), now: monday()}
	db, err := sqlite.Open(t.Context(), filepath.Join(s.folder, "relay.db"), s.clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	s.db = db
	s.did = &recorded{Conversations: db.Conversations(), did: map[string]conversation.Action{}}
	s.relay = &target.Target{Routes: db.Routes(), Ledger: db.Ledger(), Conversations: s.did}
	if _, err := route.Seed(t.Context(), db.Routes(), []route.Route{{
		TwilioNumber: business, DestinationCarrier: phone, FallbackCarriers: []sms.PhoneNumber{bos}, Active: true,
		Phones: []route.Phone{{Name: "Bo", Number: bos}}, AnswerTimeout: route.Duration(10 * time.Minute), LastUpdated: s.now,
	}}, s.now); err != nil {
		t.Fatal(err)
	}
	for _, role := range signin.Roles() {
		if _, err := s.users().Add(signin.User{Name: "the-" + string(role), Role: role}, password, s.now); err != nil {
			t.Fatal(err)
		}
	}
	s.trail = trail{db.Changes(), s}
	s.send(db)
	s.open()
	return s
}

func (s *stage) users() signin.Users { return signin.NewUsers(filepath.Join(s.folder, "users")) }

// open starts the console, or starts it again.
func (s *stage) open() {
	s.Helper()
	var err error
	s.door, err = signin.Open(signin.Config{
		Users: s.users(), SessionsFile: filepath.Join(s.folder, "sessions.json"), OperatorToken: fakeOperator, Now: s.clock,
	})
	if err != nil {
		s.Fatal(err)
	}
	s.log = &strings.Builder{}
	s.live = console.NewLive(5)
	s.pages, err = console.New(console.Config{
		Examine: s.examine, Problems: func() []string { return s.problems },
		Door: s.door, Relay: s.relay, API: s.api(), Live: s.live,
		PublicBaseURLs: []string{"https://relay.example.com"}, Now: s.clock,
		Logger: slog.New(slog.NewTextHandler(s.log, nil)),
	})
	if err != nil {
		s.Fatal(err)
	}
}

// waits has a customer wait with one text, since some time.
func (s *stage) waits(customer sms.PhoneNumber, sid string, since time.Duration, edit func(*conversation.Conversation)) {
	s.Helper()
	before := conversation.Conversation{TwilioNumber: business, Customer: customer}
	wanted, at := before, s.now.Add(-since).UTC().Truncate(time.Millisecond)
	wanted.Spell = conversation.Spell{MessageSid: sid, BeganAt: at, NewestSid: sid, NewestAt: at, Texts: 1, DueAt: at.Add(10 * time.Minute)}
	if edit != nil {
		edit(&wanted)
	}
	if _, err := auditlog.PutConversation(s.Context(), s.relay.Conversations, before, wanted, s.now); err != nil {
		s.Fatal(err)
	}
	if _, err := auditlog.Put(s.Context(), s.relay.Ledger, ledger.Record{}, ledger.Record{
		MessageSid: sid, TwilioNumber: business, Customer: customer, Body: words, ReceivedAt: at, State: ledger.Delivered,
	}); err != nil {
		s.Fatal(err)
	}
}

// browser is somebody's browser.
type browser struct {
	*stage

	cookies map[string]*http.Cookie
	// header is what else it sends.
	header http.Header
	host   string
	source string
}

func (s *stage) browser() *browser {
	return &browser{stage: s, cookies: map[string]*http.Cookie{}, header: http.Header{}, host: "127.0.0.1:8080", source: "192.0.2.1:4711"}
}

// do sends a request as a browser would that shows the console.
func (b *browser) do(method, path string, form url.Values) *httptest.ResponseRecorder {
	b.Helper()
	return b.doBody(method, path, strings.NewReader(form.Encode()))
}

// doBody is do with a body of another kind of form.
func (b *browser) doBody(method, path string, body io.Reader) *httptest.ResponseRecorder {
	b.Helper()
	r := httptest.NewRequestWithContext(b.Context(), method, path, body)
	r.Host, r.RemoteAddr = b.host, b.source
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, values := range b.header {
		r.Header[name] = values
	}
	for _, cookie := range b.cookies {
		r.AddCookie(&http.Cookie{Name: cookie.Name, Value: cookie.Value})
	}
	answer := httptest.NewRecorder()
	b.pages.ServeHTTP(answer, r)
	for _, cookie := range answer.Result().Cookies() {
		if cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
			continue
		}
		b.cookies[cookie.Name] = cookie
	}
	return answer
}

func (b *browser) signIn(name, secret string) *httptest.ResponseRecorder {
	b.Helper()
	return b.do(http.MethodPost, "/console/sign-in", url.Values{"name": {name}, "password": {secret}})
}

// as returns the browser of somebody who is signed in.
func (s *stage) as(role signin.Role) *browser {
	s.Helper()
	b := s.browser()
	if answer := b.signIn("the-"+string(role), password); answer.Code != http.StatusSeeOther {
		s.Fatalf("the %s is not let in: %d %s", role, answer.Code, answer.Body)
	}
	return b
}

var formToken = regexp.MustCompile(`name="form" value="([^"]+)"`)

// form returns the token that the forms of a page carry.
func (b *browser) form() string {
	b.Helper()
	found := formToken.FindStringSubmatch(b.do(http.MethodGet, "/console", nil).Body.String())
	if found == nil {
		b.Fatal("the page has no form")
	}
	return found[1]
}

func (b *browser) want(answer *httptest.ResponseRecorder, status int, has ...string) {
	b.Helper()
	if answer.Code != status {
		b.Errorf("the answer is %d, want %d: %s", answer.Code, status, answer.Body)
	}
	for _, text := range has {
		if !strings.Contains(answer.Body.String(), text) {
			b.Errorf("the page does not have %q: %s", text, answer.Body)
		}
	}
}

// annsPage is the page of a customer.
func annsPage() string {
	return "/console/customer?" + url.Values{"number": {string(business)}, "customer": {string(ann)}}.Encode()
}

func sid(n int) string { return fmt.Sprintf("SM%032d", n) }
