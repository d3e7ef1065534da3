package simulation_test

import (
	"context"
	"fmt"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// given is an order that an operator gave: about a text that had so many attempts, and was last sent again at that time.
type given struct {
	relayID    string
	attempts   int
	redrivenAt time.Time
}

// resendable returns the texts that an operator may order to be sent again.
func (s *schedule) resendable() []string {
	var all []string
	for n := range s.Texts {
		for _, sid := range s.withParts([]string{s.sidOf(n + 1)}) {
			if s.current[sid].State.Resendable() {
				all = append(all, sid)
			}
		}
		for _, one := range s.rungOf(s.current[s.sidOf(n+1)]) {
			if one.State.Resendable() {
				all = append(all, one.MessageSid)
			}
		}
	}
	for _, w := range s.writings {
		if r := s.current[w.sid()]; r.State.Resendable() && r.Destination != "" {
			all = append(all, w.sid())
		}
	}
	return all
}

// resend lets an operator order a text to be sent again, once or twice, as relay resend does.
func (s *schedule) resend(sid string) {
	s.resends++
	times := one(s.chance, 1, 2)
	name := fmt.Sprintf("resender-%d", s.resends)
	s.spawn(&process{name: name}, name, func(ctx context.Context, _ *actor) {
		r, err := ledgerDoor{s}.Get(ctx, sid)
		if err != nil || !r.State.Resendable() {
			return
		}
		for range times {
			message, err := delivery.ResendOrder(r, ledger.Decision{By: name})
			if err != nil {
				s.violated("order for %s: %v", nameOf(sid), err)
				return
			}
			s.orders = append(s.orders, given{sid, len(r.Attempts), r.RedrivenAt})
			if err := (queueDoor{s, s.fifo}).Send(ctx, message); err != nil {
				return
			}
		}
	})
}

// checkResent holds the write by which an operator's order takes a text back against the orders that were given: each takes it back
// at most once, and only from where the operator saw it.
func (s *schedule) checkResent(before, after ledger.Record) {
	name, sid := nameOf(after.MessageSid), after.MessageSid
	order := given{sid, len(before.Attempts), before.RedrivenAt}
	if !slices.Contains(s.orders, order) {
		s.violated("%s was taken back after %d attempts, and nobody gave that order", name, order.attempts)
	}
	if slices.Contains(s.obeyed, order) {
		s.violated("%s was taken back twice by the same order", name)
	}
	last, _ := before.Current()
	if !before.State.Resendable() || len(after.Attempts) != order.attempts || after.RedrivenAfter != last.Number {
		s.violated("%s was taken back from %s with %d attempts of %d, the last before %d", name, before.State, len(after.Attempts),
			order.attempts, after.RedrivenAfter)
	}
	s.checkKept(after)
	s.obeyed = append(s.obeyed, order)
	s.revivals[sid] = append(s.revivals[sid], revival{
		attempts: -1, last: last.Number, at: time.Now(), ordered: true, doubtful: before.State == ledger.Uncertain,
	})
}

// isResent reports whether an operator's order took the text back between the two POSTs, and whether it was uncertain then: what
// came of the earlier one is for the operator to answer for.
func (s *schedule) isResent(earlier, later *post) (ordered, doubtful bool) {
	for _, r := range s.revivals[later.ref.RelayID] {
		if r.ordered && earlier.ref.Attempt <= r.last && later.ref.Attempt > r.last {
			ordered, doubtful = true, doubtful || r.doubtful
		}
	}
	return ordered, doubtful
}
