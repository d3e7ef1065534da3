package sqlite

import (
	"context"
	"database/sql"
	"fmt"

	"quickdumpnow.com/smsrelay/shared/queue"
)

const (
	drainQuery = `
SELECT m.id, m.message_id, m.deduplication_id, m.body, m.attributes, m.receive_count, m.sent_at, l.id, l.name
FROM queue_messages AS m JOIN queue_lanes AS l ON m.lane = l.id WHERE l.queue = ? ORDER BY m.id LIMIT ?`
	drainBatch = 100
)

// drained is a message and its lane.
type drained struct {
	message

	lane     int64
	laneName string
}

// Drain passes each message of the queue to send, in the order in which they came, the hidden and the delayed ones among them, and removes
// each one that send returned no error for. After an error, that message and those behind it are still on the queue. It returns how many
// it removed. It is for a relay that has ended: a message that somebody else has received is passed on, too.
func (q *Queue) Drain(ctx context.Context, send func(d queue.Delivery) error) (sent int, err error) {
	for {
		batch, err := q.first(ctx, drainBatch)
		if err != nil || len(batch) == 0 {
			return sent, err
		}
		for _, m := range batch {
			d, err := m.delivery(m.laneName)
			if err != nil {
				return sent, err
			}
			if err := send(d); err != nil {
				return sent, err
			}
			if err := q.discard(ctx, m); err != nil {
				return sent, fmt.Errorf("remove a message that was passed on: %w", err)
			}
			sent++
		}
	}
}

// first returns the oldest messages of the queue, the hidden ones among them.
func (q *Queue) first(ctx context.Context, limit int) (batch []drained, err error) {
	err = q.db.reader.each(ctx, func(rows *sql.Rows) error {
		var m drained
		err := rows.Scan(&m.id, &m.messageID, &m.deduplicationID, &m.body, &m.attributes, &m.receiveCount, &m.sentAt, &m.lane, &m.laneName)
		batch = append(batch, m)
		return err
	}, drainQuery, q.name, limit)
	return batch, err
}

// discard removes a message, whoever has received it.
func (q *Queue) discard(ctx context.Context, m drained) error {
	return q.db.write(ctx, func(ctx context.Context, t *tx) error {
		n, err := t.exec(ctx, "DELETE FROM queue_messages WHERE id = ?", m.id)
		if err != nil || n == 0 {
			return err
		}
		return q.refresh(ctx, t, m.lane, int(n))
	})
}
