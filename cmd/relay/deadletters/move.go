package deadletters

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/reconcile"
)

// Move moves letters back to the queue.
type Move struct {
	From    queue.Receiver
	To      queue.Sender
	Records Ledger
	// Filter chooses the letters. If moving one would change nothing, it stays where it is.
	Filter Filter
	// Pause is the time between two moves, so that Twilio and the phones do not get everything at once.
	Pause time.Duration
	// Asked, if set, is asked whether Twilio lists a message of the text that the ledger does not know. Such a letter stays.
	Asked *reconcile.Search
	// Note puts on record that a letter is moved, before it is: what cannot be recorded is not moved. See [Recorded]; nil records nothing.
	Note func(ctx context.Context, l Letter) error
	// Report, if set, is called for each letter that the filter chose.
	Report func(l Letter, moved bool)
}

// Tally is what was done.
type Tally struct {
	// Moved letters are on the queue. Left ones were chosen by the filter, but moving them would change nothing.
	Moved, Left int
	// Copies are letters that were moved but could not be deleted here. The remaining copy is harmless, see [Move.Run].
	Copies int
}

// Run moves the letters. If it ends early, because of an error or because ctx ends, the other letters are where they were, and
// the tally says how far it got.
//
// A letter is first put on the queue and then deleted here. In between there are two copies of it, for good if this process ends
// there. The text is still sent only once: the sender revives a dead text only by the letter of its last death, and the ledger's
// conditional write allows that once. The second copy finds a text that is no longer dead, or that died again after more attempts
// than the copy says, and the sender acknowledges it without a request to Twilio. In the other order, the same crash would lose
// the letter.
//
// SQS's own StartMessageMoveTask is not used: it moves all or nothing, and on FIFO queues at its own pace.
func (m Move) Run(ctx context.Context) (tally Tally, err error) {
	hidden := max(time.Minute, 2*batch*m.Pause+readHidden)
	err = eachLetter(ctx, m.From, hidden, func(ctx context.Context, d queue.Delivery) (bool, error) {
		l, err := openLetter(ctx, m.Records, d)
		if err != nil || !m.Filter.Passes(l) {
			return false, err
		}
		if l, err = m.Ask(ctx, l); err != nil {
			return false, err
		}
		if !l.Outlook.Moves() {
			tally.Left++
			m.report(l, false)
			return false, nil
		}
		if err := m.pause(ctx, tally.Moved); err != nil {
			return false, err
		}
		if err := m.note(ctx, l); err != nil {
			return false, fmt.Errorf("record who moves %s: %w", l.ID(), err)
		}
		if err := m.To.Send(ctx, outgoing(d)); err != nil {
			return false, fmt.Errorf("move %s: %w", l.ID(), err)
		}
		tally.Moved++
		m.report(l, true)
		return m.forget(ctx, d, &tally)
	})
	return tally, err
}

// Recorded returns a [Move.Note] that has the audit log say who moved each letter.
func Recorded(actions conversation.Actions, by string, now func() time.Time) func(ctx context.Context, l Letter) error {
	return func(ctx context.Context, l Letter) error {
		key := conversation.PhoneKey{TwilioNumber: cmp.Or(l.Record.TwilioNumber, conversation.TagsPartition)}
		action := conversation.NewAction(conversation.DeedRedrive, key, l.Record.Customer, by, now())
		// A text can be moved more than once, and each time is on record.
		action.MessageSid = l.Envelope.RelayID
		return actions.PutAction(ctx, action)
	}
}

func (m Move) note(ctx context.Context, l Letter) error {
	if m.Note == nil {
		return nil
	}
	return m.Note(ctx, l)
}

// Ask searches Twilio's list for a text that would be sent again.
func (m Move) Ask(ctx context.Context, l Letter) (Letter, error) {
	if m.Asked == nil || l.Outlook != Again {
		return l, nil
	}
	listed, err := m.Asked.MayHave(ctx, l.Record)
	if err == nil && listed {
		l.Outlook = Listed
	}
	return l, err
}

func (m Move) report(l Letter, moved bool) {
	if m.Report != nil {
		m.Report(l, moved)
	}
}

// pause waits before every move but the first.
func (m Move) pause(ctx context.Context, moved int) error {
	if moved == 0 || m.Pause == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(m.Pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// outgoing is the letter for the queue, with its body, group and attributes unchanged; by these the sender recognizes a letter.
// The deduplication id is new, since the queue may still remember the letter's own. It is made from the letter's id, so that
// moving the same letter twice within five minutes leaves one.
func outgoing(d queue.Delivery) queue.Outgoing {
	return queue.Outgoing{Group: d.Group, DeduplicationID: "redrive." + d.MessageID, Body: d.Body, Attributes: d.Attributes}
}

// forget deletes a letter that is on the queue by now, even after an interrupt.
func (m Move) forget(ctx context.Context, d queue.Delivery, tally *Tally) (settled bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if err := m.From.Delete(ctx, []string{d.ReceiptHandle}); err != nil {
		tally.Copies++
		return false, fmt.Errorf("a letter was moved, but a harmless copy of it remains: %w", err)
	}
	return true, nil
}
