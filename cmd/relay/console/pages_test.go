package console_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/checkup"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// TestHeaders: each page, also one that says no, lets a browser run the console's own scripts, and nobody keeps it.
func TestHeaders(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.examine = func(context.Context) ([]checkup.Finding, error) { return nil, nil }
	s.open()
	b, nonces := s.as(signin.Owner), map[string]bool{}
	pages := []string{
		"/console", "/console/needs", "/console/health", "/console/text", "/console/sign-in", "/console/nothing", "/console/users",
		"/console/duty", "/console/times", "/console/figures", annsPage(),
	}
	for _, path := range pages {
		answer := b.do(http.MethodGet, path, nil)
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Content-Type": "text/html; charset=utf-8", "Cross-Origin-Opener-Policy": "same-origin",
			"Cross-Origin-Resource-Policy": "same-origin", "Referrer-Policy": "no-referrer", "X-Content-Type-Options": "nosniff",
		} {
			if got := answer.Header().Get(name); got != want {
				t.Errorf("%s: %s is %q, want %q", path, name, got, want)
			}
		}
		policy := answer.Header().Get("Content-Security-Policy")
		nonce := theNonce.FindStringSubmatch(policy)
		if nonce == nil || len(nonce[1]) < 26 || nonces[nonce[1]] {
			t.Fatalf("%s: the policy is %q, and others had %v", path, policy, nonces)
		}
		nonces[nonce[1]] = true
		parts := strings.Split(policy, "; ")
		for _, want := range []string{
			"default-src 'none'", "script-src 'nonce-" + nonce[1] + "'", "style-src 'self'", "base-uri 'none'", "form-action 'self'",
			"frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types htmx",
		} {
			if !slices.Contains(parts, want) {
				t.Errorf("%s: the policy %q has no %q", path, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %q", path, policy)
		}
		page := answer.Body.String()
		if got := strings.Count(page, "<script "); got != 3 || strings.Count(page, ` nonce="`+nonce[1]+`"`) != got {
			t.Errorf("%s: %d scripts, and not each has the nonce: %s", path, got, page)
		}
		for _, inline := range []string{"<style", " style=", " onclick=", "javascript:", "http://", "https://", "<script>"} {
			if strings.Contains(page, inline) {
				t.Errorf("%s has %q", path, inline)
			}
		}
	}
}

func TestWhatThereIsNot(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.as(signin.Owner)
	for _, tt := range []struct {
		method, path string
		want         int
	}{
		{http.MethodGet, "/console/", http.StatusNotFound},
		{http.MethodGet, "/console/assets/", http.StatusNotFound},
		{http.MethodGet, "/console/customer?number=%2B18585550100&customer=%2B13125550199", http.StatusNotFound},
		{http.MethodGet, "/console/customer/done", http.StatusMethodNotAllowed},
		{http.MethodPost, "/console", http.StatusMethodNotAllowed},
		{http.MethodDelete, "/console", http.StatusMethodNotAllowed},
		{http.MethodHead, "/console", http.StatusOK},
	} {
		if got := b.do(tt.method, tt.path, nil).Code; got != tt.want {
			t.Errorf("%s %s answers %d, want %d", tt.method, tt.path, got, tt.want)
		}
	}
	b.want(b.do(http.MethodPost, "/console/sign-in", url.Values{"name": {strings.Repeat("a", 70<<10)}}), http.StatusBadRequest)
	for path, want := range map[string]bool{"/console": true, "/console/x": true, "/consoles": false, "/sms/inbound": false, "/": false} {
		if got := s.pages.Serves(path); got != want {
			t.Errorf("%s is served: %t, want %t", path, got, want)
		}
	}
}

var loaded = regexp.MustCompile(`(?:href|src)="(/console/assets/[^"]+)"`)

// TestAFirstViewIsSmall, and what it loads is kept by browsers for ever.
func TestAFirstViewIsSmall(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for i := range 50 {
		s.waits(sms.PhoneNumber(fmt.Sprintf("+131255501%02d", i)), sid(i), time.Minute, nil)
	}
	b := s.as(signin.Owner)
	page := b.do(http.MethodGet, "/console", nil).Body.String()
	var zipped bytes.Buffer
	to := gzip.NewWriter(&zipped)
	_, err := to.Write([]byte(page))
	if err != nil || to.Close() != nil {
		t.Fatal(err)
	}
	size := zipped.Len()
	files := loaded.FindAllStringSubmatch(page, -1)
	if len(files) != 5 {
		t.Errorf("the page loads %v", files)
	}
	b.header.Set("Accept-Encoding", "gzip")
	for _, file := range files {
		answer := b.do(http.MethodGet, file[1], nil)
		b.want(answer, http.StatusOK)
		if got := answer.Header(); got.Get("Cache-Control") != "public, max-age=31536000, immutable" || got.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s is answered with %v", file[1], got)
		}
		size += answer.Body.Len()
	}
	t.Logf("a first view of 50 customers has %d bytes", size)
	if size > 60_000 {
		t.Errorf("a first view has %d bytes, over 60,000", size)
	}
}

