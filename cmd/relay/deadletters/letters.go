// Package deadletters works on the relay's dead letters for operators: it reads them without losing any, says what would happen to
// each if it were moved back to the queue, moves them, and drops them. Only the sender (functions/sender/delivery) decides whether
// a text is sent again, from the ledger; this package foresees that decision.
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

// Ledger reads the record of a text; see [ledger.Store].
type Ledger interface {
	Get(ctx context.Context, messageSid string) (ledger.Record, error)
}

// Letter is a dead letter, and what the ledger says about its text.
type Letter struct {
	queue.Delivery

	// Envelope is what the letter holds; its Version is 0 if the letter cannot be read.
	Envelope queue.Envelope
	// Reason, Attempts, LastError and Hop are what the sender wrote on the letter. All are empty if the queue itself made the
	// letter, from a message that was received too often.
	Reason    ledger.Reason
	Attempts  int
	LastError string
	Hop       string
	// Record is the text's; its Version is 0 if the ledger has none.
	Record ledger.Record
	// Outlook is what would happen to the text if the letter were moved.
	Outlook Outlook
}

// ID names the letter for people: the text's id, or the queue's own id if the letter cannot be read.
func (l Letter) ID() string {
	if l.Envelope.RelayID != "" {
		return l.Envelope.RelayID
	}
	return l.MessageID
}

// receivedAt is when the text came in or, if the letter cannot be read, when it was put on the dead-letter queue.
func (l Letter) receivedAt() time.Time {
	if l.Envelope.Version == 0 {
		return l.SentAt
	}
	return l.Envelope.ReceivedAt
}

// openLetter reads a letter and looks up its text.
func openLetter(ctx context.Context, records Ledger, d queue.Delivery) (Letter, error) {
	l := Letter{
		Delivery: d, Reason: ledger.Reason(d.Attributes[delivery.AttributeReason]),
		LastError: d.Attributes[delivery.AttributeLastError], Hop: d.Attributes[delivery.AttributeHop],
	}
	if n, err := strconv.Atoi(d.Attributes[delivery.AttributeAttempts]); err == nil {
		l.Attempts = n
	}
	var unreadable error
	if l.Envelope, unreadable = queue.Decode(d.Body); unreadable != nil {
		// There is no text to look up. The letter's own LastError says why it cannot be read.
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
	// batch is how many letters are received at a time: as many as a queue gives.
	batch = 10
	// pollWait is how long the queue may search for letters. SQS rounds it up to a second, and then asks all of its servers.
	pollWait = 100 * time.Millisecond
	// releaseTimeout limits how long giving letters back may take when everything else has ended.
	releaseTimeout = 10 * time.Second
)

// eachLetter receives the letters, hides them from others for that long, and gives each to work until there are no more. A letter that
// work has settled (moved or deleted) is gone. The others are shown again at the end, whether that is an error, an interrupt or
// the last letter. After a crash they stay hidden until the time is over; none is lost.
//
// A queue gives out at most one batch of a conversation until those letters are settled or shown again, so some letters may be
// hidden behind others.
func eachLetter(ctx context.Context, from queue.Receiver, hidden time.Duration,
	work func(ctx context.Context, d queue.Delivery) (settled bool, err error),
) (err error) {
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
				// It was shown again before the others were done.
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

// release shows the letters that are still held to others again.
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

// readHidden is how long letters are hidden while they are only read, and at most after a command was killed.
const readHidden = 30 * time.Second

// Read reads the letters that the filter chooses, in the order of the queue, and leaves all where they are.
func Read(ctx context.Context, from queue.Receiver, records Ledger, filter Filter) (passed []Letter, seen int, err error) {
	err = eachLetter(ctx, from, readHidden, func(ctx context.Context, d queue.Delivery) (bool, error) {
		seen++
		l, err := openLetter(ctx, records, d)
		if err == nil && filter.Passes(l) {
			passed = append(passed, l)
		}
		return false, err
	})
	return passed, seen, err
}
