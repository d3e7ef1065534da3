// Package sweep finds texts that Twilio has received but the ledger does not have, because their webhooks and Twilio's fallback failed, or
// because another relay got them before the data was copied or restored. It puts them on the queue as the front door would have done.
// `relay sweep` and a relay on a copied folder use it.
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
	ListMedia(ctx context.Context, messageSid string) ([]sms.Media, error)
}

// Records reads the ledger.
type Records interface {
	Get(ctx context.Context, messageSid string) (ledger.Record, error)
}

// Sweep is one comparison of Twilio's list with the ledger.
type Sweep struct {
	Messages Messages
	Records  Records
	Queue    queue.Sender
	// AccountSid is the account that the messages belong to.
	AccountSid string
	// Since is the earliest time at which the texts came in, Grace their least age: a webhook takes a moment.
	Since time.Time
	Grace time.Duration
	// Until leaves out texts that came in later; zero leaves out none.
	Until time.Time
	// AskBefore is when the data was found to be a copy, zero if it never was. Another relay may have sent the texts that came in earlier:
	// they keep their time, by which the sender asks Twilio about them first.
	AskBefore time.Time
	Now       func() time.Time
}

// forgotten is how long after the opening a text that is held must have been taken up: a timer looks at it every quarter of an hour.
const forgotten = 2 * queue.MaxDelay

// most limits how many messages one reading of Twilio's list takes. If there are more to a number, they are read in several.
const most = 5000

// sentLate is how much later than its DateCreated a message's date_sent may be, by which Twilio's list is narrowed.
const sentLate = 2 * time.Second

// ErrTooMany means that Twilio has more messages of one moment than a sweep can tell apart.
var ErrTooMany = errors.New("too many messages")

// Missing returns the texts to the number that are not in the ledger, oldest first, and how many texts it compared. A text that
// waits on the queue for its first attempt, behind another of its conversation, may be among them; queueing it again is
// harmless. So is one that is held though the number should have opened long ago: no queue has it. The error is ErrTooMany if the
// list could not be read to its end.
func (s Sweep) Missing(ctx context.Context, number sms.PhoneNumber) (missing []sms.Listed, looked int, err error) {
	filter, seen := sms.ListFilter{To: number, CreatedAfter: s.Since, Limit: most}, map[string]bool{}
	for {
		listed, err := s.Messages.List(ctx, filter)
		if err != nil {
			return nil, 0, fmt.Errorf("ask Twilio for the texts to %s: %w", number.Mask(), err)
		}
		for _, m := range listed {
			if seen[m.Sid] || !s.concerns(m) {
				continue
			}
			seen[m.Sid] = true
			switch isMissing, err := s.isMissing(ctx, m); {
			case err != nil:
				return nil, len(seen), err
			case isMissing:
				missing = append(missing, m)
			}
		}
		if len(listed) < most {
			break
		}
		// What is older is read next. The moment at which this reading ended is in both.
		last := listed[most-1].DateCreated
		until := last.Add(sentLate)
		if last.IsZero() || !filter.SentBefore.IsZero() && !until.Before(filter.SentBefore) {
			return nil, 0, fmt.Errorf("%w to %s: sweep reads at most %d of one moment", ErrTooMany, number.Mask(), most)
		}
		filter.SentBefore = until
	}
	// The list is newest first, even within a second, and its dates are exact only to the second.
	slices.Reverse(missing)
	slices.SortStableFunc(missing, func(a, b sms.Listed) int { return a.DateCreated.Compare(b.DateCreated) })
	return missing, len(seen), nil
}

// isMissing reports whether the ledger does not have the text, or has held it for too long.
func (s Sweep) isMissing(ctx context.Context, m sms.Listed) (bool, error) {
	r, err := s.Records.Get(ctx, m.Sid)
	if errors.Is(err, ledger.ErrNotFound) {
		return true, nil
	}
	if err != nil {
		return false, fmt.Errorf("look up %s: %w", m.Sid, err)
	}
	return r.IsClosed() && s.Now().Sub(r.NotBefore) > forgotten, nil
}

// concerns reports whether a customer sent the message in that time, or may have, if it has no date. Twilio's dates are exact only
// to the second.
func (s Sweep) concerns(m sms.Listed) bool {
	if m.Direction != sms.DirectionInbound {
		return false
	}
	until := s.Now().Add(-s.Grace)
	if !s.Until.IsZero() && s.Until.Before(until) {
		until = s.Until
	}
	return m.DateCreated.IsZero() || !m.DateCreated.Before(s.Since.Truncate(time.Second)) && !m.DateCreated.After(until)
}

// Inject puts a text on the queue, as the front door does: under its MessageSid. By that id the queue drops a repeat for five
// minutes, and the ledger for good. The text counts as received now, so that it is not too old to be sent, unless
// another relay may have sent it, see AskBefore; a text of a phone on duty is an answer to what the phone had been sent when Twilio got it.
func (s Sweep) Inject(ctx context.Context, m sms.Listed) error {
	receivedAt := s.Now().UTC()
	if !m.DateCreated.IsZero() && m.DateCreated.Before(s.AskBefore) {
		receivedAt = m.DateCreated.UTC()
	}
	envelope := queue.Envelope{
		Version: queue.Version, Kind: queue.KindInbound, RelayID: m.Sid, ReceivedAt: receivedAt, WrittenAt: m.DateCreated,
		Message: &sms.Message{
			Sid: m.Sid, AccountSid: s.AccountSid, MessagingServiceSid: m.MessagingServiceSid, From: m.From, To: m.To, Body: m.Body,
			Media: s.media(ctx, m),
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

// media returns one entry for each attachment, as a webhook has them. If Twilio does not list them now, each entry has the address where
// it does: the words do not wait for a picture.
func (s Sweep) media(ctx context.Context, m sms.Listed) []sms.Media {
	if m.NumMedia == 0 {
		return nil
	}
	all, err := s.Messages.ListMedia(ctx, m.Sid)
	if err == nil && len(all) == m.NumMedia {
		return all
	}
	all = nil
	for range m.NumMedia {
		all = append(all, sms.Media{URL: fmt.Sprintf("https://api.twilio.com/2010-04-01/Accounts/%s/Messages/%s/Media", s.AccountSid, m.Sid)})
	}
	return all
}
