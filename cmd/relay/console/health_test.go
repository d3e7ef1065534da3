package console_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/checkup"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
)

// examined waits until the page does not say that the relay is being examined.
func (b *browser) examined() string {
	b.Helper()
	for range 1000 {
		page := b.do(http.MethodGet, "/console/health", nil)
		if b.want(page, http.StatusOK, "Is it well?"); !strings.Contains(page.Body.String(), "is being examined") {
			return page.Body.String()
		}
		time.Sleep(5 * time.Millisecond)
	}
	b.Fatal("the examination does not end")
	return ""
}

// TestIsItWell: who asks first has the relay examined, others see what was found and when; an owner sees what to do.
func TestIsItWell(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var times atomic.Int32
	s.examine = func(context.Context) ([]checkup.Finding, error) {
		if times.Add(1) == 3 {
			return nil, errors.New("no such disk")
		}
		return []checkup.Finding{
			{Name: "clock-skew", Status: checkup.OK, Found: "the clock is right", Why: "it matters"},
			{Name: "backup", Status: checkup.Fail, Found: "there is no <backup>", Why: "all may be lost", Fix: "relay backup"},
			{Name: "reached-nobody", Status: checkup.Fail, Found: "1 text", Why: "it matters", Fix: "relay resend"},
		}, nil
	}
	s.problems = []string{"the certificate ends in 3 days"}
	s.open()
	viewer, owner := s.as(signin.Viewer), s.as(signin.Owner)
	viewer.want(viewer.do(http.MethodGet, "/console/needs", nil), http.StatusOK, "was not examined since it was started")
	viewer.want(viewer.do(http.MethodGet, "/console/health", nil), http.StatusOK, "The certificate ends in 3 days.", "Version")
	page := viewer.examined()
	for _, text := range []string{"To be put right (2)", "there is no &lt;backup&gt;", "all may be lost", "Well (1)", "0 s ago"} {
		if !strings.Contains(page, text) {
			t.Errorf("the page does not have %q: %s", text, page)
		}
	}
	if strings.Contains(page, "relay backup") || strings.Index(page, "To be put right") > strings.Index(page, "Well (1)") {
		t.Errorf("a viewer is told what to do on the host, or the worst is not first: %s", page)
	}
	s.pass(time.Hour)
	page = owner.examined()
	if !strings.Contains(page, "What to do: relay backup") || !strings.Contains(page, "1 h ago") || times.Load() != 1 {
		t.Errorf("%d examinations; an owner sees %s", times.Load(), page)
	}
	owner.want(owner.do(http.MethodGet, "/console/needs", nil), http.StatusOK, "The relay is not well", "there is no &lt;backup&gt;",
		"What needs me? (1)", "The relay itself was examined 1 h ago.")
	again := func() string {
		viewer.want(viewer.do(http.MethodPost, "/console/health/examine", url.Values{"form": {viewer.form()}}), http.StatusSeeOther)
		return viewer.examined()
	}
	if page = again(); !strings.Contains(page, "0 s ago") || times.Load() != 2 {
		t.Errorf("after the button there were %d examinations: %s", times.Load(), page)
	}
	if page = again(); !strings.Contains(page, "could not be examined") || strings.Contains(page, "no such disk") {
		t.Errorf("an examination that fails is shown as %s", page)
	}
}
