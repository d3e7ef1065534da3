package sqlite

import (
	"context"
	"crypto/rand"
	"database/sql"
	"time"

	"quickdumpnow.com/smsrelay/shared/queue"
)

// SendBefore is Send for a message that belongs before those of its group that were sent at younger or later: it came in before them, and
// was found out about after them. One that is in flight, or was, keeps its place. The queue is one in order.
func (q *Queue) SendBefore(ctx context.Context, outgoing queue.Outgoing, younger time.Time) error {
	if err := q.check(outgoing); err != nil {
		return err
	}
	attributes, err := encodeAttributes(outgoing.Attributes)
	if err != nil {
		return err
	}
	m := message{messageID: rand.Text(), deduplicationID: outgoing.DeduplicationID, body: outgoing.Body, attributes: attributes}
	return q.db.write(ctx, func(ctx context.Context, t *tx) error {
		if err := q.send(ctx, t, m, outgoing); err != nil {
			return err
		}
		return q.overtake(ctx, t, m, q.laneOf(outgoing.Group, m.messageID), younger)
	})
}

// overtake moves the lane's messages that were sent at younger or later, and were never handed out, behind the message.
func (q *Queue) overtake(ctx context.Context, t *tx, m message, laneName string, younger time.Time) error {
	var own, lane int64
	found, err := t.get(ctx, []any{&own, &lane}, `
		SELECT m.id, m.lane FROM queue_messages AS m JOIN queue_lanes AS l ON m.lane = l.id
		WHERE l.queue = ? AND l.name = ? AND m.message_id = ?`, q.name, laneName, m.messageID)
	if err != nil || !found {
		// It repeats one that was sent a moment ago.
		return err
	}
	// It counts as sent before them: the next that is found belongs behind it.
	if _, err := t.exec(ctx, "UPDATE queue_messages SET sent_at = ? WHERE id = ?", younger.UnixMilli()-1, own); err != nil {
		return err
	}
	var later []int64
	err = t.each(ctx, func(rows *sql.Rows) error {
		var id int64
		err := rows.Scan(&id)
		later = append(later, id)
		return err
	}, "SELECT id FROM queue_messages WHERE lane = ? AND id < ? AND sent_at >= ? AND receive_count = 0 ORDER BY id",
		lane, own, younger.UnixMilli())
	if err != nil {
		return err
	}
	for _, id := range later {
		if _, err := t.exec(ctx, `
			INSERT INTO queue_messages (lane, message_id, deduplication_id, body, attributes, receive_count, sent_at, visible_at)
			SELECT lane, message_id, deduplication_id, body, attributes, receive_count, sent_at, visible_at
			FROM queue_messages WHERE id = ?`, id); err != nil {
			return err
		}
		if _, err := t.exec(ctx, "DELETE FROM queue_messages WHERE id = ?", id); err != nil {
			return err
		}
	}
	return q.refresh(ctx, t, lane, 0)
}
