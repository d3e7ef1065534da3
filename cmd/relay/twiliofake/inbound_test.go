package twiliofake_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func sofa() twiliofake.Inbound {
	return twiliofake.Inbound{From: customer, To: ours, Body: " Sofa & fridge?  "}
}

func TestInboundWebhookSaysWhatTwilioSays(t *testing.T) {
	account, app := start(t), receive(t, nil)
	response, err := account.SendInbound(t.Context(), sofa(), app.url+"?a=b%20c#rc=1")
	if err != nil {
		t.Fatal(err)
	}
	const sid = "SM00000000000000000000000000000001"
	want := twiliofake.Response{
		MessageSid: sid, Taken: true, URL: app.url + "?a=b%20c", StatusCode: 200, ContentType: "text/xml",
		Body: []byte("<Response/>"), Attempts: 1,
	}
	if diff := cmp.Diff(want, response); diff != "" {
		t.Errorf("response (-want +got):\n%s", diff)
	}
	wantParams := url.Values{
		"MessageSid": {sid}, "SmsSid": {sid}, "SmsMessageSid": {sid}, "AccountSid": {accountSid},
		"ApiVersion": {"2010-04-01"}, "SmsStatus": {"received"}, "From": {string(customer)}, "To": {string(ours)},
		"Body": {" Sofa & fridge?  "}, "NumSegments": {"1"}, "NumMedia": {"0"},
		"FromCity": {""}, "FromState": {""}, "FromZip": {""}, "FromCountry": {"US"},
		"ToCity": {""}, "ToState": {""}, "ToZip": {""}, "ToCountry": {"US"},
	}
	got := app.webhooks()
	if len(got) != 1 || got[0].target != "/hook?a=b%20c" {
		t.Fatalf("webhooks %+v", got)
	}
	if diff := cmp.Diff(wantParams, got[0].params); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}

func TestInboundMediaAndExtras(t *testing.T) {
	account, app := start(t), receive(t, nil)
	inbound := twiliofake.Inbound{
		From: "whatsapp:+16195550123", To: "whatsapp:+18585550100",
		Media: []sms.Media{
			{URL: "https://example.com/a", ContentType: "image/jpeg"}, {URL: "https://example.com/b", ContentType: "image/png"},
		},
		Extra: url.Values{"ProfileName": {"Jo"}, "FromCountry": {"MX"}, "OptOutType": {"HELP"}},
	}
	response, err := account.SendInbound(t.Context(), inbound, app.url)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(response.MessageSid, "MM") {
		t.Errorf("sid %s", response.MessageSid)
	}
	got := app.webhooks()[0].params
	for name, want := range map[string]string{
		"NumMedia": "2", "MediaUrl0": "https://example.com/a", "MediaUrl1": "https://example.com/b",
		"MediaContentType1": "image/png", "ProfileName": "Jo", "FromCountry": "MX", "ToCountry": "", "OptOutType": "HELP",
	} {
		if got.Get(name) != want {
			t.Errorf("%s = %q, want %q", name, got.Get(name), want)
		}
	}
}

func TestInboundIsAMessageResource(t *testing.T) {
	account, app := start(t), receive(t, nil)
	response, err := account.SendInbound(t.Context(), sofa(), app.url)
	if err != nil {
		t.Fatal(err)
	}
	got := account.fetch(t, response.MessageSid)
	if got["direction"] != "inbound" || got["status"] != "received" || got["date_sent"] == nil || got["from"] != string(customer) {
		t.Errorf("resource %v", got)
	}
}

func TestInboundSentAgainIsTheSameMessage(t *testing.T) {
	account, app := start(t), receive(t, nil)
	inbound := sofa()
	inbound.Sid = "SMaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	for range 2 {
		if response, err := account.SendInbound(t.Context(), inbound, app.url); err != nil || response.MessageSid != inbound.Sid {
			t.Fatalf("%+v, %v", response, err)
		}
	}
	if a, b := len(account.Messages()), len(app.webhooks()); a != 1 || b != 2 {
		t.Errorf("%d messages and %d webhooks, want 1 and 2", a, b)
	}
}

func TestInboundThatCannotBePosted(t *testing.T) {
	account := start(t)
	tests := []struct {
		name    string
		inbound twiliofake.Inbound
		url     string
		want    error
	}{
		{"no webhook", sofa(), "", twiliofake.ErrNoWebhook},
		{"none of the numbers", twiliofake.Inbound{From: customer, To: "+18585550199"}, "", twiliofake.ErrNotOurs},
		{"no From", twiliofake.Inbound{To: ours}, "http://app.example.com/", twiliofake.ErrInbound},
		{"no To", twiliofake.Inbound{From: customer}, "http://app.example.com/", twiliofake.ErrInbound},
		{"malformed Sid", twiliofake.Inbound{From: customer, To: ours, Sid: "SM1"}, "http://app.example.com/", twiliofake.ErrInbound},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := account.SendInbound(t.Context(), test.inbound, test.url); !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
			if got := account.Messages(); len(got) != 0 {
				t.Errorf("messages %+v", got)
			}
		})
	}
}

