package export

import (
	"errors"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	number   = relaytest.TwilioNumber
	customer = relaytest.Customer
	other    = relaytest.Fallback
	phone    = relaytest.Destination
)

func TestMoves(t *testing.T) {
	s := newStage(t, t.TempDir(), nil)
	records := []ledger.Record{s.text(1, ledger.Queued), s.text(2, ledger.Delivered), s.text(3, ledger.Uncertain)}
	gone := s.text(4, ledger.Delivered)
	gone, err := auditlog.Change(t.Context(), s.here.Ledger(), gone, func(r ledger.Record) (ledger.Record, bool, error) {
		r.ExpiresAt = s.clock.Now().Unix() - 1
		return r, true, nil
	})
	s.must(err)
	s.known(customer, "A05")
	s.must(s.here.Conversations().PutAction(t.Context(), conversation.NewAction(
		conversation.DeedResume, conversation.PhoneKey{TwilioNumber: number, Phone: phone}, customer, "ann", s.clock.Now())))
	_, err = s.here.Routes().Put(t.Context(), route.Route{TwilioNumber: number, DestinationCarrier: phone, Active: true})
	s.must(err)
	s.queued()
	if err := s.all(s.export(true)); !errors.Is(err, ErrUnlogged) {
		t.Errorf("changes are not in the audit log: %v", err)
	}
	s.logged()

	e := s.export(true)
	s.must(s.all(e))
	s.wantCounts(e, map[string]Counts{
		Routes: {Copied: 1}, Customers: {Copied: 1}, Phones: {Copied: 1}, Actions: {Copied: 1},
		Texts: {Copied: 3, Left: 1}, Messages: {Copied: 4},
	})
	for _, r := range records {
		s.checkText(r)
	}
	if _, err := s.ledger.Get(t.Context(), gone.MessageSid); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("a text that has expired: %v", err)
	}
	if got := s.tagged(); got != customer {
		t.Errorf("the tag is %q's", got)
	}
	was, err := s.here.Conversations().Get(t.Context(), number, customer)
	s.must(err)
	is, err := s.conversations.Get(t.Context(), number, customer)
	s.must(err)
	if is.ID != was.ID || is.Version != 1 {
		t.Errorf("the conversation has the ID %s and the version %d, want %s and 1", is.ID, is.Version, was.ID)
	}
	for name, q := range s.queues {
		if n := len(q.Messages()); n != 1 {
			t.Errorf("%s: %d messages there", name, n)
		}
		if visible, inFlight, _, err := s.here.Queue(name, queueConfig(name)).Depth(t.Context()); visible+inFlight != 0 || err != nil {
			t.Errorf("%s: %d messages here, error %v", name, visible+inFlight, err)
		}
	}
	if got, _ := s.queues[datafolder.TimersName].Receive(t.Context(), 10, 0, time.Minute); len(got) > 0 {
		t.Error("a timer came before it was due")
	}

	again := s.export(true)
	s.must(s.all(again))
	s.wantCounts(again, map[string]Counts{
		Routes: {There: 1}, Customers: {There: 1}, Phones: {There: 1}, Actions: {Copied: 1}, Texts: {There: 3, Left: 1},
	})
}

// TestCopiesAhead while the relay runs, and only what has changed once it is stopped.
func TestCopiesAhead(t *testing.T) {
	s := newStage(t, t.TempDir(), nil)
	first, second := s.text(1, ledger.Queued), s.text(2, ledger.Delivered)
	s.known(customer, "A05")
	s.known(other, "B16")
	s.queued()
	ahead := s.export(false)
	s.must(s.all(ahead))
	s.wantCounts(ahead, map[string]Counts{Customers: {Copied: 2}, Texts: {Copied: 2}})

	s.clock.Advance(time.Minute)
	first, err := auditlog.Change(t.Context(), s.here.Ledger(), first, func(r ledger.Record) (ledger.Record, bool, error) {
		r.State, r.UpdatedAt = ledger.Delivered, ledger.Stamp(s.clock.Now())
		return r, true, nil
	})
	s.must(err)
	// The tag rests for long enough, and is given to another customer.
	store := s.here.Conversations()
	uses, err := store.TagUses(t.Context())
	s.must(err)
	c, err := store.Get(t.Context(), number, other)
	s.must(err)
	taken, use := c.Take(byTag(uses)["A05"], s.clock.Now())
	_, err = auditlog.PutTag(t.Context(), store, c, taken, use, s.clock.Now())
	s.must(err)
	s.logged()

	e := s.export(true)
	s.must(s.all(e))
	s.wantCounts(e, map[string]Counts{
		Customers: {Copied: 1, There: 1}, Phones: {Copied: 1}, Texts: {Copied: 1, There: 1}, Messages: {Copied: 4},
	})
	s.checkText(first)
	s.checkText(second)
	if got := s.tagged(); got != other {
		t.Errorf("the tag is %q's, want the new customer's", got)
	}
}

