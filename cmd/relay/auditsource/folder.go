package auditsource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
)

// Folder returns the log of relay serve, which may be running, and its ledger unless logOnly. The error is fs.ErrNotExist if relay
// serve never ran on the folder, and [sqlite.ErrOlderSchema] or [sqlite.ErrNewerSchema] if another version did.
func Folder(ctx context.Context, data string, logOnly bool) (*Source, error) {
	s, err := segmentsIn(data)
	if err != nil {
		return nil, err
	}
	if logOnly {
		return s, nil
	}
	db, err := sqlite.OpenReader(ctx, filepath.Join(data, datafolder.DatabaseFile))
	if err != nil {
		return nil, err
	}
	s.Ledger, s.close = storedLedger{db}, db.Close
	return s, nil
}

// segmentsIn returns the log in a folder, without its ledger. The error is fs.ErrNotExist if there is none.
func segmentsIn(folder string) (*Source, error) {
	path := filepath.Join(folder, datafolder.AuditFile)
	closed, err := jsonlines.ClosedSegments(path)
	if _, missing := os.Stat(path); missing != nil && (err != nil || len(closed) == 0) {
		return nil, missing
	}
	log := &segmented{path: path}
	begins, err := jsonlines.Begins(path)
	return &Source{Where: path, Ordered: true, Numbered: true, Segmented: true, Begins: begins, Read: log.read, PlaceOf: log.placeOf}, err
}

// storedLedger is the ledger of relay serve.
type storedLedger struct{ db *sqlite.Reader }

// Each reads every record.
func (l storedLedger) Each(ctx context.Context, visit func(messageSid string, head auditlog.Head)) error {
	if err := l.db.Ledger().Each(ctx, func(r ledger.Record) { visit(r.MessageSid, headOf(r)) }); err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	return nil
}

// Head reads one record.
func (l storedLedger) Head(ctx context.Context, messageSid string) (auditlog.Head, error) {
	r, err := l.db.Ledger().Get(ctx, messageSid)
	if errors.Is(err, ledger.ErrNotFound) {
		return auditlog.Head{}, nil
	}
	return headOf(r), err
}

// Unaudited reads the outbox. A change that has left it since the heads were read is in the log by now.
func (l storedLedger) Unaudited(ctx context.Context, visit func(messageSid string)) error {
	return l.db.Unread(ctx, func(table, key string) {
		if table == sqlite.TableLedger {
			visit(key)
		}
	})
}
