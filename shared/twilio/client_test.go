package twilio

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const messagesPath = "/2010-04-01/Accounts/" + testAccount + "/Messages.json"

func TestCreate(t *testing.T) {
	s := serve(t, answer(http.StatusCreated, message(t, nil)))
	got, err := newClient(t, s.URL).Create(t.Context(), outbound)
	if err != nil {
		t.Fatalf("Create(): %v", err)
	}
	if diff := cmp.Diff(Created{Sid: testSid, Status: sms.StatusQueued, NumSegments: 2}, got); diff != "" {
		t.Errorf("Create() (-want +got):\n%s", diff)
	}
	requests := s.seen()
	if len(requests) != 1 {
		t.Fatalf("%d requests reached the server, want 1", len(requests))
	}
	request := requests[0]
	if request.method != "POST" || request.path != messagesPath || request.rawQuery != "" {
		t.Errorf("request was %s %s?%s", request.method, request.path, request.rawQuery)
	}
	wantForm := url.Values{
		"From": {string(outbound.From)}, "To": {string(outbound.To)}, "Body": {outbound.Body},
		"StatusCallback": {outbound.StatusCallback},
	}
	if diff := cmp.Diff(wantForm, request.form); diff != "" {
		t.Errorf("form (-want +got):\n%s", diff)
	}
	for name := range request.header {
		if strings.Contains(strings.ToLower(name), "idempotency") {
			t.Errorf("header %s is set: Go's transport may repeat such a POST", name)
		}
	}
}

func TestCreateLeavesOutAnEmptyStatusCallback(t *testing.T) {
	s := serve(t, answer(http.StatusCreated, message(t, nil)))
	if _, err := newClient(t, s.URL).Create(t.Context(), sms.Outbound{From: "A", To: "B", Body: "C"}); err != nil {
		t.Fatalf("Create(): %v", err)
	}
	if diff := cmp.Diff(url.Values{"From": {"A"}, "To": {"B"}, "Body": {"C"}}, s.seen()[0].form); diff != "" {
		t.Errorf("form (-want +got):\n%s", diff)
	}
}

func TestCreateWithMedia(t *testing.T) {
	s := serve(t, answer(http.StatusCreated, message(t, map[string]any{"sid": testMessage, "num_media": "2"})))
	media := []string{"https://relay.example.com/m/1", "https://relay.example.com/m/2"}
	if _, err := newClient(t, s.URL).Create(t.Context(), sms.Outbound{From: "A", To: "B", Body: "C", MediaURLs: media}); err != nil {
		t.Fatalf("Create(): %v", err)
	}
	if diff := cmp.Diff(url.Values{"From": {"A"}, "To": {"B"}, "Body": {"C"}, "MediaUrl": media}, s.seen()[0].form); diff != "" {
		t.Errorf("form (-want +got):\n%s", diff)
	}
}

