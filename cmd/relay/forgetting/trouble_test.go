package forgetting_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/forgetting"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

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
	for writes := range 9 {
		s := newStage(t)
		s.knows()
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
	s.knows()
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
	s.knows()
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

// TestOnlyPendingOrdersAreRead: the orders that are done stay for good, and the look of each minute passes over them.
func TestOnlyPendingOrdersAreRead(t *testing.T) {
	s := newStage(t)
	put := func(id string, order map[string]any) {
		t.Helper()
		// What is read has a time in "at".
		order["at"] = 7
		if err := s.db.Forgotten().PutOrder(t.Context(), id, 0, order); err != nil {
			t.Fatal(err)
		}
	}
	put("done", map[string]any{"done_at": began})
	if left, err := s.worker().All(t.Context()); err != nil || left != 0 {
		t.Errorf("with one that is done: %d left, error %v", left, err)
	}
	put("pending", map[string]any{})
	if _, err := s.worker().All(t.Context()); err == nil {
		t.Error("one that is not done was not read")
	}
}
