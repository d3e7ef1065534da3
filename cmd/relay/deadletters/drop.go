package deadletters

import (
	"context"
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/shared/queue"
)

// Drop deletes letters. Their texts stay in the ledger as they are.
type Drop struct {
	From    queue.Receiver
	Records Ledger
	Filter  Filter
	// Save keeps a letter somewhere else, durably, before it is deleted.
	Save func(l Letter) error
	// Note writes into the ledger that the letter is dropped; nil writes nothing.
	Note func(ctx context.Context, l Letter) error
}

// Run drops the letters and returns those that it dropped, even if it ends early.
func (d Drop) Run(ctx context.Context) (dropped []Letter, err error) {
	err = eachLetter(ctx, d.From, time.Minute, func(ctx context.Context, one queue.Delivery) (bool, error) {
		l, err := openLetter(ctx, d.Records, one)
		if err != nil || !d.Filter.Passes(l) {
			return false, err
		}
		if err := d.Save(l); err != nil {
			return false, fmt.Errorf("save %s: %w", l.ID(), err)
		}
		if d.Note != nil {
			if err := d.Note(ctx, l); err != nil {
				return false, fmt.Errorf("note that %s is dropped: %w", l.ID(), err)
			}
		}
		if err := d.From.Delete(ctx, []string{one.ReceiptHandle}); err != nil {
			return false, fmt.Errorf("delete %s: %w", l.ID(), err)
		}
		dropped = append(dropped, l)
		return true, nil
	})
	return dropped, err
}
