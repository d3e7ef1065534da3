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
	// MaxReceiveCount is how often a message is handed out before it goes to the dead-letter queue instead; 0 is without end.
	MaxReceiveCount int
	// DeadLetter names that queue, which is to be of the same kind. Empty: there is none, and MaxReceiveCount means nothing.
	DeadLetter string
}

// Queue is one queue of the database. It keeps the contract of [queue.Sender] and [queue.Receiver] as an SQS FIFO queue
// does: a receipt handle lapses with the visibility timeout, also when no one else has received the message yet, and
// what SQS would refuse is refused.
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

// redrives reports whether a message that was handed out so often goes to the dead-letter queue now.
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

// laneOf names the lane of a message: its group, and on a queue without order, where each message has a lane to
// itself, the message, too. A space separates them, which cannot stand in a group.
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

// delivery returns the message as it was handed out.
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

// depthQuery counts a queue's messages, those in flight, and finds when the oldest was sent; one statement, so that
// the three belong together. Of a lane that is not locked no message is in flight.
const depthQuery = `
SELECT
	(SELECT coalesce(sum(depth), 0) FROM queue_lanes WHERE queue = ?1),
	(SELECT count(*) FROM queue_lanes AS l JOIN queue_messages AS m ON m.lane = l.id
		WHERE l.queue = ?1 AND l.locked_until > ?2 AND m.visible_at > 0 AND m.visible_at > ?2 AND m.receive_count > 0),
	(SELECT sent_at FROM queue_messages WHERE id = (SELECT min(head) FROM queue_lanes WHERE queue = ?1))`

// Depth counts the messages on the queue: those waiting (also behind others of their group, or for their delay) and
// those in flight. oldest is when the first of them all was sent, and zero if there are none.
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
