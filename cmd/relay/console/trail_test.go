package console_test

import (
	"context"
	"encoding/json"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

// trail is the audit log as it will be: it makes the entries of the changes that the database has for it, and of what people did.
type trail struct {
	changes *sqlite.Changes
	stage   *stage
}

// Find implements [auditlog.Trail].
func (t trail) Find(ctx context.Context, messageSid string, _, _ time.Time) (found []auditlog.Entry, err error) {
	all, err := t.changes.Read(ctx, 1000, 0)
	for _, c := range slices.DeleteFunc(all, func(c sqlite.Change) bool { return c.Key != messageSid }) {
		var before *ledger.Record
		var after ledger.Record
		change := auditlog.ChangeCreated
		if c.Old != nil {
			before, change = &ledger.Record{}, auditlog.ChangeChanged
			if err := json.Unmarshal(c.Old, before); err != nil {
				return nil, err
			}
		}
		if err := json.Unmarshal(c.New, &after); err != nil {
			return nil, err
		}
		entry, err := auditlog.MessageEntry(before, &after, change, auditlog.Seen{SequenceNumber: c.SequenceNumber, At: c.At})
		if err != nil {
			return nil, err
		}
		found = append(found, entry)
	}
	for _, a := range t.stage.actions() {
		if a.MessageSid == messageSid {
			found = append(found, auditlog.ActionEntry(nil, &a, auditlog.ChangeCreated, auditlog.Seen{At: a.At}))
		}
	}
	return found, err
}
