package console_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// mend sends a form of the page of what needs somebody.
func (b *browser) mend(path string, fields ...string) *httptest.ResponseRecorder {
	b.Helper()
	form := url.Values{"form": {b.form()}}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return b.do(http.MethodPost, "/console/needs"+path, form)
}

// ended keeps a text of Ann's whose only attempt ended so, and of which nothing is under way.
func (s *stage) ended(sid string, kind fault.Kind, onward ledger.Onward) ledger.Record {
	s.Helper()
	now := s.clock().UTC()
	r := ledger.Record{MessageSid: sid, TwilioNumber: business, Customer: ann, Body: words, ReceivedAt: now, State: ledger.Queued}
	r, err := r.Claim("claim", 0, phone, time.Minute, now)
	if err == nil {
		r, _, err = r.End(1, &fault.Error{Kind: kind, Err: errors.New("as in the test")}, onward, now)
	}
	if err == nil && onward.To == ledger.Queued {
		r, err = r.Die(ledger.ReasonAttemptsExhausted, now)
	}
	if err == nil {
		r, err = auditlog.Put(s.Context(), s.relay.Ledger, ledger.Record{}, r)
	}
	if err != nil {
		s.Fatal(err)
	}
	return r
}

// TestATextThatReachedNobody is shown with what would happen to it, and sent again by whoever may, with the reason.
func TestATextThatReachedNobody(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.twilio.Answer = func(n int, _ sms.Outbound) relaytest.TwilioAnswer {
		if n > 1 {
			return relaytest.TwilioAnswer{}
		}
		return relaytest.TwilioAnswer{Err: &fault.Error{Kind: fault.Permanent, Code: 21211, HTTPStatus: 400, Err: errors.New("no number")}}
	}
	viewer, dispatcher := s.as(signin.Viewer), s.as(signin.Dispatcher)
	viewer.want(viewer.do(http.MethodGet, "/console/needs", nil), http.StatusOK, "Nothing needs you.", ">What needs me?</a>")
	s.texted(sid(1), ledger.Failed)
	s.pass(time.Minute)
	viewer.want(viewer.do(http.MethodGet, "/console", nil), http.StatusOK, ">What needs me? (1)</a>")
	page := viewer.do(http.MethodGet, "/console/needs", nil)
	viewer.want(page, http.StatusOK, "would go to "+string(phone), "1 text would be sent again, in 1 segment", "code 21211", textsPage(sid(1)))
	if text := page.Body.String(); strings.Contains(text, "frozen") || strings.Contains(text, "Send the chosen texts again") {
		t.Error("a viewer is shown the words of a text, or what only others may do")
	}
	viewer.want(viewer.mend("/resend", "sid", sid(1), "because", "fixed"), http.StatusForbidden)
	dispatcher.want(dispatcher.do(http.MethodGet, "/console/needs", nil), http.StatusOK, "Send the chosen texts again")
	dispatcher.want(dispatcher.mend("/resend", "because", "fixed"), http.StatusUnprocessableEntity, "Choose at least one text.")
	dispatcher.want(dispatcher.mend("/resend", "sid", sid(1), "because", " "), http.StatusUnprocessableEntity, "Because: say why")
	dispatcher.want(dispatcher.follow(dispatcher.mend("/resend", "sid", sid(1), "because", "the number is right now")), http.StatusOK,
		"They are on the queue")
	s.becomes(sid(1), ledger.Sent)
	r, err := s.relay.Ledger.Get(t.Context(), sid(1))
	if err != nil || r.Decision.By != "the-dispatcher" || r.Decision.Note != "the number is right now" {
		t.Errorf("the decision is %+v, %v", r.Decision, err)
	}
	dispatcher.want(dispatcher.do(http.MethodGet, textsPage(sid(1)), nil), http.StatusOK,
		"the-dispatcher decided: send it again. “the number is right now”")
	dispatcher.want(dispatcher.mend("/resend", "sid", sid(1), "because", "once more"), http.StatusConflict, "None of them was sent again.")
	viewer.want(viewer.do(http.MethodGet, "/console/needs", nil), http.StatusOK, "Nothing needs you.")
}

