package forgetting_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/forgetting"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestForget: everything of the customer goes, here and at Twilio, and nothing of others.
func TestForget(t *testing.T) {
	s := newStage(t)
	token := strings.Repeat("a1", 16)
	if err := os.MkdirAll(filepath.Join(s.folder, datafolder.MediaFolder), 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(s.folder, datafolder.MediaFolder, token)
	if err := os.WriteFile(file, []byte("a sofa"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.knows()
	mine := s.text(1, customer, "my sofa", ledger.Delivered, func(r *ledger.Record) {
		r.MessageSid = "MM" + r.MessageSid[2:]
		r.Media = []sms.Media{{URL: "https://api.twilio.com/x", Token: token}}
	})
	s.twilio.media[mine] = 2
	s.text(2, other, "my lamp", ledger.Delivered)
	s.text(3, phone, "Yes, the sofa", ledger.Delivered, func(r *ledger.Record) {
		r.Customer, r.Destination = customer, customer
		r.Answer = ledger.Answer{Phone: phone, At: s.at, Verdict: ledger.AnswerSent, Tag: "A05", Words: "the sofa", Tells: "It is Ann's."}
	})
	s.text(4, phone, "A05 is Ann Miller, last text just now.", ledger.Delivered, func(r *ledger.Record) {
		r.Notice, r.Destination = true, phone
	})
	s.twilio.listed = []sms.Listed{
		{Sid: relaytest.MessageSid(77), From: customer, Body: "an old sofa"}, {Sid: relaytest.MessageSid(78), From: other},
	}
	s.twilio.bodies[relaytest.MessageSid(77)] = "an old sofa"

	o := s.give()
	if len(o.Waits) != 1 || o.Waits[0].Why != forgetting.WaitsForAudit || len(s.twilio.asked) > 0 {
		t.Errorf("before the audit log has it: waits %v, asked %v", o.Waits, s.twilio.asked)
	}
	if o = s.goOn(2); !o.IsDone() || o.Erased.Texts != 3 || o.Erased.Names != 1 || o.Erased.Attachments != 2 || o.Customer != "" {
		t.Errorf("got %+v", o)
	}
	if _, err := os.Stat(file); !errors.Is(err, fs.ErrNotExist) || o.Erased.Files != 1 {
		t.Errorf("the attachment is still here: %v", err)
	}
	for sid, body := range s.twilio.bodies {
		if strings.Contains(body, "sofa") || strings.Contains(body, "Ann Miller") {
			t.Errorf("Twilio still has %s: %q", sid, body)
		}
	}
	if s.twilio.bodies[relaytest.MessageSid(2)] == "" {
		t.Error("Twilio lost the other customer's text")
	}
	s.checkGone()
	if r, err := s.db.Ledger().Get(t.Context(), mine); err != nil || r.State != ledger.Delivered || r.Customer.Mask() != customer.Mask() {
		t.Errorf("what became of the text: %+v, error %v", r, err)
	}
	p, err := s.db.Conversations().GetPhone(t.Context(), conversation.PhoneKey{TwilioNumber: number, Phone: phone})
	if err != nil || p.Knows(customer) {
		t.Errorf("the phone still knows the customer; error %v", err)
	}
}

// TestWhatStays: who opted out, or is blocked, stays so when the customer comes back, and START counts.
func TestWhatStays(t *testing.T) {
	s := newStage(t)
	s.text(2, other, "my lamp", ledger.Delivered)
	s.knows(func(c *conversation.Conversation) {
		c.OptOut = conversation.OptOut{OptedOut: true, Word: "STOP", Since: s.at, MessageSid: relaytest.MessageSid(1)}
		c.Blocked = conversation.Blocked{On: true, By: "ada", Since: s.at}
	})
	s.give()
	if o := s.goOn(2); !o.IsDone() {
		t.Fatalf("got %+v", o)
	}
	s.checkGone()
	c, err := s.db.Conversations().Get(t.Context(), number, customer)
	if err != nil || c.Version != 0 || !c.OptOut.OptedOut || c.OptOut.Word != "STOP" || !c.Blocked.On || c.Name != "" {
		t.Errorf("got %+v, error %v", c, err)
	}
	if c, err := s.db.Conversations().Get(t.Context(), number, other); err != nil || c.OptOut.OptedOut || c.Blocked.On {
		t.Errorf("the other one: %+v, error %v", c, err)
	}
	started, _, _ := c.Hear(sms.Keyword{Word: "START", Type: sms.OptOutStart}, relaytest.MessageSid(9), s.at)
	if _, err := auditlog.PutConversation(t.Context(), s.db.Conversations(), c, started, s.at); err != nil {
		t.Fatal(err)
	}
	if c, err := s.db.Conversations().Get(t.Context(), number, customer); err != nil || c.OptOut.OptedOut || !c.Blocked.On {
		t.Errorf("after START: %+v, error %v", c, err)
	}
}

// TestTextsUnderWay are erased once they are over, and nothing at Twilio before: the relay looks for them there by their words.
func TestTextsUnderWay(t *testing.T) {
	for name, under := range map[string]struct {
		state  ledger.State
		reason ledger.Reason
		why    ledger.WhyKept
		end    func(r ledger.Record, now time.Time) (ledger.Record, bool, error)
	}{
		"queued": {ledger.Queued, ledger.ReasonPace, ledger.KeptUnderWay, func(r ledger.Record, now time.Time) (ledger.Record, bool, error) {
			ended, err := ledger.EndForgotten(r, now)
			return ended, true, err
		}},
		"uncertain": {
			ledger.Uncertain, ledger.ReasonUnknownOutcome, ledger.KeptUncertain,
			func(r ledger.Record, now time.Time) (ledger.Record, bool, error) {
				ended, changed := r.Abandon(ledger.Decision{By: "ada"}, now)
				return ended, changed, nil
			},
		},
		"dead": {
			ledger.Dead, ledger.ReasonAttemptsExhausted, ledger.KeptDead,
			func(r ledger.Record, now time.Time) (ledger.Record, bool, error) {
				ended, changed := r.DropLetter(ledger.Decision{By: "ada"}, now)
				return ended, changed, nil
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.knows()
			s.text(2, other, "my lamp", ledger.Delivered)
			s.text(3, customer, "a first sofa", ledger.Delivered)
			sid := s.text(1, customer, "my sofa", under.state, func(r *ledger.Record) { r.Reason = under.reason })
			o := s.give()
			if len(o.Waits) != 1 || o.Waits[0] != (forgetting.Wait{MessageSid: sid, Why: under.why}) || o.Erased.Names != 1 {
				t.Errorf("got %+v", o)
			}
			if o := s.goOn(3); o.IsDone() || len(s.twilio.asked) > 0 || !s.holds("my sofa") || s.holds("first sofa") || s.holds(`"Name":"Ann`) {
				t.Errorf("got %+v, asked %v", o, s.twilio.asked)
			}
			r, err := s.db.Ledger().Get(t.Context(), sid)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := auditlog.Change(t.Context(), s.db.Ledger(), r, func(r ledger.Record) (ledger.Record, bool, error) {
				return under.end(r, s.at)
			}); err != nil {
				t.Fatal(err)
			}
			if o := s.goOn(3); !o.IsDone() {
				t.Errorf("got %+v", o)
			}
			s.checkGone()
		})
	}
}
