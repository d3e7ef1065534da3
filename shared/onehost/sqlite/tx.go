package sqlite

import (
	"context"
	"time"
)

// tx is the transaction as one write sees it.
type tx struct {
	*statements
	db *DB
	// now is when the write began.
	now time.Time
	// rings are the bells to ring after the commit.
	rings []func()
}

// run carries out one request. If the request failed, no bell rings.
func (t *tx) run(ctx context.Context, r *request) error {
	t.now = t.db.now().UTC()
	before := len(t.rings)
	err := r.run(ctx, t)
	if err != nil {
		t.rings = t.rings[:before]
	}
	return err
}

// ring rings b once the transaction is committed.
func (t *tx) ring(b *bell) { t.rings = append(t.rings, b.ring) }

// ringAt rings b when until (in milliseconds since 1970) has come, if the transaction is committed.
func (t *tx) ringAt(b *bell, until int64) {
	now := t.now
	t.rings = append(t.rings, func() { b.ringAt(time.UnixMilli(until), now) })
}

func (t *tx) ringAll() {
	for _, ring := range t.rings {
		ring()
	}
}

// hiddenUntil returns now+hidden in milliseconds since 1970, rounded up, so that nothing becomes visible early. For a message
// that is not hidden it returns 0.
func hiddenUntil(now time.Time, hidden time.Duration) int64 {
	if hidden <= 0 {
		return 0
	}
	return now.Add(hidden + time.Millisecond - 1).UnixMilli()
}
