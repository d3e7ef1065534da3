package forgetting_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/forgetting"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	number   = relaytest.TwilioNumber
	customer = sms.PhoneNumber("+13125550147")
	other    = sms.PhoneNumber("+13125550199")
	phone    = relaytest.Destination
)

var began = time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)

// twilioSide is what Twilio has, and how it answers.
type twilioSide struct {
	bodies map[string]string
	media  map[string]int
	listed []sms.Listed
	// failing answers requests for a message with an error; "" is the list.
	failing map[string]*fault.Error
	asked   []string
}

func (s *twilioSide) Redact(_ context.Context, sid string) error {
	s.asked = append(s.asked, "redact "+sid)
	if f := s.failing[sid]; f != nil {
		return f
	}
	if _, found := s.bodies[sid]; !found {
		return &fault.Error{Kind: fault.Permanent, HTTPStatus: 404, Err: errors.New("no such message")}
	}
	s.bodies[sid] = ""
	return nil
}

func (s *twilioSide) DeleteMedia(_ context.Context, sid string) (int, error) {
	s.asked = append(s.asked, "media "+sid)
	if f := s.failing[sid]; f != nil {
		return 0, f
	}
	deleted := s.media[sid]
	s.media[sid] = 0
	return deleted, nil
}

func (s *twilioSide) List(_ context.Context, filter sms.ListFilter) (found []sms.Listed, err error) {
	if f := s.failing[""]; f != nil {
		return nil, f
	}
	for _, m := range s.listed {
		if m.From == filter.From || m.To == filter.To {
			found = append(found, m)
		}
	}
	return found, nil
}

// stage is a data folder with what a customer and another one wrote.
type stage struct {
	t      *testing.T
	folder string
	db     *sqlite.DB
	at     time.Time
	twilio *twilioSide
	shared []forgetting.List
	// cannotShare is why the list cannot be put where the backups are.
	cannotShare error
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{
		t: t, folder: t.TempDir(), at: began,
		twilio: &twilioSide{bodies: map[string]string{}, media: map[string]int{}, failing: map[string]*fault.Error{}},
	}
	s.open()
	return s
}

func (s *stage) open() {
	s.t.Helper()
	var err error
	if s.db, err = sqlite.Open(s.t.Context(), filepath.Join(s.folder, datafolder.DatabaseFile), s.now); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = s.db.Close() })
}

func (s *stage) now() time.Time { return s.at }

func (s *stage) worker() forgetting.Worker {
	return forgetting.Worker{
		DB: s.db, Messages: s.twilio, RemoveFile: forgetting.RemoveFrom(s.folder), Now: s.now,
		Share: func(_ context.Context, list forgetting.List) error {
			if s.cannotShare == nil {
				s.shared = append(s.shared, list)
			}
			return s.cannotShare
		},
	}
}

// text puts a text into the ledger, in that state, with an attempt that Twilio has under a Sid of its own.
func (s *stage) text(n int, from sms.PhoneNumber, body string, state ledger.State, edit ...func(*ledger.Record)) string {
	s.t.Helper()
	r := relaytest.Record(n, s.at)
	r.Customer, r.Body, r.State = from, body, state
	name := "Bo Brown"
	if from == customer {
		name = "Ann Miller"
	}
	r.Attempts = []ledger.Attempt{{
		Number: 1, To: phone, Header: "A05 " + name + " " + string(from) + ": ", StartedAt: s.at, OutboundSid: relaytest.OutboundSid(n),
		Outcome: ledger.OutcomeAccepted, Status: sms.StatusDelivered,
	}}
	for _, change := range edit {
		change(&r)
	}
	if _, err := auditlog.Put(s.t.Context(), s.db.Ledger(), ledger.Record{}, r); err != nil {
		s.t.Fatal(err)
	}
	s.twilio.bodies[r.MessageSid], s.twilio.bodies[relaytest.OutboundSid(n)] = body, "A05 "+name+": "+body
	return r.MessageSid
}

