package sqlite

import (
	"context"
	"database/sql"
	"time"

	"quickdumpnow.com/smsrelay/shared/queue"
)

// maxRounds bounds how many times one transaction looks for lanes. Only messages that go to the dead-letter queue
// make it look again.
const maxRounds = 10

// Receive receives messages, which are then hidden for a time, see [queue.Receiver]. It receives as many of one group as there
// are, oldest group first, as SQS does. If ctx ends while it waits, the error is Transient.
func (q *Queue) Receive(ctx context.Context, limit int, wait, visibility time.Duration) ([]queue.Delivery, error) {
	if limit < 1 || limit > maxReceive {
		return nil, permanent("limit is not between 1 and 10")
	}
	if err := checkVisibility(visibility); err != nil {
		return nil, err
	}
	var deliveries []queue.Delivery
	err := q.db.await(ctx, q.arrival, wait, func() (bool, error) {
		err := q.db.write(ctx, func(ctx context.Context, t *tx) (err error) {
			deliveries, err = q.take(ctx, t, limit, visibility)
			return err
		})
		return err == nil && len(deliveries) > 0, err
	})
	if err != nil {
		return nil, err
	}
	return deliveries, nil
}

// take returns up to limit messages. If there are none, it makes the bell ring when there may be some.
func (q *Queue) take(ctx context.Context, t *tx, limit int, visibility time.Duration) ([]queue.Delivery, error) {
	if err := q.free(ctx, t); err != nil {
		return nil, err
	}
	for range maxRounds {
		lanes, err := q.freeLanes(ctx, t, limit)
		if err != nil {
			return nil, err
		}
		if len(lanes) == 0 {
			return nil, q.ringAtNextExpiry(ctx, t)
		}
		deliveries, err := q.takeFrom(ctx, t, lanes, limit, visibility)
		if err != nil || len(deliveries) > 0 {
			return deliveries, err
		}
	}
	t.ring(q.arrival)
	return nil, nil
}

// free unlocks the lanes whose lock has ended, each of them once.
func (q *Queue) free(ctx context.Context, t *tx) error {
	_, err := t.exec(ctx, freeQuery, q.name, t.now.UnixMilli())
	return err
}

const freeQuery = `UPDATE queue_lanes SET locked_until = 0 WHERE queue = ? AND locked_until > 0 AND locked_until <= ?`

// lane is what take needs of a row of queue_lanes.
type lane struct {
	id   int64
	name string
}

// freeLanesQuery reads the first entries of an index: its cost does not grow with the queue.
const freeLanesQuery = `SELECT id, name FROM queue_lanes WHERE queue = ? AND locked_until = 0 ORDER BY head LIMIT ?`

// freeLanes returns up to limit free lanes, the one with the oldest message first.
func (q *Queue) freeLanes(ctx context.Context, t *tx, limit int) ([]lane, error) {
	var lanes []lane
	err := t.each(ctx, func(rows *sql.Rows) error {
		var l lane
		err := rows.Scan(&l.id, &l.name)
		lanes = append(lanes, l)
		return err
	}, freeLanesQuery, q.name, limit)
	return lanes, err
}

// ringAtNextExpiry arms the bell for the moment at which the next lane unlocks.
func (q *Queue) ringAtNextExpiry(ctx context.Context, t *tx) error {
	var until *int64
	if _, err := t.get(ctx, []any{&until}, nextExpiryQuery, q.name); err != nil {
		return err
	}
	if until != nil {
		t.ringAt(q.arrival, *until)
	}
	return nil
}

const nextExpiryQuery = `SELECT min(locked_until) FROM queue_lanes WHERE queue = ? AND locked_until > 0`

// takeFrom hands out up to limit messages of the lanes.
func (q *Queue) takeFrom(ctx context.Context, t *tx, lanes []lane, limit int, visibility time.Duration) ([]queue.Delivery, error) {
	var deliveries []queue.Delivery
	for _, l := range lanes {
		if len(deliveries) == limit {
			break
		}
		taken, err := q.takeLane(ctx, t, l, limit-len(deliveries), visibility)
		if err != nil {
			return nil, err
		}
		deliveries = append(deliveries, taken...)
	}
	return deliveries, nil
}

// takeLane returns the first messages of a lane, in order, and locks it. Messages that were received too often go to the
// dead-letter queue.
func (q *Queue) takeLane(ctx context.Context, t *tx, l lane, limit int, visibility time.Duration) ([]queue.Delivery, error) {
	messages, err := t.firstMessages(ctx, l.id, limit)
	if err != nil {
		return nil, err
	}
	var deliveries []queue.Delivery
	buried := 0
	for _, m := range messages {
		if q.redrives(m.receiveCount) {
			buried++
			if err := q.bury(ctx, t, l, m); err != nil {
				return nil, err
			}
			continue
		}
		if m, err = t.handOut(ctx, m, visibility); err != nil {
			return nil, err
		}
		d, err := m.delivery(l.name)
		if err != nil {
			return nil, err
		}
		deliveries = append(deliveries, d)
	}
	return deliveries, q.refresh(ctx, t, l.id, buried)
}

const firstMessagesQuery = `
SELECT id, message_id, deduplication_id, body, attributes, receive_count, sent_at
FROM queue_messages WHERE lane = ? ORDER BY id LIMIT ?`

// firstMessages returns the oldest messages of a lane.
func (t *tx) firstMessages(ctx context.Context, lane int64, limit int) ([]message, error) {
	var messages []message
	err := t.each(ctx, func(rows *sql.Rows) error {
		var m message
		err := rows.Scan(&m.id, &m.messageID, &m.deduplicationID, &m.body, &m.attributes, &m.receiveCount, &m.sentAt)
		messages = append(messages, m)
		return err
	}, firstMessagesQuery, lane, limit)
	return messages, err
}

// handOut counts the receive and hides the message. What names the receipt changes with the count.
func (t *tx) handOut(ctx context.Context, m message, visibility time.Duration) (message, error) {
	m.receiveCount++
	m.visibleAt = hiddenUntil(t.now, visibility)
	_, err := t.exec(ctx, "UPDATE queue_messages SET receive_count = ?, visible_at = ? WHERE id = ?",
		m.receiveCount, m.visibleAt, m.id)
	return m, err
}

// bury moves the message to the dead-letter queue as SQS does: its id and receive count stay. On a queue in order it
// keeps its group, counts as sent now, and has its message id for deduplication id, so that of two messages that had
// the same one, five minutes apart, both are kept.
func (q *Queue) bury(ctx context.Context, t *tx, l lane, m message) error {
	if _, err := t.exec(ctx, "DELETE FROM queue_messages WHERE id = ?", m.id); err != nil {
		return err
	}
	if !q.config.Standard {
		m.deduplicationID, m.sentAt = m.messageID, t.now.UnixMilli()
	}
	m.visibleAt = 0
	t.ring(q.db.arrival(q.config.DeadLetter))
	return t.put(ctx, q.config.DeadLetter, l.name, m)
}
