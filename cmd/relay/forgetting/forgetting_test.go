package forgetting_test

import (
	"context"
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
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/queue"
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

// knows has the relay know the customer by a name, and the phone write to him.
func (s *stage) knows(who sms.PhoneNumber, name string, edit ...func(*conversation.Conversation)) {
	s.t.Helper()
	c := conversation.Conversation{TwilioNumber: number, Customer: who, Name: name, NamedBy: "ada"}
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
	p = p.Receive(conversation.Exchange{Customer: who, Tag: "A05", Name: name, SentAt: s.at}, relaytest.MessageSid(1))
	p.LastTo = who
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

// holds reports whether the text is in a row of the database, as a reader of its tables finds it.
func (s *stage) holds(text string) bool {
	s.t.Helper()
	s.audited()
	copied := filepath.Join(s.t.TempDir(), "copy.db")
	if err := s.db.CopyTo(s.t.Context(), copied, func() error { return nil }); err != nil {
		s.t.Fatal(err)
	}
	found, err := sqlite.Holds(s.t.Context(), copied, text)
	if err != nil {
		s.t.Fatal(err)
	}
	return found
}

func (s *stage) checkGone() {
	s.t.Helper()
	for _, text := range []string{"sofa", "Ann", string(customer)} {
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
	s.knows(customer, "Ann Miller")
	mine := s.text(1, customer, "my sofa", ledger.Delivered, func(r *ledger.Record) {
		r.MessageSid = "MM" + r.MessageSid[2:]
		r.Media = []sms.Media{{URL: "https://api.twilio.com/x", Token: token}}
	})
	s.twilio.media[mine] = 2
	s.text(2, other, "my lamp", ledger.Delivered)
	s.text(3, phone, "Yes, the sofa", ledger.Delivered, func(r *ledger.Record) {
		r.Customer, r.Destination = customer, customer
		r.Answer = ledger.Answer{Phone: phone, At: s.at, Verdict: ledger.AnswerSent, Tag: "A05", Words: "Yes, the sofa", Tells: "Sent to A05: Ann."}
	})
	s.text(4, phone, "A05 is Ann Miller, last text just now.", ledger.Delivered, func(r *ledger.Record) { r.Notice, r.Destination = true, phone })
	s.twilio.listed = []sms.Listed{{Sid: relaytest.MessageSid(77), From: customer, Body: "an old sofa"}, {Sid: relaytest.MessageSid(78), From: other}}
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
	if p, err := s.db.Conversations().GetPhone(t.Context(), conversation.PhoneKey{TwilioNumber: number, Phone: phone}); err != nil || p.Knows(customer) {
		t.Errorf("the phone still knows the customer; error %v", err)
	}
}

// TestWhatStays: who opted out, or is blocked, stays so when the customer comes back, and START counts.
func TestWhatStays(t *testing.T) {
	s := newStage(t)
	s.text(2, other, "my lamp", ledger.Delivered)
	s.knows(customer, "Ann Miller", func(c *conversation.Conversation) {
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
		"uncertain": {ledger.Uncertain, ledger.ReasonUnknownOutcome, ledger.KeptUncertain,
			func(r ledger.Record, now time.Time) (ledger.Record, bool, error) {
				ended, changed := r.Abandon(ledger.Decision{By: "ada"}, now)
				return ended, changed, nil
			}},
		"dead": {ledger.Dead, ledger.ReasonAttemptsExhausted, ledger.KeptDead,
			func(r ledger.Record, now time.Time) (ledger.Record, bool, error) {
				ended, changed := r.DropLetter(ledger.Decision{By: "ada"}, now)
				return ended, changed, nil
			}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.knows(customer, "Ann Miller")
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

// TestTwilioInTrouble: whatever Twilio answers, the order goes on until nothing is left, also after a restart.
func TestTwilioInTrouble(t *testing.T) {
	for name, trouble := range map[string]struct {
		sid   string
		fault fault.Error
		// stops: nothing else is asked then.
		stops bool
	}{
		"list":         {"", fault.Error{Kind: fault.Transient, HTTPStatus: 503}, true},
		"busy":         {relaytest.MessageSid(1), fault.Error{Kind: fault.Transient, HTTPStatus: 503}, true},
		"too much":     {relaytest.MessageSid(1), fault.Error{Kind: fault.Throttled, HTTPStatus: 429}, true},
		"no answer":    {relaytest.MessageSid(1), fault.Error{Kind: fault.Unknown}, true},
		"not finished": {relaytest.MessageSid(1), fault.Error{Kind: fault.Permanent, HTTPStatus: 409, Code: 20009}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage(t)
			s.text(1, customer, "my sofa", ledger.Delivered)
			s.text(2, other, "my lamp", ledger.Delivered)
			s.twilio.failing[trouble.sid] = &trouble.fault
			s.give()
			o := s.goOn(2)
			if o.IsDone() || trouble.stops != (o.Problem != "") || trouble.stops == (o.Unfinished > 0) {
				t.Errorf("got %+v", o)
			}
			if s.holds("sofa") {
				t.Error("the text is still here")
			}
			if err := s.db.Close(); err != nil {
				t.Fatal(err)
			}
			s.open()
			delete(s.twilio.failing, trouble.sid)
			if o := s.goOn(12); !o.IsDone() || o.Erased.Messages != 2 {
				t.Errorf("got %+v", o)
			}
			if s.twilio.bodies[relaytest.MessageSid(1)] != "" || s.twilio.bodies[relaytest.OutboundSid(1)] != "" {
				t.Errorf("Twilio still has %v", s.twilio.bodies)
			}
		})
	}
}

// TestBrokenOff: a worker that ends after any write goes on where it was.
func TestBrokenOff(t *testing.T) {
	for writes := range 14 {
		s := newStage(t)
		s.knows(customer, "Ann Miller")
		s.text(1, customer, "my sofa", ledger.Delivered)
		s.text(2, other, "my lamp", ledger.Delivered)
		s.audited()
		o, err := forgetting.Give(t.Context(), s.db, customer, "ada", s.at)
		if err != nil {
			t.Fatal(err)
		}
		w, left := s.worker(), writes
		ctx, cancel := context.WithCancel(t.Context())
		w.Now = func() time.Time {
			if left--; left < 0 {
				cancel()
			}
			return s.at
		}
		_, _ = w.Work(ctx, o)
		cancel()
		if o := s.goOn(4); !o.IsDone() || o.Erased.Gone > 0 {
			t.Errorf("after %d: %+v", writes, o)
		}
		s.checkGone()
	}
}

// TestCustomerWritesAgain: what came in after the order stays, and what is needed to answer it; the name does not.
func TestCustomerWritesAgain(t *testing.T) {
	s := newStage(t)
	s.knows(customer, "Ann Miller")
	s.text(1, customer, "my sofa", ledger.Delivered)
	s.audited()
	o, err := forgetting.Give(t.Context(), s.db, customer, "ada", s.at)
	if err != nil {
		t.Fatal(err)
	}
	s.at = s.at.Add(time.Second)
	s.text(2, customer, "a new chair", ledger.Sent)
	s.work(o)
	if o := s.goOn(2); !o.IsDone() {
		t.Errorf("got %+v", o)
	}
	if s.holds("sofa") || !s.holds("a new chair") || s.holds(`"Name":"Ann`) {
		t.Error("the old text or the name is still here, or the new text is not")
	}
	p, err := s.db.Conversations().GetPhone(t.Context(), conversation.PhoneKey{TwilioNumber: number, Phone: phone})
	if err != nil || !p.Knows(customer) {
		t.Errorf("the phone cannot answer any more; error %v", err)
	}
}

// TestList: the list is where the backups are before anything is erased at Twilio.
func TestList(t *testing.T) {
	s := newStage(t)
	s.text(1, customer, "my sofa", ledger.Delivered)
	s.cannotShare = errors.New("the disk is full")
	s.give()
	if o := s.goOn(3); o.IsDone() || !strings.Contains(o.Problem, "the disk is full") || len(s.twilio.asked) > 0 {
		t.Errorf("got %+v, asked %v", o, s.twilio.asked)
	}
	s.cannotShare = nil
	if o := s.goOn(3); !o.IsDone() {
		t.Errorf("got %+v", o)
	}
	last := s.shared[len(s.shared)-1]
	if !last.Has(customer, began) || last.Has(customer, began.Add(time.Hour)) || last.Has(other, began) || !last.Customers[0].IsOver {
		t.Errorf("got %+v", last)
	}
}

// TestRestored: an older backup does not bring a customer back, nor anything of his that was to be sent.
func TestRestored(t *testing.T) {
	s := newStage(t)
	s.knows(customer, "Ann Miller")
	s.text(1, customer, "my sofa", ledger.Delivered)
	waiting := s.text(2, customer, "a second sofa", ledger.Queued, func(r *ledger.Record) { r.Reason = ledger.ReasonPace })
	s.text(3, other, "my lamp", ledger.Delivered)
	m := sms.Message{Sid: relaytest.MessageSid(4), From: customer, To: number, Body: "a third sofa"}
	e := queue.Envelope{Version: queue.Version, Kind: queue.KindInbound, RelayID: m.Sid, ReceivedAt: s.at, Message: &m}
	body, err := queue.Encode(e)
	if err != nil {
		t.Fatal(err)
	}
	inbox := s.db.Queue(datafolder.QueueName, datafolder.InboxConfig())
	if err := inbox.Send(t.Context(), queue.Outgoing{Body: body, Group: e.Group(), DeduplicationID: e.DeduplicationID()}); err != nil {
		t.Fatal(err)
	}
	s.audited()
	folder := t.TempDir()
	if err := s.db.CopyTo(t.Context(), filepath.Join(folder, datafolder.DatabaseFile), func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	key := []byte("a key of 32 bytes, or so, of ours")
	list := forgetting.List{Key: key, Customers: []forgetting.Forgotten{
		{Hash: sqlite.HashOf(key, customer), Ends: customer.Mask(), By: "ada", At: s.at.Add(time.Hour), IsOver: true},
		{Hash: sqlite.HashOf(key, "+13125550188"), Ends: "***0188", By: "ada", At: s.at.Add(time.Hour), IsOver: true},
	}}
	customers, isLate, err := forgetting.RestoredFolder(t.Context(), folder, list, s.now)
	if err != nil || isLate || customers != 1 {
		t.Fatalf("%d customers, late %v, error %v", customers, isLate, err)
	}
	// Whoever moves the folder takes the file alone.
	if log, err := os.Stat(filepath.Join(folder, datafolder.DatabaseFile+"-wal")); err == nil && log.Size() > 0 {
		t.Errorf("the file is not all there is: the log has %d bytes", log.Size())
	}
	s.folder = folder
	s.open()
	for _, sid := range []string{waiting, m.Sid} {
		if r, err := s.db.Ledger().Get(t.Context(), sid); err != nil || r.State != ledger.Dropped || r.Reason != ledger.ReasonForgotten {
			t.Errorf("%s: %+v, error %v", sid, r, err)
		}
	}
	if s.holds("my sofa") || s.holds("second sofa") || s.holds(`"Name":"Ann`) {
		t.Error("the folder has the customer again")
	}
	orders, err := forgetting.Orders(t.Context(), s.db)
	if err != nil || len(orders) != 2 {
		t.Fatalf("%+v, error %v", orders, err)
	}
	// The other one is not known here, until Twilio names the number.
	if err := s.worker().Seen(t.Context(), "+13125550188"); err != nil {
		t.Fatal(err)
	}
	s.at = s.at.Add(2 * time.Hour)
	if left, err := s.worker().All(t.Context()); err != nil || left != 1 {
		t.Errorf("%d left, error %v: the text that waits on the queue is the one", left, err)
	}
}
