package reconcile

import (
	"cmp"
	"context"
	"errors"
	"slices"
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

// Owner returns the MessageSid of the text to which the outbound message belongs, by the ledger. It searches the texts of r's
// conversation that may have been sent at the time of its attempt; "" if the ledger names none.
func Owner(
	ctx context.Context, records ledger.Lister, r ledger.Record, attempt ledger.Attempt, outboundSid string,
) (owner string, err error) {
	_, err = visitConversation(ctx, records, r, attempt, func(other ledger.Record) error {
		for _, a := range other.Attempts {
			if a.OutboundSid == outboundSid {
				owner = other.MessageSid
			}
		}
		return nil
	})
	return owner, err
}

// compare fills in what the ledger knows about other messages with the same words to the same phone. isWhole is false if there
// are too many texts to read them all.
func (s Search) compare(ctx context.Context, r ledger.Record, attempt ledger.Attempt, q *Question) (isWhole bool, err error) {
	q.Known = map[string]bool{}
	c := comparison{text: r, about: attempt, now: s.Now(), question: q, holders: map[string][]rival{}}
	c.weigh(r)
	if attempt.Number == 0 {
		// A message that one of the text's own attempts may have made is one that is asked for.
		q.Rivals = nil
	}
	isWhole, err = visitConversation(ctx, s.Records, r, attempt, func(other ledger.Record) error {
		return s.weighOther(ctx, other, &c)
	})
	c.conclude()
	return isWhole, err
}

// visitConversation calls visit with the texts of the conversation that may have been sent at the time of the attempt, as far as the
// bound goes.
func visitConversation(
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

// weighOther weighs another text, if it has the same words. It reads the text again, because a list may be out of date.
func (s Search) weighOther(ctx context.Context, other ledger.Record, c *comparison) error {
	r := c.text
	if other.MessageSid == r.MessageSid || !sms.Same(other.TwilioNumber, r.TwilioNumber) ||
		!c.hasWords(other) {
		return nil
	}
	other, err := s.Ledger.Get(ctx, other.MessageSid)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	if err == nil {
		c.weigh(other)
	}
	return err
}

// hasWords reports whether the other text, or one of its attempts, has the same words, whatever its headers are: it may have taken over a
// message that another relay sent.
func (c *comparison) hasWords(other ledger.Record) bool {
	q := *c.question
	q.AnyHeader = true
	return q.hasWords(plan.TextOf(other, "")) || slices.ContainsFunc(other.Attempts, func(a ledger.Attempt) bool {
		return (a.Media != "" || other.SecondPart) && q.hasWords(plan.TextOf(other.AsSent(a), a.Header))
	})
}

// comparison weighs the attempts of a conversation against the one in question.
type comparison struct {
	text     ledger.Record
	about    ledger.Attempt
	now      time.Time
	question *Question
	// holders are the attempts that have a message, by its MessageSid.
	holders map[string][]rival
}

// rival is another attempt at the same words to the same phone.
type rival struct {
	startedAt time.Time
	// isFound is set if its message was only found among messages with the same words.
	isFound bool
}

// weigh adds the attempts of other to the same phone from the same number, except the one in question; other may be the text itself.
// Twilio may have accepted a message although it refused it for the moment, so such an attempt counts as one with an unknown outcome.
// This does not apply to attempts to other phones: after a busy hour every text has such attempts, and if one was accepted,
// the phone has those words as often as it should.
func (c *comparison) weigh(other ledger.Record) {
	q := c.question
	for _, a := range other.Attempts {
		if !sms.Same(a.To, c.about.To) || a.From != c.about.From || a.ClaimID == c.about.ClaimID {
			continue
		}
		startedAt := a.StartedAt
		if clock.Ahead(startedAt, c.now) {
			// The clock was ahead: nobody knows when that was.
			startedAt = c.about.StartedAt
		}
		if c.precedes(other, a) {
			startedAt = startedAt.Add(-time.Nanosecond)
		}
		switch {
		case a.OutboundSid != "":
			q.Known[a.OutboundSid] = true
			c.holders[a.OutboundSid] = append(c.holders[a.OutboundSid], rival{startedAt, a.Found})
		case !c.question.hasWords(plan.TextOf(other.AsSent(a), a.Header)):
		case a.Outcome == "", a.Unknown(), a.Refused() && c.about.Number > 0:
			q.Rivals = append(q.Rivals, startedAt)
		}
	}
}

// precedes reports which of two attempts comes first if they began in the same millisecond: that of the text that came in first.
// Asked about each of the two, it gives opposite answers, so that both do not find the same message.
func (c *comparison) precedes(other ledger.Record, a ledger.Attempt) bool {
	return cmp.Or(
		other.ReceivedAt.Compare(c.text.ReceivedAt), cmp.Compare(other.MessageSid, c.text.MessageSid), cmp.Compare(a.Number, c.about.Number),
	) < 0
}

// conclude counts attempts as rivals if the message they had found belongs to another text: a receipt has said so since, and
// their own message is not known.
func (c *comparison) conclude() {
	for _, holders := range c.holders {
		owner := max(0, slices.IndexFunc(holders, func(h rival) bool { return !h.isFound }))
		for i, h := range holders {
			if i != owner && h.isFound {
				c.question.Rivals = append(c.question.Rivals, h.startedAt)
			}
		}
	}
}
