// Package deadletters works on the relay's dead letters for operators: it reads them without losing any, says what would become
// of each if it were moved back to the queue, moves them, and drops them. Whether a text is sent again is never decided
// here but by the sender (functions/sender/delivery, redrive), from the ledger: what stands here foresees it.
package deadletters

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// Ledger reads the record of a text, see [ledger.Store].
type Ledger interface {
	Get(ctx context.Context, messageSid string) (ledger.Record, error)
}

// Letter is a dead letter, and what the ledger says of its text.
type Letter struct {
	queue.Delivery

	// Envelope is what the letter holds; its Version is 0 if it is unreadable.
	Envelope queue.Envelope
	// Reason, Attempts, LastError and Hop are what the sender wrote on it. All are empty on a letter that the queue itself
	// made, of a message that was received too often.
	Reason    ledger.Reason
	Attempts  int
	LastError string
	Hop       string
	// Record is the text's; its Version is 0 if the ledger has none.
	Record ledger.Record
	// Outlook is what would become of the text if the letter were moved.
	Outlook Outlook
}

// ID names the letter for people: the text's id, or the queue's own if the letter is unreadable.
func (l Letter) ID() string {
	if l.Envelope.RelayID != "" {
		return l.Envelope.RelayID
	}
	return l.MessageID
}

// ReceivedAt is when the text came in, or, if the letter is unreadable, when it was put on the dead-letter queue.
func (l Letter) ReceivedAt() time.Time {
	if l.Envelope.Version == 0 {
		return l.SentAt
	}
	return l.Envelope.ReceivedAt
}

// Open reads a letter and looks up its text.
func Open(ctx context.Context, records Ledger, d queue.Delivery) (Letter, error) {
	l := Letter{
		Delivery: d, Reason: ledger.Reason(d.Attributes[delivery.AttributeReason]),
		LastError: d.Attributes[delivery.AttributeLastError], Hop: d.Attributes[delivery.AttributeHop],
	}
	if n, err := strconv.Atoi(d.Attributes[delivery.AttributeAttempts]); err == nil {
		l.Attempts = n
	}
	var unreadable error
	if l.Envelope, unreadable = queue.Decode(d.Body); unreadable != nil {
		// There is no text to look up. Why it is unreadable, the letter's own LastError says.
		l.Outlook = Unreadable
		return l, nil //nolint:nilerr // the outlook says it.
	}
	record, err := records.Get(ctx, l.Envelope.RelayID)
	if err != nil && !errors.Is(err, ledger.ErrNotFound) {
		return l, fmt.Errorf("look up %s: %w", l.Envelope.RelayID, err)
	}
	l.Record = record
	l.Outlook = foresee(l)
	return l, nil
}

const (
	// batch is how many letters are taken at a time: as many as a queue gives.
	batch = 10
	// pollWait is how long the queue may look for letters. SQS rounds it up to a second, and asks all of its servers then.
	pollWait = 100 * time.Millisecond
	// releaseTimeout bounds giving letters back when everything else has ended.
	releaseTimeout = 10 * time.Second
)

// Each takes the letters off the queue, hidden from others for that long, and hands each to work until no more are to be
// had. What work has settled (moved or deleted) is gone. The others are shown again at the end, whatever the end is: an error,
// an interrupt, or a last letter. A crash leaves them hidden until the time is over, and loses none.
//
// Of a conversation a queue hands out no more than a batch before those are settled or shown again, so that letters may
// lie behind others, unseen.
func Each(ctx context.Context, from queue.Receiver, hidden time.Duration, work func(ctx context.Context, d queue.Delivery) (settled bool, err error)) (err error) {
	held, seen := map[string]string{}, map[string]bool{}
	defer func() { err = errors.Join(err, release(ctx, from, held)) }()
	for {
		taken, err := from.Receive(ctx, batch, pollWait, hidden)
		if err != nil {
			return fmt.Errorf("receive dead letters: %w", err)
		}
		for _, d := range taken {
			held[d.MessageID] = d.ReceiptHandle
		}
		fresh := false
		for _, d := range taken {
			if seen[d.MessageID] {
				// Its time was over before the others were through.
				continue
			}
			fresh, seen[d.MessageID] = true, true
			settled, err := work(ctx, d)
			if settled {
				delete(held, d.MessageID)
			}
			if err != nil {
				return err
			}
		}
		if !fresh {
			return nil
		}
	}
}

// release shows the letters again that are still held.
func release(ctx context.Context, to queue.Receiver, held map[string]string) error {
	if len(held) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	changes := make([]queue.Visibility, 0, len(held))
	for _, handle := range held {
		changes = append(changes, queue.Visibility{ReceiptHandle: handle})
	}
	if err := to.ChangeVisibility(ctx, changes); err != nil {
		return fmt.Errorf("%d letters stay hidden for a while: %w", len(held), err)
	}
	return nil
}

// readHidden is how long letters are hidden while they are only read. A command that is killed hides them no longer.
const readHidden = 30 * time.Second

// Read reads the letters that pass the filter, in the order in which the queue has them, and leaves all where they are.
func Read(ctx context.Context, from queue.Receiver, records Ledger, filter Filter) (passed []Letter, seen int, err error) {
	err = Each(ctx, from, readHidden, func(ctx context.Context, d queue.Delivery) (bool, error) {
		seen++
		l, err := Open(ctx, records, d)
		if err == nil && filter.Passes(l) {
			passed = append(passed, l)
		}
		return false, err
	})
	return passed, seen, err
}
