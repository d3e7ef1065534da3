package console_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
)

func TestTheCookie(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		what, host, forwarded string
		name                  string
	}{
		{"from this host", "127.0.0.1:8080", "", "relay-session"},
		{"through a proxy that says so", "127.0.0.1:8080", "https", "__Host-relay-session"},
		{"by the public name", "relay.example.com", "", "__Host-relay-session"},
		{"by another name", "other.example.com", "", "relay-session"},
	} {
		s := newStage(t)
		b := s.browser()
		b.host = tt.host
		if tt.forwarded != "" {
			b.header.Set("X-Forwarded-Proto", tt.forwarded)
		}
		b.want(b.signIn("the-viewer", password), http.StatusSeeOther)
		kept := b.cookies[tt.name]
		if len(b.cookies) != 1 || kept == nil {
			t.Fatalf("%s: the cookies are %v, want %s", tt.what, b.cookies, tt.name)
		}
		if isHost := strings.HasPrefix(tt.name, "__Host-"); !kept.HttpOnly || kept.SameSite != http.SameSiteStrictMode || kept.Path != "/" ||
			kept.Domain != "" || kept.Secure != isHost || kept.MaxAge != int(signin.MaxAge.Seconds()) || len(kept.Value) < 43 {
			t.Errorf("%s: the cookie is %v", tt.what, kept)
		}
		b.want(b.do(http.MethodGet, "/console", nil), http.StatusOK, "the-viewer, viewer")
		// The cookie of the one way is nothing on the other.
		kept.Name = map[bool]string{true: "relay-session", false: "__Host-relay-session"}[kept.Secure]
		b.want(b.do(http.MethodGet, "/console", nil), http.StatusSeeOther)
	}
}

func TestWhoIsNotSignedIn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.waits(ann, sid(1), time.Minute, nil)
	b := s.browser()
	for _, path := range []string{"/console", annsPage()} {
		answer := b.do(http.MethodGet, path, nil)
		if b.want(answer, http.StatusSeeOther); answer.Header().Get("Location") != "/console/sign-in" || answer.Body.Len() > 0 {
			t.Errorf("%s answers %v %s", path, answer.Header(), answer.Body)
		}
	}
	for _, path := range []string{"/console/customer/words", "/console/customer/done", "/console/sign-out", "/console/sign-out-everywhere"} {
		answer := b.do(http.MethodPost, path, url.Values{"number": {string(business)}, "customer": {string(ann)}})
		if b.want(answer, http.StatusSeeOther); answer.Body.Len() > 0 {
			t.Errorf("%s answers %s", path, answer.Body)
		}
	}
	// A page that renews itself is told to go there whole.
	b.header.Set("Hx-Request", "true")
	answer := b.do(http.MethodGet, "/console", nil)
	if b.want(answer, http.StatusNoContent); answer.Header().Get("HX-Redirect") != "/console/sign-in" {
		t.Errorf("a page that renews itself is answered %v", answer.Header())
	}
}

func TestARestartKeepsWhoIsSignedIn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.as(signin.Viewer)
	form := b.form()
	s.open()
	b.want(b.do(http.MethodGet, "/console", nil), http.StatusOK, "the-viewer")
	b.want(b.do(http.MethodPost, "/console/sign-out", url.Values{"form": {form}}), http.StatusSeeOther)
	b.want(b.do(http.MethodGet, "/console", nil), http.StatusSeeOther)
}

func TestSignOut(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	one, other, third := s.as(signin.Viewer), s.as(signin.Viewer), s.as(signin.Owner)
	stolen := *one.cookies["relay-session"]
	one.want(one.do(http.MethodPost, "/console/sign-out", url.Values{"form": {one.form()}}), http.StatusSeeOther)
	if len(one.cookies) > 0 {
		t.Errorf("the browser keeps %v", one.cookies)
	}
	one.cookies["relay-session"] = &stolen
	one.want(one.do(http.MethodGet, "/console", nil), http.StatusSeeOther)
	other.want(other.do(http.MethodGet, "/console", nil), http.StatusOK)

	again := s.as(signin.Viewer)
	again.want(again.do(http.MethodPost, "/console/sign-out-everywhere", url.Values{"form": {again.form()}}), http.StatusSeeOther)
	other.want(other.do(http.MethodGet, "/console", nil), http.StatusSeeOther)
	third.want(third.do(http.MethodGet, "/console", nil), http.StatusOK)
}

func TestSessionsEndByThemselves(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.as(signin.Viewer)
	s.pass(signin.MaxIdle - time.Minute)
	b.want(b.do(http.MethodGet, "/console", nil), http.StatusOK)
	// A page that renews itself keeps nobody signed in.
	b.header.Set("Hx-Request", "true")
	s.pass(signin.MaxIdle - time.Minute)
	b.want(b.do(http.MethodGet, "/console", nil), http.StatusOK)
	b.header.Del("Hx-Request")
	s.pass(2 * time.Minute)
	b.want(b.do(http.MethodGet, "/console", nil), http.StatusSeeOther)
}

