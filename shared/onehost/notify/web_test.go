package notify

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

// request is what a target got.
type request struct {
	method, url, body string
	header            http.Header
}

// receiver is a host that gets notices, whatever name it is called by.
type receiver struct {
	server *httptest.Server
	got    chan request
	status int
	answer string
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{got: make(chan request, 10), status: http.StatusOK}
	r.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, got *http.Request) {
		body, _ := io.ReadAll(got.Body)
		r.got <- request{got.Method, got.Header.Get("X-Asked") + got.URL.String(), string(body), got.Header}
		w.WriteHeader(r.status)
		_, _ = io.WriteString(w, r.answer)
	}))
	t.Cleanup(r.server.Close)
	return r
}

// RoundTrip leads a request for any host to the receiver, which hears what host was asked.
func (r *receiver) RoundTrip(asked *http.Request) (*http.Response, error) {
	to, err := url.Parse(r.server.URL)
	if err != nil {
		return nil, err
	}
	led := asked.Clone(asked.Context())
	led.Header.Set("X-Asked", asked.URL.Scheme+"://"+asked.URL.Host)
	led.URL.Scheme, led.URL.Host, led.Host = to.Scheme, to.Host, to.Host
	return http.DefaultTransport.RoundTrip(led)
}

var sample = Notice{Title: "SMS relay: uncertain (1)", Text: "Look <here> & there."}

func TestWebTargets(t *testing.T) {
	r := newReceiver(t)
	r.answer = `{"ok":true}`
	for _, tt := range []struct {
		text, label, asked, body string
		header                   map[string]string
	}{
		{
			"ntfy://ntfy.sh/my-topic", "ntfy://ntfy.sh/***", "POST https://ntfy.sh/my-topic", sample.Text,
			map[string]string{"Title": sample.Title, "Priority": "high", "Authorization": ""},
		},
		{
			"ntfy://u:p%40ss@push.example.com:8443/t?priority=5&Tags=fire,phone&title=Caf%C3%A9&disableTLS=yes", "ntfy://push.example.com:8443/***",
			"POST http://push.example.com:8443/t", sample.Text,
			map[string]string{"Title": "=?utf-8?q?Caf=C3=A9?=", "Priority": "5", "Tags": "fire,phone", "Authorization": "Basic dTpwQHNz"},
		},
		{
			"ntfy://ntfy.sh/t?token=tk_1", "ntfy://ntfy.sh/***", "POST https://ntfy.sh/t", sample.Text,
			map[string]string{"Authorization": "Bearer tk_1"},
		},
		{
			"slack://hook:WNA3PBYV6-F20DUQND3RQ-Webc4MAvoacrpPakR8phF0zi@webhook?botname=relay&icon=phone", "slack://***",
			"POST https://hooks.slack.com/services/WNA3PBYV6/F20DUQND3RQ/Webc4MAvoacrpPakR8phF0zi",
			`{"icon_emoji":":phone:","text":"*SMS relay: uncertain (1)*\nLook \u0026lt;here\u0026gt; \u0026amp; there.","username":"relay"}`,
			map[string]string{"Content-Type": "application/json"},
		},
		{
			"slack://bot@AA/BB/CC", "slack://***", "POST https://hooks.slack.com/services/AA/BB/CC",
			`{"text":"*SMS relay: uncertain (1)*\nLook \u0026lt;here\u0026gt; \u0026amp; there.","username":"bot"}`, nil,
		},
		{
			"slack://xoxb:123-456-abc@C001CH4NN3L", "slack://***", "POST https://slack.com/api/chat.postMessage",
			`{"channel":"C001CH4NN3L","text":"*SMS relay: uncertain (1)*\nLook \u0026lt;here\u0026gt; \u0026amp; there."}`,
			map[string]string{"Authorization": "Bearer xoxb-123-456-abc"},
		},
		{
			"generic://hooks.example.com/in?template=json&$source=relay&@Authorization=Bearer%20x&titlekey=t&team=ops&_title=z",
			"generic://hooks.example.com/***",
			"POST https://hooks.example.com/in?team=ops&title=z",
			`{"message":"Look \u003chere\u003e \u0026 there.","source":"relay","t":"SMS relay: uncertain (1)"}`,
			map[string]string{"Authorization": "Bearer x", "Content-Type": "application/json"},
		},
		{
			"generic+https://hooks.example.com/in?a=b&@acceptLanguage=de", "generic+https://hooks.example.com/***",
			"POST https://hooks.example.com/in?a=b",
			sample.Title + "\n\n" + sample.Text,
			map[string]string{"Content-Type": "text/plain; charset=utf-8", "Accept-Language": "de"},
		},
		{
			"generic+http://127.0.0.1:9/in?method=put&contenttype=text/markdown", "generic+http://127.0.0.1:9/***", "PUT http://127.0.0.1:9/in",
			sample.Title + "\n\n" + sample.Text,
			map[string]string{"Content-Type": "text/markdown"},
		},
	} {
		target, err := parse(tt.text, r)
		if err == nil {
			err = target.Send(t.Context(), sample)
		}
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		got := <-r.got
		if asked := got.method + " " + got.url; asked != tt.asked || got.body != tt.body || target.Label != tt.label {
			t.Errorf("%s: %s\n%s\n%s, want %s\n%s\n%s", tt.text, asked, got.body, target.Label, tt.asked, tt.body, tt.label)
		}
		for name, want := range tt.header {
			if got.header.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", tt.text, name, got.header.Get(name), want)
			}
		}
	}
}

