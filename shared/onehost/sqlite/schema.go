package sqlite

// step brings the schema from one version to the next.
type step struct {
	// what says for operators what the step does.
	what string
	// script is the SQL that does it.
	script string
	// needs is the least version of the schema that a program has to know to use the file after the step. A step that only adds leaves it as
	// it was before: programs that do not know the step go on with the file. A step that takes away, or changes what is there, raises it, and
	// comes a release later than the program that can do without.
	needs int
}

// firstNeeds is what the files of the first release need.
const firstNeeds = 5

// steps lists the steps from an empty file to the present schema: the nth brings it to version n. A step that has been released is never
// changed: a change of the schema is a new step.
func steps() []step {
	return []step{
		{"makes the queues, the ledger, the routes and the stream of changes", queueSchema + tableSchema, 1},
		{"makes the table of the pace", paceSchema, 2},
		{"makes the table of the clock", clockSchema, 3},
		{"makes the table of the conversations", conversationSchema, 4},
		{"makes the table by which a copied file is known", identitySchema, firstNeeds},
		{"makes the table of the steps that the schema has had", stepsSchema, firstNeeds},
		{"makes the index of who waits", waitingSchema, firstNeeds},
		{"makes the index of words, which is filled while the relay works", searchSchema(), firstNeeds},
	}
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

// stepsSchema. One row is one step that was done, by its version, and when, in milliseconds since 1970. PRAGMA user_version is what the
// file needs, because the programs of the first release go by it.
const stepsSchema = `
CREATE TABLE schema_steps (
	version INTEGER PRIMARY KEY,
	done_at INTEGER NOT NULL
) STRICT;
`

// waitingCondition is of the conversations that may be open, or have held texts: those of conversation.Conversation.IsOpen, with its five
// seconds, and those that nobody can read. SQLite keeps the index by it whichever program writes the item.
const waitingCondition = `
	item >= 'c#' AND item < 'c$' AND CASE WHEN json_valid(conversation) THEN
		json_extract(conversation, '$.Closed.Texts[0]') IS NOT NULL
		OR json_extract(conversation, '$.Spell.MessageSid') <> ''
			AND coalesce(round(1000 * unixepoch(json_extract(conversation, '$.Spell.NewestAt'), 'subsec'))
				> round(1000 * unixepoch(json_extract(conversation, '$.Seen.At'), 'subsec')) - 5000, 1)
	ELSE 1 END`

// waitingSchema. The index has a conversation from its first open text until somebody has seen to it, and so is as large as those who wait
// are many.
const waitingSchema = `
CREATE INDEX conversations_waiting ON conversations (twilio_number, item) WHERE ` + waitingCondition + `;
`

const (
	// identityVersion and stepsVersion are the versions since which there are these tables.
	identityVersion = 5
	stepsVersion    = 6
)
