package twiliofake_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	accountSid = "AC0123456789abcdef0123456789abcdef"
	authToken  = "notarealauthtoken" // letters alone: the library refuses other credentials
	apiKeySid  = "SK0123456789abcdef0123456789abcdef"
	apiSecret  = "not-a-real-api-key-secret"
	serviceSid = "MG0123456789abcdef0123456789abcdef"

	ours     sms.PhoneNumber = "+18585550100"
	carrier  sms.PhoneNumber = "+18585550111"
	customer sms.PhoneNumber = "+16195550123"
)

var noon = time.Date(2026, time.November, 24, 12, 0, 0, 0, time.UTC)

// clock is a clock that stops until it is told to move.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Advance(by time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(by)
}

// account is a fake Twilio behind a real listener. Every exchange with its API is held against Twilio's own OpenAPI
// document where that is at hand.
type account struct {
	*twiliofake.Server
	clock *clock
	url   string
}

func validConfig() twiliofake.Config {
	return twiliofake.Config{
		AccountSid: accountSid, AuthToken: authToken,
		Numbers: []sms.PhoneNumber{ours, "24365", "QuickDump", "whatsapp:+18585550100"},
		Now:     func() time.Time { return noon },
		NewSid:  countingSids(),
	}
}

// countingSids numbers the identifiers from 1.
func countingSids() func(string) string {
	var mu sync.Mutex
	count := 0
	return func(prefix string) string {
		mu.Lock()
		defer mu.Unlock()
		count++
		return fmt.Sprintf("%s%032x", prefix, count)
	}
}

func start(t *testing.T, changes ...func(*twiliofake.Config)) *account {
	t.Helper()
	stopped := &clock{now: noon}
	cfg := validConfig()
	cfg.Now = stopped.Now
	for _, change := range changes {
		change(&cfg)
	}
	server, err := twiliofake.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(againstSpec(t, server))
	t.Cleanup(func() { listener.Close(); server.Close() })
	return &account{Server: server, clock: stopped, url: listener.URL}
}

// settle waits until nothing is under way.
func (a *account) settle(t *testing.T) {
	t.Helper()
	if err := a.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (a *account) messagesURL() string {
	return a.url + "/2010-04-01/Accounts/" + accountSid + "/Messages.json"
}

// answer is an answer of the API.
type answer struct {
	status int
	header http.Header
	body   map[string]any
}

func (a *account) do(t *testing.T, method, target string, params url.Values) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, target, strings.NewReader(params.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	request.SetBasicAuth(accountSid, authToken)
	return send(t, request)
}

func send(t *testing.T, request *http.Request) answer {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	got := answer{status: response.StatusCode, header: response.Header}
	if err := json.Unmarshal(raw, &got.body); err != nil {
		t.Fatalf("answer %d is not JSON: %v\n%s", got.status, err, raw)
	}
	return got
}

func (a *account) create(t *testing.T, params url.Values) answer {
	t.Helper()
	return a.do(t, http.MethodPost, a.messagesURL(), params)
}

// mustCreate returns the new message's Sid.
func (a *account) mustCreate(t *testing.T, params url.Values) string {
	t.Helper()
	got := a.create(t, params)
	if got.status != http.StatusCreated {
		t.Fatalf("create: status %d, %v", got.status, got.body)
	}
	return text(t, got.body, "sid")
}

func (a *account) fetch(t *testing.T, sid string) map[string]any {
	t.Helper()
	got := a.do(t, http.MethodGet, a.url+"/2010-04-01/Accounts/"+accountSid+"/Messages/"+sid+".json", nil)
	if got.status != http.StatusOK {
		t.Fatalf("fetch: status %d, %v", got.status, got.body)
	}
	return got.body
}

func text(t *testing.T, body map[string]any, field string) string {
	t.Helper()
	value, ok := body[field].(string)
	if !ok {
		t.Fatalf("%s is %v, want a string", field, body[field])
	}
	return value
}

// params are a good create request with changes: name, value, name, value … An empty value removes the parameter.
func params(changes ...string) url.Values {
	values := url.Values{"From": {string(ours)}, "To": {string(carrier)}, "Body": {"Mattress, 3rd floor"}}
	for i := 0; i < len(changes); i += 2 {
		if changes[i+1] == "" {
			values.Del(changes[i])
			continue
		}
		values.Set(changes[i], changes[i+1])
	}
	return values
}
