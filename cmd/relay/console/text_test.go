package console_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// texted has Ann write a text, which the sender works on until it is in the state.
func (s *stage) texted(sid string, state ledger.State) {
	s.Helper()
	at := s.clock().UTC()
	message, err := queue.Envelope{
		Version: queue.Version, Kind: queue.KindInbound, RelayID: sid, ReceivedAt: at,
		Message: &sms.Message{Sid: sid, From: ann, To: business, Body: words},
	}.Outgoing()
	if err == nil {
		err = s.inbox.Send(s.Context(), message)
	}
	if err != nil {
		s.Fatal(err)
	}
	s.becomes(sid, state)
}

// becomes waits until a text is in the state.
func (s *stage) becomes(sid string, state ledger.State) {
	s.Helper()
	var r ledger.Record
	for range 1000 {
		var err error
		if r, err = s.relay.Ledger.Get(s.Context(), sid); err == nil && r.State == state {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.Fatalf("%s is %s (%s), want %s", sid, r.State, r.Reason, state)
}

func textsPage(sid string) string { return "/console/text?" + url.Values{"sid": {sid}}.Encode() }

// TestWhatHappenedToAText: one timeline from the webhook to the end, with why it waits and until when, and never a word of the text.
func TestWhatHappenedToAText(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.twilio.Answer = func(n int, _ sms.Outbound) relaytest.TwilioAnswer {
		if n == 1 {
			return relaytest.TwilioAnswer{Err: &fault.Error{Kind: fault.OptedOut, Code: 21610, HTTPStatus: 400, Err: errors.New("unsubscribed")}}
		}
		return relaytest.TwilioAnswer{}
	}
	s.texted(sid(1), ledger.Sent)
	b := s.as(signin.Viewer)
	page := b.do(http.MethodGet, textsPage(sid(1)), nil)
	b.want(page, http.StatusOK, "Twilio brought it.", "It goes to phone 1, "+string(phone),
		"Try 1 was not accepted: this phone has opted out.", "Code 21610",
		"It goes to phone 2, "+string(bos), "Twilio accepted it: SM", "Show what it says", "smaller step", string(ann))
	if text := page.Body.String(); strings.Contains(text, "frozen") || strings.Contains(text, "What to do about such a text") {
		t.Error("the page has the words of a text that nobody asked for, or a viewer is told what to do on the host")
	}
	first, last := strings.Index(page.Body.String(), "Code 21610"), strings.Index(page.Body.String(), "Twilio accepted it")
	if first > last {
		t.Error("the steps are not in their order")
	}
	b.want(s.as(signin.Owner).do(http.MethodGet, textsPage(sid(1)), nil), http.StatusOK, "What to do about such a text, on the host")
	b.want(b.do(http.MethodGet, annsPage(), nil), http.StatusOK, "/console/text?sid="+sid(1))
}

// TestATextWaits: waiting is a step, with its reason and the time of the next try.
func TestATextWaits(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.twilio.Answer = func(int, sms.Outbound) relaytest.TwilioAnswer {
		return relaytest.TwilioAnswer{Err: &fault.Error{Kind: fault.Throttled, RetryAfter: 7 * time.Minute, Err: errors.New("busy")}}
	}
	s.texted(sid(1), ledger.Queued)
	b := s.as(signin.Viewer)
	page := b.do(http.MethodGet, textsPage(sid(1)), nil)
	b.want(page, http.StatusOK, "<strong>Waiting</strong>", "waits on the queue for its next attempt", "the relay goes on", ">in 7 min</time>")
}

// TestReadingATextIsOnRecord: what it says is behind a form, and the timeline then says who has read it.
func TestReadingATextIsOnRecord(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.texted(sid(1), ledger.Sent)
	b := s.as(signin.Viewer)
	form := url.Values{"sid": {sid(1)}, "form": {b.form()}}
	b.want(b.do(http.MethodPost, "/console/text/words", form), http.StatusOK, "The lock is &lt;b&gt;frozen&lt;/b&gt;",
		"the-viewer was shown what it says.")
	r, err := s.relay.Ledger.Get(t.Context(), sid(1))
	if err != nil || r.Reading.Number != 1 || r.Reading.By != "the-viewer" {
		t.Errorf("it was read by %v, %v", r.Reading, err)
	}
	form.Set("sid", sid(2))
	b.want(b.do(http.MethodPost, "/console/text/words", form), http.StatusNotFound, "has no such text")
}

// TestFindAText: who has no SID sees the newest texts, and who has a wrong one is told so.
func TestFindAText(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.as(signin.Viewer)
	b.want(b.do(http.MethodGet, "/console/text", nil), http.StatusOK, "There are no texts.", `aria-current="page">What happened to a text?`)
	s.texted(sid(1), ledger.Sent)
	b.want(b.do(http.MethodGet, "/console/text", nil), http.StatusOK, "/console/text?sid="+sid(1), string(ann)+" to "+string(business))
	b.want(b.do(http.MethodGet, textsPage(sid(9)), nil), http.StatusNotFound, "has no such text", `value="`+sid(9)+`"`)
	b.want(b.do(http.MethodGet, textsPage("hello"), nil), http.StatusBadRequest, "hexadecimal digits", `value="hello"`)
	b.want(b.do(http.MethodGet, textsPage(" "+sid(1)+" "), nil), http.StatusOK, "Twilio brought it.")
}

// TestATextWithoutItsAuditLog is shown all the same, and the page says what is missing.
func TestATextWithoutItsAuditLog(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.texted(sid(1), ledger.Sent)
	s.trail = broken{}
	s.open()
	b := s.as(signin.Viewer)
	b.want(b.do(http.MethodGet, textsPage(sid(1)), nil), http.StatusOK, "The audit log cannot be read at the moment", "Try 1")
}

// broken is an audit log that cannot be read.
type broken struct{}

// Find implements [auditlog.Trail].
func (broken) Find(context.Context, string, time.Time, time.Time) ([]auditlog.Entry, error) {
	return nil, errors.New("no such disk")
}
