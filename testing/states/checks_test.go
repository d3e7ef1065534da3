package states_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// record returns the nth text's record, the zero one if there is none.
func (s *stage) record(n int) ledger.Record {
	r, err := s.ledger.Get(s.t.Context(), s.sid(n))
	if !errors.Is(err, ledger.ErrNotFound) {
		s.must(err)
	}
	return r
}

// is returns a question for until: whether the first text is in that state.
func (s *stage) is(state ledger.State) func() bool {
	return func() bool { return s.record(1).State == state }
}

// rests holds the nth text against where it must be, by what ways: its states in short, such as "sending sent delivered", and
// its attempts, such as "1@0 unreachable done, 2@1 accepted delivered".
func (s *stage) rests(n int, reason ledger.Reason, path, attempts string) {
	s.t.Helper()
	r := s.record(n)
	if r.Reason != reason {
		s.t.Errorf("text %d is %s with the reason %q, want %q", n, r.State, r.Reason, reason)
	}
	if got := strings.Trim(fmt.Sprint(s.ledger.path(r.MessageSid)), "[]"); got != path {
		s.t.Errorf("text %d went through: %s\nwant:              %s", n, got, path)
	}
	if got := outcomes(r); got != attempts {
		s.t.Errorf("attempts of text %d: %s\nwant:               %s", n, got, attempts)
	}
	if step, _ := r.Next(s.now()); step != ledger.StepDone || !r.LeaseUntil.IsZero() || !r.NotBefore.IsZero() || r.Slot != (ledger.Slot{}) {
		s.t.Errorf("text %d does not rest: %+v", n, r)
	}
}

// outcomes tells the attempts of a record in short.
func outcomes(r ledger.Record) string {
	var all []string
	for _, a := range r.Attempts {
		words := []string{fmt.Sprintf("%d@%d", a.Number, a.Hop), a.Outcome}
		for _, mark := range []struct {
			is   bool
			word string
		}{{a.HopDone, "done"}, {a.Found, "found"}, {a.Status != "", string(a.Status)}} {
			if mark.is {
				words = append(words, mark.word)
			}
		}
		all = append(all, strings.Join(words, " "))
	}
	return strings.Join(all, ", ")
}

// posted holds the phones that POSTs were made to, in order, against what they must be, and each POST against the claim that
// was written for it.
func (s *stage) posted(want ...sms.PhoneNumber) {
	s.t.Helper()
	var got []sms.PhoneNumber
	made := map[sms.CallbackRef]bool{}
	for _, p := range s.twilio.Posts() {
		got = append(got, p.To)
		if made[p.Ref] {
			s.t.Errorf("attempt %d of %s was made twice", p.Ref.Attempt, p.Ref.RelayID)
		}
		made[p.Ref] = true
		if !strings.Contains(p.Body, secret) && !s.isNotice(p) || p.From != s.number || p.ValidityPeriod <= 0 {
			s.t.Errorf("POST of %d characters with a validity of %v", len(p.Body), p.ValidityPeriod)
		}
		s.claimed(p)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		s.t.Errorf("POSTs to (-want +got):\n%s", diff)
	}
}

// isNotice reports whether the POST is of the relay's own words: about a keyword, in place of a text's words, or to a phone that wrote.
func (s *stage) isNotice(p relaytest.TwilioPost) bool {
	s.t.Helper()
	r, err := s.ledger.Get(s.t.Context(), p.Ref.RelayID)
	s.must(err)
	return r.Notice || r.Keyword != "" && strings.Contains(p.Body, ": "+r.Keyword+". ")
}

// claimed compares a POST with the ledger. Only the last of the tries while the account is unusable is kept.
func (s *stage) claimed(p relaytest.TwilioPost) {
	s.t.Helper()
	r, err := s.ledger.Get(s.t.Context(), p.Ref.RelayID)
	s.must(err)
	if len(r.Attempts) > 0 && p.Ref.Attempt > r.Attempts[len(r.Attempts)-1].Number {
		s.t.Errorf("POST of attempt %d, which the ledger does not know", p.Ref.Attempt)
	}
	for _, a := range r.Attempts {
		if a.Number == p.Ref.Attempt && (a.To != p.To || a.Hop != p.Ref.Hop || (a.OutboundSid != "" && a.OutboundSid != p.Message.Sid)) {
			s.t.Errorf("POST of attempt %d has Sid %q and hop %d, the ledger %q and %d", a.Number, p.Message.Sid, p.Ref.Hop, a.OutboundSid, a.Hop)
		}
	}
}

// left compares what is left on the queues with what must be. No texts and receipts may be left.
func (s *stage) left(timers, dead int) {
	s.t.Helper()
	if got := [...]int{s.depth(s.texts), s.depth(s.timers), s.depth(s.dead)}; got != [...]int{0, timers, dead} {
		s.t.Errorf("%d texts, %d timers and %d dead letters are left, want 0, %d and %d", got[0], got[1], got[2], timers, dead)
	}
}

// letters receives n dead letters.
func (s *stage) letters(n int) []queue.Delivery {
	s.t.Helper()
	var letters []queue.Delivery
	s.pumping(func() bool { return len(letters) >= n }, func() int {
		got, err := s.dead.Receive(s.t.Context(), 10, s.wait, visibility)
		s.must(err)
		letters = append(letters, got...)
		return len(got)
	})
	return letters
}

// optedOut holds the marks on the route against what they must be.
func (s *stage) optedOut(want ...sms.PhoneNumber) {
	s.t.Helper()
	found, err := s.routes.Lookup(s.t.Context(), s.number)
	s.must(err)
	if got := found[s.number].OptedOut; !slices.Equal(got, want) {
		s.t.Errorf("%d hops are marked as opted out, want %d", len(got), len(want))
	}
}

// Edits of a route.
func resend(r *route.Route)     { r.OnUncertain = route.Resend }
func impatient(r *route.Route)  { r.DeliveryTimeout = route.Duration(timeout) }
func noFallback(r *route.Route) { r.FallbackCarriers = nil }
func switchOff(r *route.Route)  { r.Active = false }

// switchOffAt switches the route off as an operator does, at that time.
func switchOffAt(at time.Time) func(r *route.Route) {
	return func(r *route.Route) {
		off := *r
		off.Active = false
		*r = off.Switched(*r, at)
	}
}