// TestADecisionAboutAnUncertainText: it can be left alone, which can be undone, and sent again.
func TestADecisionAboutAnUncertainText(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.ended(sid(1), fault.Unknown, ledger.Onward{To: ledger.Uncertain, Reason: ledger.ReasonUnknownOutcome})
	b := s.as(signin.Dispatcher)
	b.want(b.do(http.MethodGet, "/console/needs", nil), http.StatusOK, "Nobody knows whether these were sent", "What did you find?",
		"What needs me? (1)")
	b.want(b.mend("/uncertain", "sid", sid(1), "decision", "forget", "because", "x"), http.StatusBadRequest, "want sent, resend or give_up")
	b.want(b.mend("/uncertain", "sid", sid(1), "decision", "sent", "sent", sid(7), "because", "x"), http.StatusConflict,
		"Twilio has no message")
	b.want(b.follow(b.mend("/uncertain", "sid", sid(1), "decision", "give_up", "because", "we called")), http.StatusOK,
		"1 uncertain text that somebody left alone", "You can still decide otherwise.", "Nothing needs you.")
	b.want(b.mend("/uncertain", "sid", sid(1), "decision", "give_up", "because", "we called"), http.StatusConflict, "is already uncertain")
	b.want(b.follow(b.mend("/uncertain", "sid", sid(1), "decision", "resend", "because", "it is not there")), http.StatusOK,
		"is sent again")
	s.becomes(sid(1), ledger.Sent)
	b.want(b.mend("/uncertain", "sid", sid(1), "decision", "resend", "because", "again"), http.StatusConflict, "is sent")
}

// TestDeadLettersGoBack: they are listed with what would happen, moved by whoever may, and the page says how far that is.
func TestDeadLettersGoBack(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	r := s.ended(sid(1), fault.Transient, ledger.Onward{To: ledger.Queued, NotBefore: s.clock()})
	letter, err := queue.Envelope{
		Version: queue.Version, Kind: queue.KindInbound, RelayID: r.MessageSid, ReceivedAt: r.ReceivedAt,
		Message: &sms.Message{Sid: r.MessageSid, From: ann, To: business, Body: words},
	}.Outgoing()
	letter.Attributes = map[string]string{
		delivery.AttributeReason: string(ledger.ReasonAttemptsExhausted), delivery.AttributeAttempts: "1", delivery.AttributeLastError: "busy",
	}
	if err == nil {
		err = s.dead.Send(t.Context(), letter)
	}
	if err != nil {
		t.Fatal(err)
	}
	b := s.as(signin.Dispatcher)
	page := b.do(http.MethodGet, "/console/needs", nil)
	b.want(page, http.StatusOK, "These texts are dead", "dead; would be sent again", "Last error: busy", "1 letter would be moved",
		"Move the letters back", "What needs me? (1)")
	if strings.Contains(page.Body.String(), "frozen") {
		t.Error("the page has the words of a text")
	}
	b.want(b.follow(b.mend("/redrive")), http.StatusOK, "on their way back to the queue", "ordered by the-dispatcher")
	s.becomes(sid(1), ledger.Sent)
	for range 1000 {
		if page = b.do(http.MethodGet, "/console/needs", nil); !strings.Contains(page.Body.String(), "Look again") {
			break
		}
		time.Sleep(5 * time.Millisecond)
	}
	b.want(page, http.StatusOK, "1 of 1 letter moved, 0 left", "Nothing needs you.")
	b.want(b.mend("/redrive"), http.StatusConflict, "No letter would be moved")
	s.wantOnRecord(conversation.DeedRedrive, "the-dispatcher")
	b.want(b.do(http.MethodGet, textsPage(sid(1)), nil), http.StatusOK, "the-dispatcher had its dead letter moved back to the queue.")
}

// TestWhoWaitsAndWhoOptedOut are on the page, too.
func TestWhoWaitsAndWhoOptedOut(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.waits(ann, sid(1), time.Hour, func(c *conversation.Conversation) {
		c.Spell.UnansweredAt, c.Spell.DueAt = s.now, time.Time{}
	})
	if err := route.MarkOptedOut(t.Context(), s.relay.Routes, business, bos, true); err != nil {
		t.Fatal(err)
	}
	b := s.as(signin.Viewer)
	b.want(b.do(http.MethodGet, "/console/needs", nil), http.StatusOK, "Nobody has answered these customers", string(ann),
		"Bo "+string(bos)+" texts START to "+string(business), "What needs me? (2)")
}
