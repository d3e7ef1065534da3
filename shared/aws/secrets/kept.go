package secrets

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// renewInterval is the shortest time between two readings of a secret: anyone can send wrong requests, and each reading costs
// money.
const renewInterval = time.Minute

// Kept keeps a secret in memory and reads it again when a caller finds it wrong, at most once a minute. It is safe for
// concurrent use.
type Kept[T any] struct {
	read   Reader[T]
	same   func(a, b T) bool
	now    func() time.Time
	logger *slog.Logger

	mu         sync.Mutex
	value      T
	generation int
	readAt     time.Time
}

// Reader reads a secret, or a part of it.
type Reader[T any] func(context.Context) (T, error)

// Keep reads a secret with first and keeps it; later it is read with again, which may read more of it. same reports whether two readings
// are the same secret, now is the clock, and logger gets later readings that fail. The error is that of the first reading.
func Keep[T any](ctx context.Context, first, again Reader[T], same func(a, b T) bool, now func() time.Time, logger *slog.Logger,
) (*Kept[T], error) {
	k := &Kept[T]{read: again, same: same, now: now, logger: logger}
	value, err := first(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the secret: %w", err)
	}
	k.value = value
	return k, nil
}

// Value returns the secret as it was last read, and which reading that was.
func (k *Kept[T]) Value() (value T, generation int) { //nolint:ireturn // T is the caller's own.
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.value, k.generation
}

// Renew is for a caller who finds the reading of that generation wrong. It returns a later reading, which it or another caller made.
// changed is false if there is none: the secret is the same, was read less than a minute ago, or could not be read.
func (k *Kept[T]) Renew(ctx context.Context, generation int) (value T, later int, changed bool) { //nolint:ireturn // T is the caller's own.
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.generation != generation {
		return k.value, k.generation, true
	}
	if now := k.now(); !k.readAt.IsZero() && now.Sub(k.readAt).Abs() < renewInterval {
		return k.value, k.generation, false
	}
	k.readAt = k.now()
	read, err := k.read(ctx)
	switch {
	case err != nil:
		k.logger.LogAttrs(ctx, slog.LevelError, "secret not read again", slog.String("error", err.Error()))
	case !k.same(k.value, read):
		k.value, k.generation = read, k.generation+1
		k.logger.LogAttrs(ctx, slog.LevelInfo, "secret read again: it says something else, or more", slog.Int("generation", k.generation))
		return k.value, k.generation, true
	}
	return k.value, k.generation, false
}
