package reconcile

import (
	"context"
	"errors"
	"time"

	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	// comparedPages bounds how much of the ledger is read in one search.
	comparedPages = 5
	// comparedAge is how long before the attempt a text may have come in that was sent at the same time: as long as the
	// queue holds a text back for its own good.
	comparedAge = route.MaxMaxAge + time.Hour
)

// Owner returns the MessageSid of the text whose message the outbound one is, by the ledger, among those of r's conversation that
// may have been sent at the time of its attempt; "" if the ledger names none.
func Owner(
	ctx context.Context, records ledger.Lister, r ledger.Record, attempt ledger.Attempt, outboundSid string,
) (owner string, err error) {
	_, err = conversation(ctx, records, r, attempt, func(other ledger.Record) error {
		for _, a := range other.Attempts {
			if a.OutboundSid == outboundSid {
				owner = other.MessageSid
			}
		}
		return nil
	})
	return owner, err
}

// compare fills in what the ledger knows of other messages of the same words to the same phone. isWhole is false if there
// are too many texts to read them all.
func (s Search) compare(ctx context.Context, r ledger.Record, attempt ledger.Attempt, q *Question) (isWhole bool, err error) {
	q.Known = map[string]bool{}
	s.weigh(r, attempt, q)
	if attempt.Number == 0 {
		// A message that one of the text's own attempts may have made is one that is asked for.
		q.Rivals = nil
	}
	for i := range q.Rivals {
		// The text's own came before, though they may have begun in the same millisecond.
		q.Rivals[i] = q.Rivals[i].Add(-time.Nanosecond)
	}
	return conversation(ctx, s.Records, r, attempt, func(other ledger.Record) error { return s.weighOther(ctx, r, other, attempt, q) })
}

// conversation calls visit with the texts of the conversation that may have been sent at the time of the attempt, as far as the
// bound goes.
func conversation(
	ctx context.Context, records ledger.Lister, r ledger.Record, attempt ledger.Attempt, visit func(ledger.Record) error,
) (isWhole bool, err error) {
	number := r.Customer
	if number == "" {
		number = r.TwilioNumber
	}
	query := ledger.Query{Number: number, Since: attempt.StartedAt.Add(-comparedAge), Limit: ledger.MaxLimit}
	for range comparedPages {
		page, err := records.List(ctx, query)
		if err != nil {
			return false, err
		}
		for _, other := range page.Records {
			if err := visit(other); err != nil {
				return false, err
			}
		}
		if page.Next.IsZero() {
			return true, nil
		}
		query.Cursor = page.Next
	}
	return false, nil
}

// weighOther weighs another text, if it says the same. It is read once more: a list may lag.
func (s Search) weighOther(ctx context.Context, r, other ledger.Record, attempt ledger.Attempt, q *Question) error {
	if other.MessageSid == r.MessageSid || !sms.Same(other.TwilioNumber, r.TwilioNumber) || !Same(plan.TextOf(other), q.Message.Body) {
		return nil
	}
	other, err := s.Ledger.Get(ctx, other.MessageSid)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	if err == nil {
		s.weigh(other, attempt, q)
	}
	return err
}

// weigh adds the attempts of a text to the same phone, except the one in question. One that Twilio refused for the moment may
// have been taken all the same: it counts as one whose outcome is not known. Not so for what was sent elsewhere: after a busy hour
// every text has such attempts, and if one was taken after all, the phone has those words as often as it should.
func (s Search) weigh(r ledger.Record, about ledger.Attempt, q *Question) {
	for _, a := range r.Attempts {
		switch {
		case !sms.Same(a.To, about.To), a.ClaimID == about.ClaimID:
		case a.OutboundSid != "":
			q.Known[a.OutboundSid] = true
		case a.Outcome == "", a.Unknown(), a.Refused() && about.Number > 0:
			startedAt := a.StartedAt
			if clock.Ahead(startedAt, s.Now()) {
				// The clock was ahead: nobody knows when that was.
				startedAt = about.StartedAt
			}
			q.Rivals = append(q.Rivals, startedAt)
		}
	}
}