func TestAnotherSitesRequests(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.waits(ann, sid(1), time.Minute, nil)
	b := s.as(signin.Owner)
	form, about := b.form(), url.Values{"number": {string(business)}, "customer": {string(ann)}, "newest": {sid(1)}}
	for name, values := range map[string][2]string{
		"another site": {"Sec-Fetch-Site", "cross-site"}, "a site next door": {"Sec-Fetch-Site", "same-site"},
	} {
		b.header.Set(values[0], values[1])
		about.Set("form", form)
		if answer := b.do(http.MethodPost, "/console/customer/done", about); answer.Code != http.StatusForbidden {
			t.Errorf("%s is answered %d", name, answer.Code)
		}
		if answer := b.signIn("the-owner", password); answer.Code != http.StatusForbidden || len(answer.Result().Cookies()) > 0 {
			t.Errorf("%s signs in: %d", name, answer.Code)
		}
	}
	b.header = http.Header{"Sec-Fetch-Site": {""}, "Origin": {"https://evil.example.com"}}
	if answer := b.do(http.MethodPost, "/console/customer/done", about); answer.Code != http.StatusForbidden {
		t.Errorf("an older browser on another site is answered %d", answer.Code)
	}
	b.header = http.Header{}
	for _, wrong := range []string{"", "x", signin.FormToken("another session")} {
		about.Set("form", wrong)
		if answer := b.do(http.MethodPost, "/console/customer/done", about); answer.Code != http.StatusForbidden {
			t.Errorf("a form with %q is answered %d", wrong, answer.Code)
		}
		if answer := b.do(http.MethodPost, "/console/customer/done?form="+form, about); answer.Code != http.StatusForbidden {
			t.Errorf("a form with %q, and the token in its address, is answered %d", wrong, answer.Code)
		}
	}
	if kept, err := s.relay.Conversations.Get(t.Context(), business, ann); err != nil || !kept.IsOpen() {
		t.Errorf("the customer waits no longer: %v, %v", kept, err)
	}
	about.Set("form", form)
	b.want(b.do(http.MethodPost, "/console/customer/done", about), http.StatusSeeOther)
}

var theNonce = regexp.MustCompile(`'nonce-([A-Z0-9]+)'`)

// steady is a page without what differs each time.
func steady(text string) string {
	return regexp.MustCompile(`nonce="[^"]*"`).ReplaceAllString(text, "")
}

// TestNobodyLearnsWhoIsAUser: the answers for a user and for nobody are the same, byte for byte, with each try.
func TestNobodyLearnsWhoIsAUser(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var waits []string
	for range 8 {
		one, other := s.browser().signIn("the-owner", "not the password"), s.browser().signIn("nobody-here", "not the password")
		if one.Code != other.Code || steady(one.Body.String()) != steady(other.Body.String()) ||
			one.Header().Get("Retry-After") != other.Header().Get("Retry-After") {
			t.Fatalf("a user is answered %d %s, nobody %d %s", one.Code, one.Body, other.Code, other.Body)
		}
		if len(one.Result().Cookies()) > 0 {
			t.Errorf("whoever is wrong gets %v", one.Result().Cookies())
		}
		if wait := one.Header().Get("Retry-After"); wait != "" {
			if one.Code != http.StatusTooManyRequests {
				t.Errorf("who has to wait is answered %d", one.Code)
			}
			waits = append(waits, wait)
			for _, d := range []time.Duration{time.Second, 2 * time.Second} {
				if wait == d.String()[:1] {
					s.pass(d)
				}
			}
		} else if one.Code != http.StatusUnauthorized {
			t.Errorf("who is wrong is answered %d", one.Code)
		}
	}
	if got := strings.Join(waits, " "); got != "1 2" {
		t.Errorf("the waits are %q, want them to grow: 1 2", got)
	}
	// Wrong too often, nobody gets in with the right password before the time.
	s.browser().signIn("the-owner", "not the password")
	b := s.browser()
	b.want(b.signIn("the-owner", password), http.StatusTooManyRequests, "Try again in ")
	s.pass(4 * time.Second)
	b.want(b.signIn("the-owner", password), http.StatusSeeOther)
	if log := s.log.String(); strings.Contains(log, "not the password") || strings.Contains(log, "nobody-here") {
		t.Errorf("the log has what was typed: %s", log)
	}
}

// TestAnAddressIsLockedOut: whoever guesses with many names has to wait, and whoever comes from elsewhere has not. What a proxy on this
// host says counts, and what anybody else says does not.
func TestAnAddressIsLockedOut(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for i := range 20 {
		b := s.browser()
		b.source = "127.0.0.1:4711"
		b.header.Set("X-Forwarded-For", "203.0.113.9, 198.51.100.7")
		b.want(b.signIn("nobody"+string(rune('a'+i)), "not the password"), http.StatusUnauthorized)
	}
	for _, tt := range []struct {
		source, forwarded string
		want              int
	}{
		{"127.0.0.1:1", "198.51.100.7", http.StatusTooManyRequests},
		{"[::1]:1", "203.0.113.9, 198.51.100.7", http.StatusTooManyRequests},
		{"127.0.0.1:1", "198.51.100.7, 203.0.113.9", http.StatusSeeOther},
		{"192.0.2.1:1", "198.51.100.7", http.StatusSeeOther},
		{"198.51.100.7:1", "203.0.113.9", http.StatusTooManyRequests},
	} {
		b := s.browser()
		b.source = tt.source
		b.header.Set("X-Forwarded-For", tt.forwarded)
		if answer := b.signIn("operator", fakeOperator); answer.Code != tt.want {
			t.Errorf("from %s for %s: %d, want %d", tt.source, tt.forwarded, answer.Code, tt.want)
		}
	}
}

func TestTheOperatorTokenSignsIn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.browser()
	b.want(b.signIn("operator", "not the token"), http.StatusUnauthorized)
	b.want(b.signIn("operator", fakeOperator), http.StatusSeeOther)
	b.want(b.do(http.MethodGet, "/console", nil), http.StatusOK, "operator, owner")
}