// TestStaysAsItIsThere what the relay there has changed, or somebody has set up.
func TestStaysAsItIsThere(t *testing.T) {
	s := newStage(t, t.TempDir(), nil)
	r := s.text(1, ledger.Queued)
	_, err := s.here.Routes().Put(t.Context(), route.Route{TwilioNumber: number, DestinationCarrier: phone, Active: true})
	s.must(err)
	_, err = s.routes.Put(t.Context(), route.Route{TwilioNumber: number, DestinationCarrier: other, Active: true})
	s.must(err)
	s.logged()
	s.must(s.all(s.export(true)))
	s.clock.Advance(time.Minute)
	there, err := s.ledger.Get(t.Context(), r.MessageSid)
	s.must(err)
	there, err = auditlog.Change(t.Context(), s.ledger, there, func(r ledger.Record) (ledger.Record, bool, error) {
		r.State, r.UpdatedAt = ledger.Delivered, ledger.Stamp(s.clock.Now())
		return r, true, nil
	})
	s.must(err)
	e := s.export(true)
	s.must(s.all(e))
	s.wantCounts(e, map[string]Counts{Routes: {Kept: 1}, Texts: {There: 1}})
	if now, err := s.ledger.Get(t.Context(), r.MessageSid); err != nil || now.Version != there.Version {
		t.Errorf("the text there has version %d, want %d, error %v", now.Version, there.Version, err)
	}
}

// TestOtherTags are refused: a phone there knows another customer by the tag.
func TestOtherTags(t *testing.T) {
	s := newStage(t, t.TempDir(), nil)
	s.known(customer, "A05")
	s.logged()
	stranger, use := conversation.Conversation{TwilioNumber: number, Customer: other}.Take(conversation.TagUse{Tag: "A05"}, s.clock.Now())
	_, err := auditlog.PutTag(t.Context(), s.conversations, conversation.Conversation{TwilioNumber: number, Customer: other}, stranger, use,
		s.clock.Now())
	s.must(err)
	if err := s.all(s.export(true)); !errors.Is(err, ErrTags) {
		t.Errorf("the tag is another's there: %v", err)
	}
	if got := s.tagged(); got != other {
		t.Errorf("the tag is %q's", got)
	}
}

// TestInterrupted fails at any write there, before it or after it, and is repeated until all is there: each thing once.
func TestInterrupted(t *testing.T) {
	all := 0
	for seed := range uint64(6) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			var mu sync.Mutex
			failures, calm := 0, false
			s := newStage(t, t.TempDir(), func(op string) error {
				mu.Lock()
				defer mu.Unlock()
				if calm || random.IntN(10) != 0 {
					return nil
				}
				failures++
				kind := fault.Transient
				if strings.HasPrefix(op, "after") {
					kind = fault.Unknown
				}
				return &fault.Error{Kind: kind, Err: errors.New("injected")}
			})
			var records []ledger.Record
			for n := range 6 {
				records = append(records, s.text(n+1, ledger.Delivered))
			}
			s.known(customer, "A05")
			s.queued()
			s.logged()
			for err := errors.New("not begun"); err != nil; {
				if err = s.all(s.export(true)); failures > 500 {
					t.Fatal(err)
				}
			}
			mu.Lock()
			calm = true
			mu.Unlock()
			all += failures
			s.checkAll(records)
		})
	}
	if all < 6 {
		t.Errorf("only %d calls failed", all)
	}
}

func (s *stage) checkAll(records []ledger.Record) {
	s.t.Helper()
	for _, r := range records {
		s.checkText(r)
	}
	if got := s.tagged(); got != customer {
		s.t.Errorf("the tag is %q's", got)
	}
	// A queue in order leaves out a message that is sent again; a timer may come twice.
	for _, name := range []string{datafolder.QueueName, datafolder.DeadLettersName} {
		if n := len(s.queues[name].Messages()); n != 1 {
			s.t.Errorf("%s: %d messages there", name, n)
		}
	}
}
