package auditsource

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Folder returns the log of relay serve, which may be running, and its tables unless logOnly. The error is fs.ErrNotExist if relay
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
	s.Heads, s.close = storedHeads{db}, db.Close
	return s, nil
}

// segmentsIn returns the log in a folder, without its tables. The error is fs.ErrNotExist if there is none.
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

// storedHeads are the tables of relay serve.
type storedHeads struct{ db *sqlite.Reader }

// Each reads every record and every conversation.
func (h storedHeads) Each(ctx context.Context, visit func(chain string, head auditlog.Head)) error {
	if err := h.db.Ledger().Each(ctx, func(r ledger.Record) { visit(r.MessageSid, headOf(r)) }); err != nil {
		return fmt.Errorf("read the ledger: %w", err)
	}
	if err := h.db.Conversations().Each(ctx, func(c conversation.Conversation) { visitConversation(c, visit) }); err != nil {
		return fmt.Errorf("read the conversations: %w", err)
	}
	return nil
}

// Head reads one record or one conversation.
func (h storedHeads) Head(ctx context.Context, chain string) (auditlog.Head, error) {
	if id, ok := auditlog.ConversationOf(chain); ok {
		c, err := h.db.Conversations().Find(ctx, id)
		return headOfConversation(c), err
	}
	r, err := h.db.Ledger().Get(ctx, chain)
	if errors.Is(err, ledger.ErrNotFound) {
		return auditlog.Head{}, nil
	}
	return headOf(r), err
}

// Unaudited reads the outbox. A change that has left it since the heads were read is in the log by now.
func (h storedHeads) Unaudited(ctx context.Context, visit func(chain string)) error {
	err := h.db.Unread(ctx, func(table, key string) {
		if table == sqlite.TableLedger {
			visit(key)
		}
	})
	if err != nil {
		return err
	}
	return h.db.Conversations().Unread(ctx, func(id string) { visit(auditlog.ChainOf(id)) })
}

// Conversation reads one conversation.
func (h storedHeads) Conversation(ctx context.Context, number, customer sms.PhoneNumber) (string, error) {
	c, err := h.db.Conversations().Get(ctx, number, customer)
	return c.ID, err
}
