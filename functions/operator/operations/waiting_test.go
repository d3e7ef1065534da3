package operations_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// waited is what is kept of the customer who waits since two minutes before noon.
func waited() conversation.Conversation {
	return conversation.Conversation{
		TwilioNumber: relaytest.TwilioNumber, Customer: relaytest.Customer,
		Spell: conversation.Spell{
			MessageSid: relaytest.MessageSid(1), BeganAt: noon.Add(-2 * time.Minute), NewestSid: relaytest.MessageSid(2),
			NewestAt: noon.Add(-time.Minute), Texts: 2, DueAt: noon.Add(13 * time.Minute),
		},
	}
}

// A text alone is shown with where its customer's conversation is, if the route keeps that.
func TestStatusSaysWhoHasTheCustomer(t *testing.T) {
	claimed, answered, lost := waited(), waited(), waited()
	claimed.Claim = conversation.Claim{Phone: relaytest.Destination, Since: noon.Add(-30 * time.Second), ActedAt: noon.Add(-30 * time.Second)}
	answered.Seen = conversation.Seen{At: noon, How: conversation.SeenAnswered, By: "operator"}
	lost.Spell.Stage, lost.Spell.UnansweredAt, lost.Spell.DueAt = conversation.StageOwner, noon, time.Time{}
	const waits = `"waiting":{"since":"2026-11-24T11:58:00Z","texts":2,`
	for _, tt := range []struct {
		name string
		kept conversation.Conversation
		text func(*ledger.Record)
		want string
	}{
		{"open", waited(), nil, `{"status":"open",` + waits + `"next_at":"2026-11-24T12:13:00Z","unanswered":false}}`},
		{
			"claimed", claimed, nil, `{"status":"claimed",` + waits + `"next_at":"2026-11-24T12:13:00Z","unanswered":false},` +
				`"claimer":{"phone":"+18585550122","name":"Ann","since":"2026-11-24T11:59:30Z"}}`,
		},
		{"answered", answered, nil, `{"status":"answered"}`},
		{"unanswered", lost, nil, `{"status":"open",` + waits + `"stage":"owner","unanswered":true}}`},
		{"a reply to the customer", answered, func(r *ledger.Record) {
			r.Manual, r.Customer, r.Destination = true, "", relaytest.Customer
		}, `{"status":"answered"}`},
		{"the customer never waited", conversation.Conversation{}, nil, ""},
		{"a notice", claimed, func(r *ledger.Record) { r.Notice = true }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := impatient(t)
			if tt.kept.Customer != "" {
				s.keep(t, tt.kept)
			}
			r := relayed()
			if tt.text != nil {
				tt.text(&r)
			}
			s.store(t, r)
			_, got, _ := strings.Cut(s.ask(t, status("message_sid="+relaytest.MessageSid(1))).body, `,"conversation":`)
			compare(t, "conversation", tt.want, strings.TrimSuffix(got, "}"))
		})
	}
}

// impatient is a stage whose route sends unanswered texts out again, and calls its phone Ann.
func impatient(t *testing.T) stage {
	t.Helper()
	s := newStage()
	r := relaytest.Route()
	r.AnswerTimeout = route.Duration(15 * time.Minute)
	r.Phones = []route.Phone{{Name: "Ann", Number: relaytest.Destination}}
	s.Routes = relaytest.NewMemoryRoutes(r)
	return s
}

func (s stage) keep(t *testing.T, c conversation.Conversation) {
	t.Helper()
	if _, err := s.conversations.Put(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// A route that keeps no claims costs no read.
func TestStatusOfARouteWithoutClaims(t *testing.T) {
	s := newStage()
	s.store(t, relayed())
	s.keep(t, waited())
	s.Conversations = unread{s.conversations}
	a := s.ask(t, status("message_sid="+relaytest.MessageSid(1)))
	if a.status != http.StatusOK || strings.Contains(a.body, "conversation") || strings.Contains(s.logged.String(), "ERROR") {
		t.Errorf("answer %d %s, log %s; want no conversation", a.status, a.body, s.logged)
	}
}

// unread are conversations that cannot be read.
type unread struct{ conversations.Store }

func (unread) Get(context.Context, sms.PhoneNumber, sms.PhoneNumber) (conversation.Conversation, error) {
	return conversation.Conversation{}, errors.New("the table is away")
}

// A text is shown even if it cannot be told who has its customer.
func TestStatusWithoutConversations(t *testing.T) {
	s := impatient(t)
	s.store(t, relayed())
	s.Conversations = unread{s.conversations}
	a := s.ask(t, status("message_sid="+relaytest.MessageSid(1)))
	if a.status != http.StatusOK || strings.Contains(a.body, "conversation") || !strings.Contains(s.logged.String(), "the table is away") {
		t.Errorf("answer %d %s, log %s; want the text, and the error in the log", a.status, a.body, s.logged)
	}
}
