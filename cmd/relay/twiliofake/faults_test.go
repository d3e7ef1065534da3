package twiliofake_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

type smsNumber = sms.PhoneNumber

func before(fault twiliofake.Fault) func(*twiliofake.Config) {
	return func(c *twiliofake.Config) {
		c.Faults.BeforeCreate = func(url.Values) twiliofake.Fault { return fault }
	}
}

func after(fault twiliofake.Fault) func(*twiliofake.Config) {
	return func(c *twiliofake.Config) {
		c.Faults.AfterCreate = func(twiliofake.Message) twiliofake.Fault { return fault }
	}
}

func TestFaultsThatAnswer(t *testing.T) {
	tests := []struct {
		name       string
		change     func(*twiliofake.Config)
		status     int
		code       float64
		retryAfter string
		messages   int
	}{
		{"500 before accepting", before(twiliofake.Fault{Status: 500}), 500, 20500, "", 0},
		{"503 before accepting", before(twiliofake.Fault{Status: 503}), 503, 20503, "", 0},
		{"429", before(twiliofake.Fault{Status: 429, RetryAfter: 1500 * time.Millisecond}), 429, 20429, "2", 0},
		{"401", before(twiliofake.Fault{Status: 401}), 401, 20003, "", 0},
		{"404", before(twiliofake.Fault{Status: 404}), 404, 20404, "", 0},
		{"403", before(twiliofake.Fault{Status: 403}), 403, 20001, "", 0},
		{"500 after accepting", after(twiliofake.Fault{Status: 500}), 500, 20500, "", 1},
		{"no fault", after(twiliofake.Fault{}), 201, 0, "", 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			account := start(t, test.change)
			got := account.create(t, params())
			if got.status != test.status || got.header.Get("Retry-After") != test.retryAfter {
				t.Errorf("status %d, Retry-After %q", got.status, got.header.Get("Retry-After"))
			}
			if test.code != 0 && got.body["code"] != test.code {
				t.Errorf("code %v, want %v", got.body["code"], test.code)
			}
			if messages := len(account.Messages()); messages != test.messages {
				t.Errorf("%d messages, want %d", messages, test.messages)
			}
		})
	}
}

func TestFaultsThatDropTheConnection(t *testing.T) {
	drop := twiliofake.Fault{DropConnection: true}
	tests := []struct {
		name      string
		change    func(*twiliofake.Config)
		messages  int
		callbacks int
	}{
		{"before accepting", before(drop), 0, 0},
		{"after accepting", after(drop), 1, 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			account, app := start(t, test.change), receive(t, nil)
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, account.messagesURL(),
				strings.NewReader(params("StatusCallback", app.url).Encode()))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			request.SetBasicAuth(accountSid, authToken)
			response, err := http.DefaultClient.Do(request)
			if err == nil {
				_ = response.Body.Close()
				t.Errorf("answered %d", response.StatusCode)
			}
			account.settle(t)
			if a, b := len(account.Messages()), len(app.webhooks()); a != test.messages || b != test.callbacks {
				t.Errorf("%d messages and %d callbacks, want %d and %d", a, b, test.messages, test.callbacks)
			}
		})
	}
}

// TestLatencyOutlivesTheCaller has the caller give up during the delay: the message is made all the same.
func TestLatencyOutlivesTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := inBubble(t, nil, before(twiliofake.Fault{Delay: 30 * time.Second}))
		began := time.Now()
		if got := account.create(t, params()); got != http.StatusCreated {
			t.Errorf("status %d", got)
		}
		if took := time.Since(began); took != 30*time.Second || len(account.Messages()) != 1 {
			t.Errorf("%d messages after %s", len(account.Messages()), took)
		}
	})
}

func TestLatencyEndsWithClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := inBubble(t, nil, before(twiliofake.Fault{Delay: time.Hour}))
		began := time.Now()
		time.AfterFunc(time.Minute, account.Close)
		if got := account.create(t, params()); got != http.StatusServiceUnavailable {
			t.Errorf("status %d", got)
		}
		if took := time.Since(began); took != time.Minute {
			t.Errorf("took %s", took)
		}
	})
}

func TestHooksSeeTheRequestAndTheMessage(t *testing.T) {
	var asked url.Values
	var made twiliofake.Message
	account := start(t, func(c *twiliofake.Config) {
		c.Faults.BeforeCreate = func(params url.Values) twiliofake.Fault {
			asked = params
			params.Set("Body", "changed by the hook")
			return twiliofake.Fault{}
		}
		c.Faults.AfterCreate = func(message twiliofake.Message) twiliofake.Fault {
			made = message
			return twiliofake.Fault{}
		}
	})
	sid := account.mustCreate(t, params())
	if asked.Get("To") != string(carrier) || made.Sid != sid || made.Body != "Mattress, 3rd floor" {
		t.Errorf("asked %v, made %+v", asked, made)
	}
}

// serve asks the server without a network and returns the HTTP status.
func serve(tb testing.TB, server http.Handler, method string, params url.Values) int {
	tb.Helper()
	request := httptest.NewRequestWithContext(tb.Context(), method, messagesPath, strings.NewReader(params.Encode()))
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(accountSid, authToken)
	recorded := httptest.NewRecorder()
	server.ServeHTTP(recorded, request)
	return recorded.Code
}

func BenchmarkCreate(b *testing.B) {
	server, err := twiliofake.New(validConfig())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(server.Close)
	for b.Loop() {
		if got := serve(b, server, http.MethodPost, params()); got != http.StatusCreated {
			b.Fatal(got)
		}
	}
}