// Twilio wants whole seconds, from 1 to 36000.
func TestCreateValidityPeriod(t *testing.T) {
	tests := []struct {
		period time.Duration
		want   []string
	}{
		{0, nil},
		{-time.Second, nil},
		{1, []string{"1"}},
		{999 * time.Millisecond, []string{"1"}},
		{time.Second, []string{"1"}},
		{1999 * time.Millisecond, []string{"1"}},
		{4*time.Hour - 1, []string{"14399"}},
		{4 * time.Hour, []string{"14400"}},
		{sms.MaxValidityPeriod, []string{"36000"}},
		{sms.MaxValidityPeriod + time.Hour, []string{"36000"}},
	}
	for _, test := range tests {
		t.Run(test.period.String(), func(t *testing.T) {
			s := serve(t, answer(http.StatusCreated, message(t, nil)))
			m := outbound
			m.ValidityPeriod = test.period
			if _, err := newClient(t, s.URL).Create(t.Context(), m); err != nil {
				t.Fatalf("Create(): %v", err)
			}
			if diff := cmp.Diff(test.want, s.seen()[0].form["ValidityPeriod"]); diff != "" {
				t.Errorf("ValidityPeriod (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCreateTakesAnyAnswerThatNamesTheMessage(t *testing.T) {
	tests := []struct {
		name   string
		status int
		body   string
		want   Created
	}{
		{"200", 200, message(t, nil), Created{Sid: testSid, Status: "queued", NumSegments: 2}},
		{
			"202 and accepted", 202, message(t, map[string]any{"status": "accepted", "num_segments": "0"}),
			Created{Sid: testSid, Status: "accepted"},
		},
		{
			"failed at once", 201, message(t, map[string]any{"status": "failed"}),
			Created{Sid: testSid, Status: "failed", NumSegments: 2},
		},
		{"a Sid and nothing else", 201, `{"sid":"` + testSid + `"}`, Created{Sid: testSid}},
		{
			"an invalid number of segments", 201, message(t, map[string]any{"num_segments": "two"}),
			Created{Sid: testSid, Status: "queued"},
		},
		{
			"a new property", 201, message(t, map[string]any{"shade": "blue"}),
			Created{Sid: testSid, Status: "queued", NumSegments: 2},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, answer(test.status, test.body))
			got, err := newClient(t, s.URL).Create(t.Context(), outbound)
			if err != nil || got != test.want {
				t.Errorf("Create() = %+v, %v, want %+v", got, err, test.want)
			}
		})
	}
}

func TestCredentialsAndBaseURL(t *testing.T) {
	tests := []struct {
		name               string
		change             func(*Config)
		username, password string
		path               string
	}{
		{"the account's token", func(*Config) {}, testAccount, testToken, messagesPath},
		{
			"an API key goes first", func(c *Config) { c.APIKeySid, c.APIKeySecret = testKey, testSecret },
			testKey, testSecret, messagesPath,
		},
		{
			"an API key alone", func(c *Config) { c.AuthToken, c.APIKeySid, c.APIKeySecret = "", testKey, testSecret },
			testKey, testSecret, messagesPath,
		},
		{"a base URL with a slash", func(c *Config) { c.BaseURL += "/" }, testAccount, testToken, messagesPath},
		{"a base URL with a prefix", func(c *Config) { c.BaseURL += "/fake/" }, testAccount, testToken, "/fake" + messagesPath},
		{"an http.Client of the caller's", func(c *Config) { c.HTTPClient = &http.Client{} }, testAccount, testToken, messagesPath},
		{"a transport of the caller's", func(c *Config) { c.Transport = &http.Transport{} }, testAccount, testToken, messagesPath},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := serve(t, answer(http.StatusCreated, message(t, nil)))
			if _, err := newClient(t, s.URL, test.change).Create(t.Context(), outbound); err != nil {
				t.Fatalf("Create(): %v", err)
			}
			request := s.seen()[0]
			if request.path != test.path {
				t.Errorf("path is %s, want %s", request.path, test.path)
			}
			username, password, _ := (&http.Request{Header: request.header}).BasicAuth()
			if username != test.username || password != test.password {
				t.Errorf("credentials are %s and %s, want %s and %s", username, password, test.username, test.password)
			}
		})
	}
}

// twilio-go reads these from the environment unless it is kept from it, and would change the host.
func TestTheEnvironmentDoesNotMatter(t *testing.T) {
	t.Setenv("TWILIO_EDGE", "sydney")
	t.Setenv("TWILIO_REGION", "au1")
	var host string
	transport := roundTrip(func(r *http.Request) (*http.Response, error) {
		host = r.URL.Host
		return nil, errors.New("not today")
	})
	_, err := newClient(t, "", func(c *Config) { c.Transport = transport }).Create(t.Context(), outbound)
	if err == nil || host != "api.twilio.com" {
		t.Errorf("host is %q (%v), want api.twilio.com", host, err)
	}
}

// roundTrip is a transport made of a function.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestFetch(t *testing.T) {
	s := serve(t, answer(http.StatusOK, message(t, map[string]any{"status": "undelivered", "error_code": 30003, "num_media": "2"})))
	got, err := newClient(t, s.URL).Fetch(t.Context(), testSid)
	if err != nil {
		t.Fatalf("Fetch(): %v", err)
	}
	want := Listed{
		Sid: testSid, Status: sms.StatusUndelivered, Body: outbound.Body, From: outbound.From, To: outbound.To,
		Direction: "outbound-api", DateCreated: time.Date(2023, 8, 24, 5, 1, 45, 0, time.UTC), ErrorCode: 30003, NumMedia: 2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Fetch() (-want +got):\n%s", diff)
	}
	request := s.seen()[0]
	if want := strings.TrimSuffix(messagesPath, ".json") + "/" + testSid + ".json"; request.method != "GET" || request.path != want {
		t.Errorf("request was %s %s, want GET %s", request.method, request.path, want)
	}
}