func TestInboundGoesWhereTheNumberSays(t *testing.T) {
	standard, special := receive(t, nil), receive(t, nil)
	account := start(t, func(c *twiliofake.Config) {
		c.Webhook.URL, c.Numbers = standard.url, []sms.PhoneNumber{ours, "+18585550101"}
		c.Webhooks = map[sms.PhoneNumber]twiliofake.Webhook{"+18585550101": {URL: special.url}}
	})
	for _, to := range []sms.PhoneNumber{ours, "+18585550101"} {
		if _, err := account.SendInbound(t.Context(), twiliofake.Inbound{From: customer, To: to, Body: "x"}, ""); err != nil {
			t.Fatal(err)
		}
	}
	if a, b := standard.webhooks(), special.webhooks(); len(a) != 1 || len(b) != 1 || b[0].params.Get("To") != "+18585550101" {
		t.Errorf("standard %v, special %v", a, b)
	}
}

// typed answers 200 with a body of a type; "" sends no type at all.
func typed(contentType, body string) func(int, http.ResponseWriter) {
	return func(_ int, w http.ResponseWriter) {
		w.Header()["Content-Type"] = nil
		if contentType != "" {
			w.Header().Set("Content-Type", contentType)
		}
		_, _ = io.WriteString(w, body)
	}
}

func status(code int) func(int, http.ResponseWriter) {
	return func(_ int, w http.ResponseWriter) {
		w.Header().Set("Location", "/elsewhere")
		w.WriteHeader(code)
	}
}

func TestAnswersTwilioDoesNotTake(t *testing.T) {
	tests := []struct {
		name  string
		reply func(int, http.ResponseWriter)
		code  int // 0: accepted
	}{
		{"TwiML", typed("application/xml; charset=utf-8", `<?xml version="1.0" encoding="UTF-8"?><Response></Response>`), 0},
		{"204", status(204), 0},
		{"just 64 kB", typed("text/xml", "<Response/>"+strings.Repeat(" ", 64<<10-11)), 0},
		{"over 64 kB", typed("text/xml", "<Response/>"+strings.Repeat(" ", 64<<10-10)), 11750},
		{"no Content-Type", typed("", "<Response/>"), 12300},
		{"JSON", typed("application/json", "{}"), 12300},
		{"no XML", typed("text/xml", "ok"), 12200},
		{"empty", typed("text/xml", ""), 12200},
		{"not closed", typed("text/xml", "<Response>"), 12200},
		{"another root", typed("text/xml", "<response/>"), 12200},
		{"unknown verb", typed("text/xml", "<Response><Say/></Response>"), 12200},
		{"blank line before the declaration", typed("text/xml", "\n<?xml version=\"1.0\"?><Response/>"), 12200},
		{"text before", typed("text/xml", "ok <Response/>"), 12200},
		{"text after", typed("text/xml", "<Response/> ok"), 12200},
		{"two documents", typed("text/xml", "<Response/><Response/>"), 12200},
		{"text in the response", typed("text/xml", "<Response>ok</Response>"), 12200},
		{"eleven replies", typed("text/xml", "<Response>"+strings.Repeat("<Message>x</Message>", 11)+"</Response>"), 14109},
		{"403", status(403), 11200},
		{"503", status(503), 11200},
		{"redirect", status(307), 11200},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			account, app := start(t), receive(t, test.reply)
			response, err := account.SendInbound(t.Context(), sofa(), app.url)
			if err != nil {
				t.Fatal(err)
			}
			code := 0
			for _, failure := range response.Errors {
				code = failure.Code
				if failure.URL != app.url || failure.StatusCode != response.StatusCode || failure.Error() == "" {
					t.Errorf("error %+v", failure)
				}
			}
			if code != test.code || response.Taken != (test.code == 0) {
				t.Errorf("code %d, accepted %v, want code %d", code, response.Taken, test.code)
			}
			if len(response.Body) > 64<<10 {
				t.Errorf("%d bytes kept", len(response.Body))
			}
		})
	}
}

func TestFallbackIsAskedWithTheReason(t *testing.T) {
	broken := receive(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) })
	spare := receive(t, nil)
	account := start(t, func(c *twiliofake.Config) {
		c.Webhook = twiliofake.Webhook{URL: broken.url + "#rc=2&rp=5xx", FallbackURL: spare.url + "?fallback=1"}
	})
	response, err := account.SendInbound(t.Context(), sofa(), "")
	if err != nil {
		t.Fatal(err)
	}
	if !response.Taken || response.URL != spare.url+"?fallback=1" || len(response.Errors) != 1 || response.Errors[0].Code != 11200 {
		t.Errorf("response %+v", response)
	}
	tried, asked := broken.webhooks(), spare.webhooks()
	if len(tried) != 3 || len(asked) != 1 {
		t.Fatalf("%d and %d requests, want 3 and 1", len(tried), len(asked))
	}
	got := asked[0].params
	if got.Get("ErrorCode") != "11200" || got.Get("ErrorUrl") != broken.url || got.Get("Body") != sofa().Body {
		t.Errorf("fallback was told %v", got)
	}
	if tried[0].params.Has("ErrorCode") {
		t.Error("the webhook itself was told about an error")
	}
	const token = "I-Twilio-Idempotency-Token"
	if a, b := tried[0].header.Get(token), tried[2].header.Get(token); a == "" || a != b {
		t.Errorf("tokens of the retries: %q and %q", a, b)
	}
	if tried[0].header.Get(token) == asked[0].header.Get(token) {
		t.Error("the fallback has the webhook's token")
	}
}

