package letters

import (
	"context"
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/reconcile"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Messages reads Twilio's list, see [delivery.Messages].
type Messages interface {
	List(ctx context.Context, filter sms.ListFilter) ([]sms.Found, error)
}

const (
	// span and longest are how far from an attempt's beginning its message may have been created: the defaults of the
	// sender's own looks, of which shared/reconcile makes the window.
	span, longest = 2 * time.Minute, 20 * time.Second
	// mostListed bounds what is read of Twilio's list for one attempt, mostPages what is read of the ledger for one text.
	mostListed = 1000
	mostPages  = 5
	// conversation is how long before an attempt a text may have come in that was sent at the same time.
	conversation = 25 * time.Hour
)

// Asking returns a question to Twilio, for [Move.Listed]: whether it lists a message of the text's words to one of the phones
// that the text was posted to, made at the time of a POST of which the ledger says that Twilio did not take it, and not
// known as another text's. The ledger is right about such POSTs as far as Twilio's answers are; this asks for more. Where
// there is no telling, the answer is yes.
func Asking(messages Messages, records ledger.Lister) func(ctx context.Context, l Letter) (bool, error) {
	return func(ctx context.Context, l Letter) (bool, error) {
		listed := map[sms.PhoneNumber][]sms.Found{}
		var known map[string]bool
		for _, a := range l.Record.Attempts {
			found, asked := listed[a.To]
			if !asked {
				// The first attempt at that phone: the later ones are on the same list.
				var err error
				if found, err = listSince(ctx, messages, l.Record, a); err != nil {
					return false, fmt.Errorf("ask Twilio about %s: %w", l.ID(), err)
				}
				listed[a.To] = found
			}
			question := questionOf(l.Record, a, found)
			if _, verdict := reconcile.Find(question); verdict == reconcile.Absent {
				continue
			}
			if known == nil {
				var err error
				if known, err = knownIn(ctx, records, l.Record); err != nil {
					return false, err
				}
			}
			question.Known = known
			if _, verdict := reconcile.Find(question); verdict != reconcile.Absent {
				return true, nil
			}
		}
		return false, nil
	}
}

func questionOf(r ledger.Record, a ledger.Attempt, listed []sms.Found) reconcile.Question {
	return reconcile.Question{
		Message:   sms.Outbound{From: r.TwilioNumber, To: a.To, Body: plan.TextOf(r)},
		StartedAt: a.StartedAt, Span: span, Longest: longest, Listed: listed,
	}
}

// listSince reads Twilio's list back to before the attempt. If so much was sent since that this does not reach, what was
// sent in the hour after it is asked for by date.
func listSince(ctx context.Context, messages Messages, r ledger.Record, a ledger.Attempt) ([]sms.Found, error) {
	from, to := reconcile.Window(a.StartedAt, span, longest)
	filter := sms.ListFilter{From: r.TwilioNumber, To: a.To, CreatedAfter: from, Limit: mostListed}
	found, err := messages.List(ctx, filter)
	if err != nil || len(found) < mostListed {
		return found, err
	}
	filter.SentAfter, filter.SentBefore = from, to.Add(time.Hour)
	older, err := messages.List(ctx, filter)
	return append(found, older...), err
}

// knownIn returns the messages of the text's conversation of which the ledger knows whose they are.
func knownIn(ctx context.Context, records ledger.Lister, r ledger.Record) (map[string]bool, error) {
	number := r.Customer
	if number == "" {
		number = r.TwilioNumber
	}
	known := map[string]bool{}
	query := ledger.Query{Number: number, Since: r.ReceivedAt.Add(-conversation), Limit: ledger.MaxLimit}
	for range mostPages {
		page, err := records.List(ctx, query)
		if err != nil {
			return nil, fmt.Errorf("read the conversation of %s: %w", r.MessageSid, err)
		}
		for _, other := range page.Records {
			for _, a := range other.Attempts {
				known[a.OutboundSid] = true
			}
		}
		if page.Next.IsZero() {
			break
		}
		query.Cursor = page.Next
	}
	return known, nil
}
