package sqlite

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/queue"
)

// receipt is one receipt of one message. The count makes the next receipt another one.
type receipt struct {
	id    int64
	count int
}

// String returns the receipt handle.
func (r receipt) String() string { return fmt.Sprintf("%d-%d", r.id, r.count) }

// parseReceipt reads a receipt handle; ok is false if it is not one.
func parseReceipt(handle string) (r receipt, ok bool) {
	id, count, found := strings.Cut(handle, "-")
	if !found {
		return receipt{}, false
	}
	var err error
	if r.id, err = strconv.ParseInt(id, 10, 64); err != nil {
		return receipt{}, false
	}
	r.count, err = strconv.Atoi(count)
	return r, err == nil && r.count > 0
}

// A receipt handle holds of one message in flight (?1 its id, ?2 its receive count, ?3 now) on one queue (?4).
const (
	heldByReceipt = ` WHERE id = ?1 AND receive_count = ?2 AND visible_at > ?3
		AND EXISTS (SELECT 1 FROM queue_lanes WHERE queue_lanes.id = queue_messages.lane AND queue = ?4)
		RETURNING lane`
	hideQuery   = `UPDATE queue_messages SET visible_at = ?5` + heldByReceipt
	deleteQuery = `DELETE FROM queue_messages` + heldByReceipt
)

// ChangeVisibility hides messages in flight for longer or shorter, see [queue.Receiver].
func (q *Queue) ChangeVisibility(ctx context.Context, changes []queue.Visibility) error {
	for _, change := range changes {
		if err := checkVisibility(change.Timeout); err != nil {
			return err
		}
	}
	return q.db.write(ctx, func(ctx context.Context, t *tx) error { return q.changeVisibility(ctx, t, changes) })
}

func (q *Queue) changeVisibility(ctx context.Context, t *tx, changes []queue.Visibility) error {
	touched := map[int64]int{}
	for _, change := range changes {
		lane, found, err := q.hide(ctx, t, change.ReceiptHandle, change.Timeout)
		if err != nil {
			return err
		}
		if found {
			touched[lane] = 0
		}
	}
	return q.refreshAll(ctx, t, touched)
}

// hide changes how long one message in flight stays hidden and returns its lane; found is false if the handle has lapsed.
func (q *Queue) hide(ctx context.Context, t *tx, handle string, timeout time.Duration) (lane int64, found bool, err error) {
	r, ok := parseReceipt(handle)
	if !ok {
		return 0, false, nil
	}
	found, err = t.get(ctx, []any{&lane}, hideQuery,
		r.id, r.count, t.now.UnixMilli(), q.name, hiddenUntil(t.now, timeout))
	return lane, found, err
}

// Delete removes messages that are done, see [queue.Receiver].
func (q *Queue) Delete(ctx context.Context, receiptHandles []string) error {
	return q.db.write(ctx, func(ctx context.Context, t *tx) error { return q.remove(ctx, t, receiptHandles) })
}

func (q *Queue) remove(ctx context.Context, t *tx, handles []string) error {
	removed := map[int64]int{}
	for _, handle := range handles {
		r, ok := parseReceipt(handle)
		if !ok {
			continue
		}
		var lane int64
		found, err := t.get(ctx, []any{&lane}, deleteQuery, r.id, r.count, t.now.UnixMilli(), q.name)
		if err != nil {
			return err
		}
		if found {
			removed[lane]++
		}
	}
	return q.refreshAll(ctx, t, removed)
}

// refreshAll brings the given lanes up to date; the number is how many messages each has lost.
func (q *Queue) refreshAll(ctx context.Context, t *tx, lanes map[int64]int) error {
	for lane, removed := range lanes {
		if err := q.refresh(ctx, t, lane, removed); err != nil {
			return err
		}
	}
	return nil
}

// refresh brings a lane up to date after its messages have changed: its head, its depth (less removed), until when it
// is locked. A lane without messages goes.
func (q *Queue) refresh(ctx context.Context, t *tx, lane int64, removed int) error {
	var head int64
	found, err := t.get(ctx, []any{&head}, laneHeadQuery, lane)
	if err != nil {
		return err
	}
	if !found {
		_, err := t.exec(ctx, "DELETE FROM queue_lanes WHERE id = ?", lane)
		return err
	}
	var until int64
	if _, err := t.get(ctx, []any{&until}, laneLockQuery, lane, t.now.UnixMilli()); err != nil {
		return err
	}
	if until > 0 {
		t.ringAt(q.arrival, until)
	} else {
		t.ring(q.arrival)
	}
	_, err = t.exec(ctx, "UPDATE queue_lanes SET head = ?, locked_until = ?, depth = depth - ? WHERE id = ?",
		head, until, removed, lane)
	return err
}

// laneHeadQuery finds a lane's oldest message.
const laneHeadQuery = `SELECT id FROM queue_messages WHERE lane = ? ORDER BY id LIMIT 1`

// laneLockQuery finds when the last of a lane's messages in flight shows again. The index it reads has only messages that were
// hidden once, however long the lane is.
const laneLockQuery = `
SELECT coalesce(max(visible_at), 0) FROM queue_messages WHERE lane = ? AND visible_at > 0 AND visible_at > ?`
