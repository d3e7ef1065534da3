package sqlite

import "context"

const (
	releaseMessagesQuery = `UPDATE queue_messages SET visible_at = 0 WHERE visible_at > 0 AND receive_count > 0`
	// No delay is longer than maxDelay: a message that is hidden for longer was delayed by a clock that was ahead.
	releaseDelayedQuery = `UPDATE queue_messages SET visible_at = ?1 WHERE visible_at > ?1`
	lockDelayedQuery    = `UPDATE queue_lanes SET locked_until = ?1 WHERE locked_until > ?1`
	// A lane is locked only as long as one of its messages is hidden.
	releaseLanesQuery = `
		UPDATE queue_lanes SET locked_until = 0 WHERE locked_until > 0 AND NOT EXISTS
			(SELECT 1 FROM queue_messages WHERE lane = queue_lanes.id AND visible_at > 0)`
)

// ReleaseInFlight makes every message visible that was received and not deleted, on all queues, without waiting for its
// visibility timeout. It is for the start of the one process that has the file: the process that received those messages has
// ended. Messages that are only delayed stay hidden, but no longer than maxDelay.
func (db *DB) ReleaseInFlight(ctx context.Context) error {
	return db.write(ctx, func(ctx context.Context, t *tx) error {
		if _, err := t.exec(ctx, releaseMessagesQuery); err != nil {
			return err
		}
		latest := hiddenUntil(t.now, maxDelay)
		for _, query := range []string{releaseDelayedQuery, lockDelayedQuery} {
			if _, err := t.exec(ctx, query, latest); err != nil {
				return err
			}
		}
		_, err := t.exec(ctx, releaseLanesQuery)
		return err
	})
}
