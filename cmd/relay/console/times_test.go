package console_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
)

// TestTimes are written on all pages as somebody wants them, and stay so.
func TestTimes(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.waits(ann, sid(1), 3*time.Minute, nil)
	b := s.as(signin.Viewer)
	for _, tt := range []struct {
		style, zone, other string
		want               string
	}{
		{"", "", "", "3 min ago"},
		{"clock", "UTC", "", "2026-11-30 19:57 UTC"},
		{"clock", "UTC", "America/Los_Angeles", "2026-11-30 11:57 PST"},
		{"ago", "UTC", " Europe/Berlin ", "3 min ago"},
	} {
		if tt.style != "" {
			form := url.Values{"form": {b.form()}, "style": {tt.style}, "zone": {tt.zone}, "other": {tt.other}}
			b.want(b.do(http.MethodPost, "/console/times", form), http.StatusSeeOther)
		}
		for _, path := range []string{"/console", annsPage()} {
			b.want(b.do(http.MethodGet, path, nil), http.StatusOK, ">"+tt.want+"<")
		}
	}
	b.want(b.do(http.MethodGet, annsPage(), nil), http.StatusOK, `title="2026-11-30 20:57 CET"`)
	page := b.do(http.MethodGet, "/console/times", nil)
	b.want(page, http.StatusOK, `value="Europe/Berlin"`)
	if cookie := b.cookies["relay-times"]; cookie.MaxAge < 300*24*3600 || !cookie.HttpOnly || cookie.SameSite != http.SameSiteStrictMode {
		t.Errorf("the browser keeps it as %v", cookie)
	}
	form := url.Values{"form": {b.form()}, "other": {"Mars/<Base>"}}
	b.want(b.do(http.MethodPost, "/console/times", form), http.StatusUnprocessableEntity, "no time zone Mars/&lt;Base&gt;",
		"America/Los_Angeles")
	b.cookies["relay-times"] = &http.Cookie{Name: "relay-times", Value: "clock.../../etc/passwd"}
	if page := b.do(http.MethodGet, "/console", nil); !strings.Contains(page.Body.String(), "2026-11-30 19:57 UTC") {
		t.Errorf("a cookie of somebody else's is taken as %s", page.Body)
	}
}