func TestFetchRefusesWhatIsNoMessageSid(t *testing.T) {
	s := serve(t, answer(http.StatusOK, message(t, nil)))
	client := newClient(t, s.URL)
	for _, sid := range []string{"", "SM1", testKey, testSid + "/../x", "../" + testSid, testSid[:33] + "?"} {
		if _, err := client.Fetch(t.Context(), sid); err == nil || fault.Of(err).Kind != fault.Permanent {
			t.Errorf("Fetch(%q): %v, want a permanent fault", sid, err)
		}
	}
	if len(s.seen()) != 0 {
		t.Errorf("the server was asked: %v", s.seen())
	}
}

func TestNewRefuses(t *testing.T) {
	good := Config{AccountSid: testAccount, AuthToken: testToken}
	tests := []struct {
		name   string
		change func(*Config)
		want   []string
	}{
		{"nothing set", func(c *Config) { *c = Config{} }, []string{"AccountSid", "AuthToken"}},
		{"an invalid account", func(c *Config) { c.AccountSid = testKey }, []string{"AccountSid"}},
		{"an account with a path in it", func(c *Config) { c.AccountSid = "AC/../../../0123456789abcdef0123456" }, []string{"AccountSid"}},
		{"a blank token", func(c *Config) { c.AuthToken = " " }, []string{"AuthToken"}},
		{"an API key without its secret", func(c *Config) { c.APIKeySid = testKey }, []string{"APIKeySecret"}},
		{"an API key's secret alone", func(c *Config) { c.APIKeySecret = testSecret }, []string{"APIKeySid"}},
		{"an invalid API key", func(c *Config) { c.APIKeySid, c.APIKeySecret = testAccount, testSecret }, []string{"APIKeySid"}},
		{"a base URL without a scheme", func(c *Config) { c.BaseURL = "api.example.com" }, []string{"BaseURL"}},
		{"a base URL without a host", func(c *Config) { c.BaseURL = "https:///x" }, []string{"BaseURL"}},
		{"a base URL in the clear", func(c *Config) { c.BaseURL = "http://api.example.com" }, []string{"BaseURL is http beyond this host"}},
		{
			"a base URL in the clear, of an address", func(c *Config) { c.BaseURL = "http://192.0.2.7:80" },
			[]string{"BaseURL is http beyond this host"},
		},
		{"a base URL with a query", func(c *Config) { c.BaseURL = "https://api.example.com?a=1" }, []string{"BaseURL"}},
		{"a base URL with a secret", func(c *Config) { c.BaseURL = "https://u:" + testSecret + "@api.example.com" }, []string{"BaseURL"}},
		{"an invalid base URL", func(c *Config) { c.BaseURL = "https://" + testSecret + " x" }, []string{"BaseURL"}},
		{"a negative timeout", func(c *Config) { c.Timeout = -1 }, []string{"Timeout"}},
		{"two ways to exchange", func(c *Config) { c.HTTPClient, c.Transport = &http.Client{}, &http.Transport{} }, []string{"HTTPClient"}},
		{
			"several at once", func(c *Config) { c.AccountSid, c.BaseURL, c.Timeout = "x", "x", -1 },
			[]string{"AccountSid", "BaseURL", "Timeout"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			cfg := good
			test.change(&cfg)
			c, err := New(cfg)
			if err == nil {
				t.Fatalf("New() = %v, want an error", c)
			}
			checkNothingLeaks(t, err)
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not name %s", err, want)
				}
			}
		})
	}
}

// The caller's http.Client is used for its connections; what we need of it is set on a copy.
func TestTheCallersClientIsNotChanged(t *testing.T) {
	own := &http.Client{}
	newClient(t, "", func(c *Config) { c.HTTPClient = own })
	if own.CheckRedirect != nil {
		t.Error("New changed the caller's http.Client")
	}
}
