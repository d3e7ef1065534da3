package twiliofake_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
)

// watched keeps what people can look at.
func watched(c *twiliofake.Config) { c.Exchanges = 100 }

// last returns the newest exchange of a kind.
func (a *account) last(t *testing.T, kind twiliofake.ExchangeKind) twiliofake.Exchange {
	t.Helper()
	found, _ := a.Exchanges(twiliofake.ExchangeFilter{Kind: kind, Limit: 1})
	if len(found) == 0 {
		t.Fatalf("no exchange of the kind %s", kind)
	}
	return found[0]
}

func TestVerdictsOfTheAPI(t *testing.T) {
	for name, tt := range map[string]struct {
		fault    twiliofake.Fault
		user     string
		password string
		params   url.Values
		accepted bool
		code     int
		verdict  string
	}{
		"accepted":       {twiliofake.Fault{}, accountSid, authToken, params(), true, 0, "authenticated, and accepted as SM"},
		"wrong password": {twiliofake.Fault{}, accountSid, "x", params(), false, 20003, "not authenticated: " + accountSid + " is not known"},
		"no credentials": {twiliofake.Fault{}, "", "", params(), false, 20003, "not authenticated: the request has no credentials (20003)"},
		"refused": {
			twiliofake.Fault{},
			accountSid, authToken, params("To", "+15005550004"), false, 21610,
			"authenticated, and refused: Attempt to send to unsubscribed recipient (21610)",
		},
		"a fault before": {
			twiliofake.Fault{Status: 503},
			accountSid, authToken, params(), false, 20503,
			"fault: answered 503; no message was made",
		},
		"a fault after": {
			twiliofake.Fault{Status: 500, OnceTaken: true},
			accountSid, authToken, params(), false, 20500,
			"fault: answered 500; the message SM",
		},
		"a closed connection": {
			twiliofake.Fault{DropConnection: true, OnceTaken: true},
			accountSid, authToken, params(), false, 0,
			"fault: the connection was closed without an answer; the message SM",
		},
	} {
		t.Run(name, func(t *testing.T) {
			account := start(t, watched, func(c *twiliofake.Config) {
				c.Faults.BeforeCreate = func(url.Values) twiliofake.Fault { return tt.fault }
			})
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, account.messagesURL(), strings.NewReader(tt.params.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			request.Header.Set("Content-Type", formType)
			if tt.user != "" {
				request.SetBasicAuth(tt.user, tt.password)
			}
			if answer, err := http.DefaultClient.Do(request); err == nil {
				_ = answer.Body.Close()
			}
			got := account.last(t, twiliofake.ExchangeAPI)
			if got.Accepted != tt.accepted || got.ErrorCode != tt.code || !strings.HasPrefix(got.Verdict, tt.verdict) || got.User != tt.user {
				t.Errorf("got %+v", got)
			}
			if got.Params.Get("Body") != tt.params.Get("Body") || strings.Contains(fmt.Sprint(got), authToken) {
				t.Errorf("kept %+v", got)
			}
		})
	}
}

func TestVerdictsOfWebhooks(t *testing.T) {
	broken := receive(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) })
	app := receive(t, func(_ int, w http.ResponseWriter) { twiML(w, "<Response><Message>Hello</Message></Response>") })
	account := start(t, watched, func(c *twiliofake.Config) {
		c.Webhook = twiliofake.Webhook{URL: broken.url + "?a=b#rc=2&rp=5xx", FallbackURL: app.url}
	})
	if _, err := account.SendInbound(t.Context(), sofa(), ""); err != nil {
		t.Fatal(err)
	}
	first, second := account.last(t, twiliofake.ExchangeWebhook), account.last(t, twiliofake.ExchangeFallback)
	if first.Accepted || first.ErrorCode != 11200 || fmt.Sprint(first.Tries) != "[502 502 502]" || !first.SignatureVerifies ||
		first.Verdict != "not accepted: HTTP status 502 (11200) after 3 tries; the fallback URL is asked next" || first.URL != broken.url+"?a=b" {
		t.Errorf("the webhook is %+v", first)
	}
	if !second.Accepted || second.Verdict != "accepted with 200, replies: 1" || second.Params.Get("ErrorCode") != "11200" ||
		!second.SignatureVerifies || !strings.Contains(second.Answer, "<Message>Hello") {
		t.Errorf("the fallback is %+v", second)
	}
	refused, _ := account.Exchanges(twiliofake.ExchangeFilter{Refused: true, Text: "a=B"})
	if len(refused) != 1 || refused[0].ID != first.ID {
		t.Errorf("refused are %+v", refused)
	}
}

func TestVerdictsOfCallbacks(t *testing.T) {
	app := receive(t, func(n int, w http.ResponseWriter) { w.WriteHeader([]int{204, 500}[n-1]) })
	account := start(t, watched)
	sid := account.mustCreate(t, params("StatusCallback", app.url))
	account.settle(t)
	found, more := account.Exchanges(twiliofake.ExchangeFilter{Kind: twiliofake.ExchangeCallback, MessageSid: sid})
	if len(found) != 2 || more || found[0].Verdict != "accepted with 204" || found[1].Verdict != "not accepted: HTTP status 500 (11200)" ||
		found[0].Signature == "" || found[0].Signature == found[1].Signature {
		t.Errorf("callbacks %+v", found)
	}
}

// TestOldExchangesAreForgotten, and pages of them go on where the one before ended.
func TestOldExchangesAreForgotten(t *testing.T) {
	account := start(t, func(c *twiliofake.Config) { c.Exchanges = 3 })
	for range 5 {
		account.do(t, http.MethodGet, account.messagesURL(), nil)
	}
	newest, more := account.Exchanges(twiliofake.ExchangeFilter{Limit: 2})
	if len(newest) != 2 || !more || newest[0].ID != 4 || newest[1].ID != 5 {
		t.Errorf("newest %+v, %t", newest, more)
	}
	older, more := account.Exchanges(twiliofake.ExchangeFilter{Limit: 2, Before: newest[0].ID})
	if len(older) != 1 || more || older[0].ID != 3 {
		t.Errorf("older %+v, %t", older, more)
	}
	if since, _ := account.Exchanges(twiliofake.ExchangeFilter{After: 4}); len(since) != 1 || since[0].ID != 5 {
		t.Errorf("since %+v", since)
	}
}

// TestNothingIsKeptForNobody: tests that text a million times keep no requests.
func TestNothingIsKeptForNobody(t *testing.T) {
	account := start(t)
	account.mustCreate(t, params())
	if found, _ := account.Exchanges(twiliofake.ExchangeFilter{}); len(found) > 0 {
		t.Errorf("kept %+v", found)
	}
}
