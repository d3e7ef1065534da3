// Package bench is `relay bench`: it makes ledgers with made-up texts to measure the relay on. It measures nothing itself, and
// sends nothing.
package bench

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/cmd/relay/workload"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// ErrNotEmpty means that the ledger already has texts.
var ErrNotEmpty = errors.New("the ledger already has texts")

// Ledger is a ledger that can be filled.
type Ledger interface {
	// Empty reports whether it has no record.
	Empty(ctx context.Context) (bool, error)
	// Import stores records as they are and returns how many.
	Import(ctx context.Context, records []ledger.Record) (stored int, err error)
}

// Fill is one filling of a ledger.
type Fill struct {
	// Texts says which records to make.
	Texts workload.Config
	// Force also fills a ledger that already has texts.
	Force bool
	// Batch is how many records are stored at a time, Writers how many batches at once.
	Batch, Writers int
	// Progress, if not nil, is called after each batch with the number of records stored so far, maybe from several goroutines at
	// once.
	Progress func(stored int)
}

// Run fills the ledger and returns how many records it stored: fewer than it made if the ledger had some of them. The error is
// ErrNotEmpty, and nothing is stored, if the ledger has texts and Force is not set. After another error, what was stored stays.
func (f Fill) Run(ctx context.Context, into Ledger) (stored int, err error) {
	if err := f.Texts.Validate(); err != nil {
		return 0, err
	}
	if err := f.check(ctx, into); err != nil {
		return 0, err
	}
	var sum atomic.Int64
	group, working := errgroup.WithContext(ctx)
	group.SetLimit(f.Writers)
	err = f.batches(working, func(batch []ledger.Record) {
		group.Go(func() error {
			n, err := into.Import(working, batch)
			if all := sum.Add(int64(n)); f.Progress != nil {
				f.Progress(int(all))
			}
			return err
		})
	})
	// If the writers failed, making records ended, too; their error says why.
	if failed := group.Wait(); failed != nil {
		err = failed
	}
	if err != nil {
		return int(sum.Load()), fmt.Errorf("fill ledger: %w", err)
	}
	return int(sum.Load()), nil
}

func (f Fill) check(ctx context.Context, into Ledger) error {
	if f.Force {
		return nil
	}
	empty, err := into.Empty(ctx)
	if err == nil && !empty {
		err = ErrNotEmpty
	}
	if err != nil {
		return fmt.Errorf("fill ledger: %w", err)
	}
	return nil
}

// batches makes the records and passes them on, until ctx ends.
func (f Fill) batches(ctx context.Context, hand func([]ledger.Record)) error {
	batch := make([]ledger.Record, 0, f.Batch)
	for r, err := range f.Texts.Records() {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return err
		}
		if batch = append(batch, r); len(batch) == f.Batch {
			hand(batch)
			batch = make([]ledger.Record, 0, f.Batch)
		}
	}
	if len(batch) > 0 {
		hand(batch)
	}
	return nil
}