// knows has the relay know the customer by his name, and the phone write to him.
func (s *stage) knows(edit ...func(*conversation.Conversation)) {
	s.t.Helper()
	const name = "Ann Miller"
	c := conversation.Conversation{TwilioNumber: number, Customer: customer, Name: name, NamedBy: "ada"}
	c, use := c.Take(conversation.TagUse{Tag: "A05"}, s.at)
	for _, change := range edit {
		change(&c)
	}
	if _, err := auditlog.PutTag(s.t.Context(), s.db.Conversations(), conversation.Conversation{}, c, use, s.at); err != nil {
		s.t.Fatal(err)
	}
	p, err := s.db.Conversations().GetPhone(s.t.Context(), conversation.PhoneKey{TwilioNumber: number, Phone: phone})
	if err != nil {
		s.t.Fatal(err)
	}
	p = p.Receive(conversation.Exchange{Customer: customer, Tag: "A05", Name: name, SentAt: s.at}, relaytest.MessageSid(1))
	p.LastTo = customer
	if _, err := s.db.Conversations().PutPhone(s.t.Context(), p); err != nil {
		s.t.Fatal(err)
	}
}

// audited takes all changes as written to the audit log.
func (s *stage) audited() (changes []sqlite.Change) {
	s.t.Helper()
	changes, err := s.db.Changes().Read(s.t.Context(), 1000, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	if len(changes) > 0 {
		if err := s.db.Changes().Checkpoint(s.t.Context(), changes[len(changes)-1].SequenceNumber); err != nil {
			s.t.Fatal(err)
		}
	}
	return changes
}

func (s *stage) give() forgetting.Order {
	s.t.Helper()
	s.audited()
	s.index()
	o, err := forgetting.Give(s.t.Context(), s.db, customer, "ada", s.at)
	if err != nil {
		s.t.Fatal(err)
	}
	return s.work(o)
}

func (s *stage) work(o forgetting.Order) forgetting.Order {
	s.t.Helper()
	o, err := s.worker().Work(s.t.Context(), o)
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

// goOn has the audit log take the changes, and carries the orders out as relay serve does, for so many minutes.
func (s *stage) goOn(minutes int) forgetting.Order {
	s.t.Helper()
	for range minutes {
		s.at = s.at.Add(time.Minute)
		s.audited()
		if _, err := s.worker().All(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
	}
	orders, err := forgetting.Orders(s.t.Context(), s.db)
	if err != nil || len(orders) != 1 {
		s.t.Fatalf("%d orders, error %v", len(orders), err)
	}
	return orders[0]
}

// holds reports whether the text is anywhere in the database, as one finds it who reads a copy of the file byte by byte.
func (s *stage) holds(text string) bool {
	s.t.Helper()
	s.audited()
	copied := filepath.Join(s.t.TempDir(), "copy.db")
	if err := s.db.CopyTo(s.t.Context(), copied, func() error { return nil }); err != nil {
		s.t.Fatal(err)
	}
	content, err := os.ReadFile(copied)
	if err != nil {
		s.t.Fatal(err)
	}
	return bytes.Contains(content, []byte(text))
}

// index puts the words of all texts into the index by which they are searched, as relay serve does.
func (s *stage) index() {
	s.t.Helper()
	for isMore := true; isMore; {
		var err error
		if isMore, err = s.db.IndexWords(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
	}
}

func (s *stage) checkGone() {
	s.t.Helper()
	// The index has numbers without their plus sign.
	for _, text := range []string{"sofa", "Ann", string(customer), string(customer[1:])} {
		if s.holds(text) {
			s.t.Errorf("the database still has %q", text)
		}
	}
	for _, text := range []string{"lamp", string(other)} {
		if !s.holds(text) {
			s.t.Errorf("the database lost %q", text)
		}
	}
}
