// Package sweep finds texts that Twilio has received and the ledger has not: their webhooks failed, and so did Twilio's
// fallback. It puts them on the queue as the front door would have. It asks nobody but those that it is given, and
// prints nothing.
package sweep

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Messages reads Twilio's list.
type Messages interface {
	List(ctx context.Context, filter sms.ListFilter) ([]sms.Listed, error)
}

// Records reads the ledger.
type Records interface {
	Get(ctx context.Context, messageSid string) (ledger.Record, error)
}

// Sweep is one look at what Twilio has.
type Sweep struct {
	Messages Messages
	Records  Records
	Queue    queue.Sender
	// AccountSid is the account whose messages they are.
	AccountSid string
	// Since is when the texts came in at the earliest, Grace how old they are at least: a webhook takes a moment.
	Since time.Time
	Grace time.Duration
	Now   func() time.Time
}

// most bounds what is read of Twilio's list for one number.
const most = 5000

// ErrTooMany means that Twilio has more messages to a number than one look reads.
var ErrTooMany = errors.New("too many messages")

// Missing returns the texts to the number that the ledger has no record of, oldest first, and how many texts it looked at. A text
// that waits on the queue for its first attempt, behind another of its conversation, may be among them: queueing it
// again is harmless. The error is ErrTooMany if the list was not read to its end.
func (s Sweep) Missing(ctx context.Context, number sms.PhoneNumber) (missing []sms.Listed, looked int, err error) {
	listed, err := s.Messages.List(ctx, sms.ListFilter{To: number, CreatedAfter: s.Since, Limit: most})
	if err != nil {
		return nil, 0, fmt.Errorf("ask Twilio for the texts to %s: %w", number.Mask(), err)
	}
	if len(listed) >= most {
		return nil, 0, fmt.Errorf("%w to %s: at most %d are looked at", ErrTooMany, number.Mask(), most)
	}
	for _, m := range listed {
		if !s.concerns(m) {
			continue
		}
		looked++
		switch _, err := s.Records.Get(ctx, m.Sid); {
		case errors.Is(err, ledger.ErrNotFound):
			missing = append(missing, m)
		case err != nil:
			return nil, looked, fmt.Errorf("look up %s: %w", m.Sid, err)
		}
	}
	// The list is the newest first, also within a second, and the dates are no more exact than that.
	slices.Reverse(missing)
	slices.SortStableFunc(missing, func(a, b sms.Listed) int { return a.DateCreated.Compare(b.DateCreated) })
	return missing, looked, nil
}

// concerns reports whether the message is a customer's, of that time. One without a date may be. Twilio's dates are exact to the
// second.
func (s Sweep) concerns(m sms.Listed) bool {
	if m.Direction != sms.DirectionInbound {
		return false
	}
	return m.DateCreated.IsZero() || !m.DateCreated.Before(s.Since.Truncate(time.Second)) && !m.DateCreated.After(s.Now().Add(-s.Grace))
}

// Inject puts a text on the queue, as the front door does: under its MessageSid, by which the queue drops a repeat for five minutes
// and the ledger for good. It counts as received now, so that it is not too old to be sent.
func (s Sweep) Inject(ctx context.Context, m sms.Listed) error {
	envelope := queue.Envelope{
		Version: queue.Version, Kind: queue.KindInbound, RelayID: m.Sid, ReceivedAt: s.Now().UTC(),
		Message: &sms.Message{
			Sid: m.Sid, AccountSid: s.AccountSid, MessagingServiceSid: m.MessagingServiceSid, From: m.From, To: m.To, Body: m.Body, Media: s.media(m),
		},
	}
	outgoing, err := envelope.Outgoing()
	if err == nil {
		err = s.Queue.Send(ctx, outgoing)
	}
	if err != nil {
		return fmt.Errorf("queue %s: %w", m.Sid, err)
	}
	return nil
}

// media stands for the attachments, of which the list tells the number alone: each has the address under which Twilio lists
// them.
func (s Sweep) media(m sms.Listed) []sms.Media {
	var all []sms.Media
	for range m.NumMedia {
		all = append(all, sms.Media{URL: fmt.Sprintf("https://api.twilio.com/2010-04-01/Accounts/%s/Messages/%s/Media", s.AccountSid, m.Sid)})
	}
	return all
}
