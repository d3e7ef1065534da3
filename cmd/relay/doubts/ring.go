package doubts

import (
	"context"
	"errors"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// settleRing brings a text that goes to several phones at the same time to where a decision about the text to one of them has brought it.
// Every other text is nothing to it.
func (d Desk) settleRing(ctx context.Context, one ledger.Record) error {
	if !one.IsRung() {
		return nil
	}
	parent, err := d.Ledger.Get(ctx, one.ParentSid)
	if err != nil {
		return err
	}
	rung := make([]ledger.Record, len(parent.Ring.Phones))
	for place := range rung {
		rung[place], err = d.Ledger.Get(ctx, parent.ToPhone(place, d.Now()).MessageSid)
		if err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return err
		}
	}
	_, err = auditlog.Change(ctx, d.Ledger, parent, func(r ledger.Record) (ledger.Record, bool, error) {
		return r.Settle(rung, false, d.Now())
	})
	return err
}