// TestWhoIsWaiting shows those who wait in their order, without a word of them.
func TestWhoIsWaiting(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.as(signin.Viewer)
	b.want(b.do(http.MethodGet, "/console", nil), http.StatusOK, "Nobody waits for an answer.")
	s.waits(ann, sid(1), 3*time.Minute, func(c *conversation.Conversation) { c.Name = "Ann <Miller>" })
	s.waits("+13125550148", sid(2), 30*time.Minute, nil)
	s.waits("+13125550149", sid(3), time.Minute, func(c *conversation.Conversation) {
		c.Spell.UnansweredAt, c.Spell.DueAt = s.now, time.Time{}
	})
	s.waits("+13125550150", sid(4), time.Minute, func(c *conversation.Conversation) { c.Seen = conversation.Seen{At: s.now, By: "grace"} })
	page := b.do(http.MethodGet, "/console", nil)
	b.want(page, http.StatusOK, "Ann &lt;Miller&gt;", "3 min ago", "in 7 min", "unanswered", "Unanswered (1)", "All (3)",
		"Nobody has them (3)", "Held until the opening (0)")
	order := regexp.MustCompile(`customer=%2B1312555(\d{4})`).FindAllStringSubmatch(page.Body.String(), -1)
	if got := fmt.Sprint(order); !strings.Contains(got, "0149]") || len(order) != 3 || order[0][1] != "0149" || order[1][1] != "0148" ||
		order[2][1] != "0147" {
		t.Errorf("they are shown as %v", order)
	}
	if strings.Contains(page.Body.String(), "frozen") {
		t.Error("the page has the words of a text")
	}
	only := b.do(http.MethodGet, "/console?only=unanswered", nil)
	if b.want(only, http.StatusOK, "0149"); strings.Contains(only.Body.String(), "0148") {
		t.Errorf("the unanswered are %s", only.Body)
	}
}

func TestReadingIsOnRecord(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.waits(ann, sid(1), time.Minute, nil)
	b := s.as(signin.Viewer)
	page := b.do(http.MethodGet, annsPage(), nil)
	if b.want(page, http.StatusOK, "Show what they say", "delivered"); strings.Contains(page.Body.String(), "frozen") {
		t.Error("the page has the words of a text that nobody asked for")
	}
	if r, err := s.relay.Ledger.Get(t.Context(), sid(1)); err != nil || r.Reading.Number > 0 {
		t.Errorf("somebody has read it: %v, %v", r.Reading, err)
	}
	about := url.Values{"number": {string(business)}, "customer": {string(ann)}, "form": {b.form()}}
	b.want(b.do(http.MethodPost, "/console/customer/words", about), http.StatusOK, "The lock is &lt;b&gt;frozen&lt;/b&gt;")
	r, err := s.relay.Ledger.Get(t.Context(), sid(1))
	if err != nil || r.Reading.Number != 1 || r.Reading.By != "the-viewer" {
		t.Errorf("it was read by %v, %v", r.Reading, err)
	}
}

func TestDone(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.waits(ann, sid(1), time.Minute, nil)
	viewer, dispatcher := s.as(signin.Viewer), s.as(signin.Dispatcher)
	about := func(b *browser, newest string) url.Values {
		return url.Values{"number": {string(business)}, "customer": {string(ann)}, "newest": {newest}, "form": {b.form()}}
	}
	isOpen := func(want bool) {
		t.Helper()
		kept, err := s.relay.Conversations.Get(t.Context(), business, ann)
		if err != nil || kept.IsOpen() != want || !want && kept.Seen.By != "the-dispatcher" {
			t.Errorf("the customer waits: %t, seen to by %q, %v", kept.IsOpen(), kept.Seen.By, err)
		}
	}
	if page := viewer.do(http.MethodGet, annsPage(), nil); strings.Contains(page.Body.String(), "Nothing more") {
		t.Error("a viewer is shown what only others may do")
	}
	viewer.want(viewer.do(http.MethodPost, "/console/customer/done", about(viewer, sid(1))), http.StatusForbidden, "A viewer may not do this")
	isOpen(true)
	dispatcher.want(dispatcher.do(http.MethodGet, annsPage(), nil), http.StatusOK, "Nothing more is to be done", sid(1))
	dispatcher.want(dispatcher.do(http.MethodPost, "/console/customer/done", about(dispatcher, sid(0))), http.StatusConflict, "wrote again")
	isOpen(true)
	dispatcher.want(dispatcher.do(http.MethodPost, "/console/customer/done", about(dispatcher, sid(1))), http.StatusSeeOther)
	isOpen(false)
	dispatcher.want(dispatcher.do(http.MethodPost, "/console/customer/done", about(dispatcher, sid(1))), http.StatusSeeOther)
}

// TestARoleCountsAsItIsNow: who is another's equal no longer may do less at once.
func TestARoleCountsAsItIsNow(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.as(signin.Dispatcher)
	if err := s.users().Remove("the-dispatcher"); err != nil {
		t.Fatal(err)
	}
	b.want(b.do(http.MethodGet, "/console", nil), http.StatusSeeOther)
}