// TestMistakesInURLs are named without what is secret.
func TestMistakesInURLs(t *testing.T) {
	for text, want := range map[string]string{
		"s3cret":                                                   "not a URL",
		"ntfy://s3cret\x7f":                                        "not a URL",
		"https://example.com/s3cret":                               "none of ntfy, slack, generic and smtp",
		"ntfy://ntfy.sh":                                           "ntfy://HOST/TOPIC",
		"ntfy:///s3cret":                                           "ntfy://HOST/TOPIC",
		"ntfy://ntfy.sh/s3cret?prio=5":                             `no parameter "prio"`,
		"slack://s3cret":                                           "slack://hook:A-B-C@webhook",
		"slack://hook:s3cret@webhook":                              "slack://hook:A-B-C@webhook",
		"generic:///s3cret":                                        "generic://HOST/PATH",
		"generic+ftp://h/s3cret":                                   "generic://HOST/PATH",
		"generic://h/s3cret?template=xml":                          "the only template is json",
		"smtp://u:s3cret@h/":                                       "smtp://USER:PASSWORD@HOST",
		"smtp://u:s3cret@h/?from=a@b.c":                            "smtp://USER:PASSWORD@HOST",
		"smtp://u:s3cret@h/?from=a@b.c&to=A":                       "smtp://USER:PASSWORD@HOST",
		"smtp://h/?from=a@b.c&to=d@e.f&auth=x":                     "auth is none of",
		"smtp://h/?from=a@b.c&to=d@e.f&s3=cret":                    `no parameter "s3"`,
		"smtp://u:s3cret@h/?from=a@b.c&to=d@e.f&usestarttls=no":    "others could read the password",
		"smtp://u:s3cret@h/?from=a@b.c&to=d@e.f&skiptlsverify=yes": "skiptlsverify is not supported",
		"smtp://u:s3cret@h/?from=a@b.c&to=d@e.f&auth=oauth2":       "auth is none of",
	} {
		targets, err := Parse("ntfy://ntfy.sh/good " + text)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "URL 2: ") ||
			strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v, %v; want %q", text, targets, err, want)
		}
	}
	targets, err := Parse("  ntfy://ntfy.sh/a\n ntfy://ntfy.sh/b ntfy://ntfy.sh/a")
	if err != nil || len(targets) != 2 || targets[0].id == targets[1].id {
		t.Errorf("%v, %v, want two", targets, err)
	}
	if targets, err := Parse(""); err != nil || len(targets) != 0 {
		t.Errorf("of nothing: %v, %v", targets, err)
	}
}

// TestRefusedByTheWeb says so without the URL.
func TestRefusedByTheWeb(t *testing.T) {
	r := newReceiver(t)
	for _, tt := range []struct {
		text   string
		status int
		answer string
		want   string
	}{
		{"ntfy://ntfy.sh/s3cret", 403, `{"error":"s3cret"}`, "it answered 403 (Forbidden)"},
		{"ntfy://ntfy.sh/s3cret", 302, "", "it answered 302 (Found)"},
		{"slack://xoxb:1-s3cret@C1", 200, `{"ok":false,"error":"channel_not_found"}`, "Slack refused it: channel_not_found"},
		{"slack://xoxb:1-s3cret@C1", 200, `{"ok":false,"error":"s3cret is wrong"}`, "Slack refused it"},
		{"slack://xoxb:1-s3cret@C1", 200, `<html>`, "Slack refused it"},
	} {
		r.status, r.answer = tt.status, tt.answer
		target, err := parse(tt.text, r)
		if err != nil {
			t.Fatal(err)
		}
		if err := target.Send(t.Context(), sample); err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.text, err, tt.want)
		}
		<-r.got
	}
	r.server.Close()
	target, err := parse("generic+"+r.server.URL+"/s3cret", http.DefaultTransport)
	if err != nil {
		t.Fatal(err)
	}
	if err := target.Send(t.Context(), sample); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("nobody listens: %v", err)
	}
}

// silent is a target that never answers.
type silent struct{}

// RoundTrip waits.
func (silent) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

func TestSilentTarget(t *testing.T) {
	target, err := parse("ntfy://ntfy.sh/s3cret", silent{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := target.Send(ctx, sample); err == nil || errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
}

// What goes out as JSON can be read.
func FuzzNoticeAsJSON(f *testing.F) {
	f.Add("title", "text")
	f.Add("\xff", "\u2028\"\n")
	f.Fuzz(func(t *testing.T, title, text string) {
		request, err := jsonRequest(t.Context(), http.MethodPost, "https://example.com", map[string]string{"title": title, "text": text})
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(request.Body)
		if !json.Valid(body) {
			t.Errorf("%q", body)
		}
	})
}