func TestFallbackThatFailsToo(t *testing.T) {
	broken := receive(t, func(_ int, w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) })
	account := start(t, func(c *twiliofake.Config) {
		c.Webhook = twiliofake.Webhook{URL: broken.url, FallbackURL: broken.url}
	})
	response, err := account.SendInbound(t.Context(), sofa(), "")
	if err != nil || response.Taken || len(response.Errors) != 2 || response.StatusCode != http.StatusBadGateway {
		t.Errorf("%+v, %v", response, err)
	}
}

func TestRepliesInTwiMLAreSent(t *testing.T) {
	account := start(t)
	app := receive(t, func(_ int, w http.ResponseWriter) {
		twiML(w, `<Response><Message>Thanks</Message><Message to="+18585550155" from="+18585550166"><Body>And bye</Body>`+
			`<Media>https://example.com/a.jpg</Media></Message></Response>`)
	})
	response, err := account.SendInbound(t.Context(), sofa(), app.url)
	if err != nil {
		t.Fatal(err)
	}
	account.settle(t)
	if len(response.Replies) != 2 {
		t.Fatalf("replies %+v", response.Replies)
	}
	first, second := account.fetch(t, response.Replies[0].Sid), account.fetch(t, response.Replies[1].Sid)
	if first["from"] != string(ours) || first["to"] != string(customer) || first["body"] != "Thanks" ||
		first["direction"] != "outbound-reply" || first["status"] != "delivered" {
		t.Errorf("first reply %v", first)
	}
	if second["from"] != "+18585550166" || second["to"] != "+18585550155" || second["body"] != "And bye" || second["num_media"] != "1" {
		t.Errorf("second reply %v", second)
	}
}

func TestPlainTextIsAReply(t *testing.T) {
	account := start(t)
	app := receive(t, func(_ int, w http.ResponseWriter) {
		w.Header().Set("Content-Type", "text/plain")
		_, _ = io.WriteString(w, "Thanks")
	})
	response, err := account.SendInbound(t.Context(), sofa(), app.url)
	if err != nil || len(response.Replies) != 1 || response.Replies[0].Body != "Thanks" {
		t.Errorf("%+v, %v", response, err)
	}
}

func TestStopBlocksThePairUntilStart(t *testing.T) {
	account, app := start(t), receive(t, nil)
	says := func(body string) {
		t.Helper()
		if _, err := account.SendInbound(t.Context(), twiliofake.Inbound{From: carrier, To: ours, Body: body}, app.url); err != nil {
			t.Fatal(err)
		}
	}
	says("please stop")
	account.mustCreate(t, params())
	says(" Stop\n")
	if got := account.create(t, params()); got.body["code"] != 21610.0 {
		t.Errorf("after STOP: %v", got.body)
	}
	account.mustCreate(t, params("From", "24365"))
	account.mustCreate(t, params("To", string(customer)))
	says("START")
	account.mustCreate(t, params())
	if got := len(app.webhooks()); got != 3 {
		t.Errorf("%d webhooks, want 3: keywords fire them too", got)
	}
}

// TestCredentialsInTheURL has a webhook that asks for Basic authentication: Twilio's first request carries none, and
// the signature is over the URL with the credentials in it.
func TestCredentialsInTheURL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const target = "http://us%65r:not-a-real-password@app.example.com/sms"
		var seen []*http.Request
		account := inBubble(t, func(r *http.Request) (*http.Response, error) {
			seen = append(seen, r)
			if _, _, ok := r.BasicAuth(); ok {
				return answering(http.StatusOK)(r)
			}
			return answering(http.StatusUnauthorized)(r)
		})
		response, err := account.SendInbound(t.Context(), sofa(), target)
		if err != nil || !response.Taken || response.Attempts != 1 || len(seen) != 2 {
			t.Fatalf("%+v, %v, %d requests", response, err, len(seen))
		}
		user, password, _ := seen[1].BasicAuth()
		if user != "user" || password != "not-a-real-password" || seen[0].Header.Get("Authorization") != "" {
			t.Errorf("credentials %q %q, first %q", user, password, seen[0].Header.Get("Authorization"))
		}
		body, err := io.ReadAll(seen[1].Body)
		if err != nil {
			t.Fatal(err)
		}
		if !signedFor(target, body, seen[1].Header.Get("X-Twilio-Signature")) {
			t.Error("the signature is not over the configured URL")
		}
	})
}

func TestInboundEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		account := inBubble(t, answeringAfter(0, time.Minute))
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := account.SendInbound(ctx, sofa(), "http://app.example.com/"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	})
}
