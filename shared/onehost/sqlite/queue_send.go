package sqlite

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"time"

	"quickdumpnow.com/smsrelay/shared/queue"
)

// deduplicationWindow is how long a DeduplicationID is remembered, also when its message is long gone. It is SQS's.
const deduplicationWindow = 5 * time.Minute

// Send puts the message on the queue, see [queue.Sender].
func (q *Queue) Send(ctx context.Context, outgoing queue.Outgoing) error {
	if err := q.check(outgoing); err != nil {
		return err
	}
	attributes, err := encodeAttributes(outgoing.Attributes)
	if err != nil {
		return err
	}
	m := message{
		messageID: rand.Text(), deduplicationID: outgoing.DeduplicationID,
		body: outgoing.Body, attributes: attributes,
	}
	return q.db.write(ctx, func(ctx context.Context, t *tx) error { return q.send(ctx, t, m, outgoing) })
}

func encodeAttributes(attributes map[string]string) (string, error) {
	if len(attributes) == 0 {
		return "", nil
	}
	text, err := json.Marshal(attributes)
	if err != nil {
		return "", permanent("unreadable attributes")
	}
	return string(text), nil
}

// send stores the message unless it repeats one of the last five minutes.
func (q *Queue) send(ctx context.Context, t *tx, m message, outgoing queue.Outgoing) error {
	if !q.config.Standard {
		fresh, err := q.remember(ctx, t, m.deduplicationID)
		if err != nil || !fresh {
			return err
		}
	}
	m.sentAt, m.visibleAt = t.now.UnixMilli(), hiddenUntil(t.now, outgoing.Delay)
	if m.visibleAt > 0 {
		t.ringAt(q.arrival, m.visibleAt)
	} else {
		t.ring(q.arrival)
	}
	return t.put(ctx, q.name, q.laneOf(outgoing.Group, m.messageID), m)
}

// remember notes the deduplication id; fresh is false if it is still remembered from before.
func (q *Queue) remember(ctx context.Context, t *tx, id string) (fresh bool, err error) {
	changed, err := t.exec(ctx, `
		INSERT INTO queue_deduplication (queue, id, until) VALUES (?, ?, ?)
		ON CONFLICT (queue, id) DO UPDATE SET until = excluded.until WHERE until <= ?`,
		q.name, id, hiddenUntil(t.now, deduplicationWindow), t.now.UnixMilli())
	return changed > 0, err
}

// put appends the message to a lane. A lane that begins with it has it as its head: its id will be the next of the sequence. A lane of a
// message that is delayed begins locked. Neither statement returns rows: that would cost the writer a fifth more for each message.
func (t *tx) put(ctx context.Context, queueName, laneName string, m message) error {
	if _, err := t.exec(ctx, `
		INSERT INTO queue_lanes (queue, name, head, depth, locked_until)
		VALUES (?, ?, (SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'queue_messages'), 1, ?)
		ON CONFLICT (queue, name) DO UPDATE SET depth = depth + 1`, queueName, laneName, m.visibleAt); err != nil {
		return err
	}
	// With SELECT, SQLite keeps what the statement changes: if the disk is full, this message is undone, and not the whole transaction.
	changed, err := t.exec(ctx, `
		INSERT INTO queue_messages
			(lane, message_id, deduplication_id, body, attributes, receive_count, sent_at, visible_at)
		SELECT id, ?, ?, ?, ?, ?, ?, ? FROM queue_lanes WHERE queue = ? AND name = ?`,
		m.messageID, m.deduplicationID, m.body, m.attributes, m.receiveCount, m.sentAt, m.visibleAt, queueName, laneName)
	if err == nil && changed != 1 {
		err = permanent("message was not stored: its lane is gone")
	}
	return err
}
