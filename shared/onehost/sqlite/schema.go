package sqlite

import (
	"context"
	"errors"
	"fmt"
)

// ErrNewerSchema means that the file was written by a newer version of this program.
var ErrNewerSchema = errors.New("schema is newer than this program")

// migrations lists the steps from an empty file to the present schema. Step n brings PRAGMA user_version to n+1. A
// step that has been released is never changed: a change of the schema is a new step.
func migrations() []string {
	return []string{queueSchema + tableSchema, paceSchema, clockSchema, conversationSchema, identitySchema}
}

// queueSchema. A lane is received in order, one batch at a time: it is a FIFO group, or on a queue without order a single
// message. It says which message is its oldest (head), how many it has, and until when it is locked; locked_until is 0 while
// it is free, so that the free lane whose head is the oldest of all is the first entry of queue_lanes_turn, however many lanes
// and messages there are.
const queueSchema = `
CREATE TABLE queue_lanes (
	id           INTEGER PRIMARY KEY,
	queue        TEXT NOT NULL,
	name         TEXT NOT NULL,
	head         INTEGER NOT NULL,
	depth        INTEGER NOT NULL,
	locked_until INTEGER NOT NULL,
	UNIQUE (queue, name)
) STRICT;
CREATE INDEX queue_lanes_turn ON queue_lanes (queue, locked_until, head);

CREATE TABLE queue_messages (
	id               INTEGER PRIMARY KEY AUTOINCREMENT,
	lane             INTEGER NOT NULL REFERENCES queue_lanes (id),
	message_id       TEXT NOT NULL,
	deduplication_id TEXT NOT NULL,
	body             TEXT NOT NULL,
	attributes       TEXT NOT NULL,
	receive_count    INTEGER NOT NULL,
	sent_at          INTEGER NOT NULL,
	visible_at       INTEGER NOT NULL
) STRICT;
CREATE INDEX queue_messages_order ON queue_messages (lane);
CREATE INDEX queue_messages_hidden ON queue_messages (lane, visible_at) WHERE visible_at > 0;

CREATE TABLE queue_deduplication (
	queue TEXT NOT NULL,
	id    TEXT NOT NULL,
	until INTEGER NOT NULL,
	PRIMARY KEY (queue, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_deduplication_until ON queue_deduplication (until);
`

// tableSchema. The columns next to an item's JSON are for finding it.
const tableSchema = `
CREATE TABLE ledger (
	message_sid   TEXT NOT NULL PRIMARY KEY,
	version       INTEGER NOT NULL,
	state         TEXT NOT NULL,
	customer      TEXT NOT NULL,
	twilio_number TEXT NOT NULL,
	received_at   TEXT NOT NULL,
	expires_at    INTEGER NOT NULL,
	record        TEXT NOT NULL
) STRICT;
CREATE INDEX ledger_by_time ON ledger (received_at, message_sid);
CREATE INDEX ledger_by_state ON ledger (state, received_at, message_sid);
CREATE INDEX ledger_by_customer ON ledger (customer, received_at, message_sid);
CREATE INDEX ledger_by_twilio_number ON ledger (twilio_number, received_at, message_sid);
CREATE INDEX ledger_by_expiry ON ledger (expires_at) WHERE expires_at > 0;

CREATE TABLE routing (
	twilio_number TEXT NOT NULL PRIMARY KEY,
	version       INTEGER NOT NULL,
	route         TEXT NOT NULL
) STRICT;

CREATE TABLE changes (
	id         INTEGER PRIMARY KEY AUTOINCREMENT,
	at         INTEGER NOT NULL,
	table_name TEXT NOT NULL,
	item_key   TEXT NOT NULL,
	old_item   TEXT,
	new_item   TEXT,
	expired    INTEGER NOT NULL
) STRICT;
`

// paceSchema. One row is one Twilio number, its state as JSON.
const paceSchema = `
CREATE TABLE pace (
	twilio_number TEXT NOT NULL PRIMARY KEY,
	state         TEXT NOT NULL
) STRICT;
`

// conversationSchema. One row is one item of a Twilio number, such as "c#" and a customer's number.
const conversationSchema = `
CREATE TABLE conversations (
	twilio_number TEXT NOT NULL,
	item          TEXT NOT NULL,
	version       INTEGER NOT NULL,
	conversation  TEXT NOT NULL,
	PRIMARY KEY (twilio_number, item)
) STRICT, WITHOUT ROWID;
`

// migrate brings the schema up to date, one step a transaction.
func (s *statements) migrate(ctx context.Context) error {
	steps := migrations()
	var version int
	if _, err := s.get(ctx, []any{&version}, "PRAGMA user_version"); err != nil {
		return err
	}
	if version > len(steps) {
		return fmt.Errorf("%w: the file has version %d, this program knows up to %d", ErrNewerSchema, version, len(steps))
	}
	for ; version < len(steps); version++ {
		script := fmt.Sprintf("BEGIN IMMEDIATE; %s PRAGMA user_version = %d; COMMIT", steps[version], version+1)
		if _, err := s.preparer.ExecContext(ctx, script); err != nil {
			return fmt.Errorf("migrate schema to version %d: %w", version+1, err)
		}
	}
	return nil
}
