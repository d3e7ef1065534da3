package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/queue"
)

var (
	_ queue.Sender   = (*Queue)(nil)
	_ queue.Receiver = (*Queue)(nil)
)

// QueueConfig says how a queue behaves. The zero value is a queue in order (SQS FIFO) without a dead-letter queue.
type QueueConfig struct {
	// Standard is a queue without order: its messages have no group that waits and no DeduplicationID, and may have a Delay.
	Standard bool
	// MaxReceiveCount is how often a message is received before it goes to the dead-letter queue instead; 0 means no limit.
	MaxReceiveCount int
	// DeadLetter names that queue, which must be of the same kind. If it is empty there is none, and MaxReceiveCount has no
	// meaning.
	DeadLetter string
}

// Queue is one queue of the database. It keeps the contract of [queue.Sender] and [queue.Receiver] as an SQS FIFO queue does:
// a receipt handle is valid until the visibility timeout ends, even if nobody else has received the message yet, and what SQS
// would refuse is refused.
type Queue struct {
	db      *DB
	name    string
	config  QueueConfig
	arrival *bell
}

// Queue returns the queue of that name. Queues need not be created: one that nothing was sent to is empty.
func (db *DB) Queue(name string, config QueueConfig) *Queue {
	return &Queue{db: db, name: name, config: config, arrival: db.arrival(name)}
}

// redrives reports whether a message that was received so often goes to the dead-letter queue now.
func (q *Queue) redrives(receiveCount int) bool {
	return q.config.DeadLetter != "" && q.config.MaxReceiveCount > 0 && receiveCount >= q.config.MaxReceiveCount
}

// message is a row of queue_messages.
type message struct {
	id              int64
	messageID       string
	deduplicationID string
	body            string
	// attributes is a JSON object, or empty if there are none.
	attributes   string
	receiveCount int
	sentAt       int64
	visibleAt    int64
}

// laneOf names the lane of a message: its group. On a queue without order each message has a lane of its own, so the name
// includes the message. A space, which a group cannot have, separates them.
func (q *Queue) laneOf(group, messageID string) string {
	if q.config.Standard {
		return group + " " + messageID
	}
	return group
}

// groupOf reads the group from a lane's name.
func groupOf(lane string) string {
	group, _, _ := strings.Cut(lane, " ")
	return group
}

// delivery returns the message as it was received.
func (m message) delivery(lane string) (queue.Delivery, error) {
	d := queue.Delivery{
		MessageID:     m.messageID,
		ReceiptHandle: receipt{id: m.id, count: m.receiveCount}.String(),
		Group:         groupOf(lane), DeduplicationID: m.deduplicationID,
		Body: m.body, ReceiveCount: m.receiveCount, SentAt: time.UnixMilli(m.sentAt).UTC(),
	}
	if m.attributes == "" {
		return d, nil
	}
	if err := json.Unmarshal([]byte(m.attributes), &d.Attributes); err != nil {
		return d, permanent("unreadable attributes of a queued message")
	}
	return d, nil
}

// depthQuery counts a queue's messages, those in flight, and finds when the oldest was sent; one statement, so that the three
// fit together. A lane that is not locked has no message in flight.
const depthQuery = `
SELECT
	(SELECT coalesce(sum(depth), 0) FROM queue_lanes WHERE queue = ?1),
	(SELECT count(*) FROM queue_lanes AS l JOIN queue_messages AS m ON m.lane = l.id
		WHERE l.queue = ?1 AND l.locked_until > ?2 AND m.visible_at > 0 AND m.visible_at > ?2 AND m.receive_count > 0),
	(SELECT sent_at FROM queue_messages WHERE id = (SELECT min(head) FROM queue_lanes WHERE queue = ?1))`

// Depth counts the messages on the queue: those waiting (also behind others of their group, or for their delay) and those in
// flight. oldest is when the first of them was sent, zero if there are none.
func (q *Queue) Depth(ctx context.Context) (visible, inFlight int, oldest time.Time, err error) {
	var total int
	var sentAt *int64
	into := []any{&total, &inFlight, &sentAt}
	if _, err := q.db.reader.get(ctx, into, depthQuery, q.name, q.db.now().UnixMilli()); err != nil {
		return 0, 0, time.Time{}, err
	}
	if sentAt != nil {
		oldest = time.UnixMilli(*sentAt).UTC()
	}
	return total - inFlight, inFlight, oldest, nil
}

// Bodies calls visit for the body of each message on the queue, those in flight among them, in no order.
func (q *Queue) Bodies(ctx context.Context, visit func(body string)) error {
	return q.db.reader.each(ctx, func(rows *sql.Rows) error {
		var body string
		err := rows.Scan(&body)
		if err == nil {
			visit(body)
		}
		return err
	}, "SELECT m.body FROM queue_messages AS m JOIN queue_lanes AS l ON m.lane = l.id WHERE l.queue = ?", q.name)
}
