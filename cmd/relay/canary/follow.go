package canary

import (
	"context"
	"errors"
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// followInterval is how often the ledger is read.
const followInterval = 50 * time.Millisecond

// followRecord watches the text's record until it is in a state that the relay does not leave by itself.
func followRecord(ctx context.Context, texts ledger.Store, sid string, reached func(string)) (ledger.Record, error) {
	var last ledger.Record
	err := until(ctx, followInterval, func() (bool, error) {
		record, err := texts.Get(ctx, sid)
		if errors.Is(err, ledger.ErrNotFound) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		if record.State != last.State {
			reached(string(record.State))
		}
		last = record
		return record.State.Final() || record.State == ledger.Uncertain, nil
	})
	switch {
	case err == nil:
		return last, nil
	case ctx.Err() == nil:
		return last, err
	case last.State == "":
		return last, cli.Hinted(errors.New("no sender has processed the text in time"), "relay doctor says whether the sender runs")
	default:
		return last, cli.Hinted(fmt.Errorf("in the time allowed, the text got no further than %s", last.State),
			"without receipts a text stays sent; a longer --timeout gives it more time")
	}
}

// followTrail watches the audit log until it has every change of the record.
func followTrail(ctx context.Context, d *target.Target, record ledger.Record, reached func(string)) error {
	found := 0
	err := until(ctx, followInterval, func() (bool, error) {
		var err error
		found, err = audited(ctx, d, record)
		return err == nil && int64(found) >= record.Version, err
	})
	if err != nil && ctx.Err() != nil {
		return cli.Hinted(fmt.Errorf("in the time allowed, only %d of %d changes reached the audit log", found, record.Version),
			"relay doctor --only iterator-age says more")
	}
	if err == nil {
		reached(fmt.Sprintf("%d changes in the audit log", record.Version))
	}
	return err
}

// audited counts the changes of the record that are in the audit log.
func audited(ctx context.Context, d *target.Target, record ledger.Record) (int, error) {
	entries, err := d.Trail().Find(ctx, record.MessageSid, record.ReceivedAt.Add(-time.Minute), time.Now().Add(time.Minute))
	versions := map[int64]bool{}
	for _, e := range entries {
		versions[e.Version] = true
	}
	return len(versions), err
}

// until asks again and again. The error is the context's if it ends first.
func until(ctx context.Context, interval time.Duration, look func() (done bool, err error)) error {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		if done, err := look(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}
