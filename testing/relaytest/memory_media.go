package relaytest

import (
	"bytes"
	"context"
	"io"
	"maps"
	"slices"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/media"
)

// MemoryMedia is a media.Store in memory.
type MemoryMedia struct {
	// Now is the clock by which items expire.
	Now func() time.Time
	// Fault makes it fail.
	Fault Fault

	mu    sync.Mutex
	items map[media.Token]keptMedia
}

type keptMedia struct {
	item    media.Item
	content []byte
}

// Put implements media.Store.
func (m *MemoryMedia) Put(ctx context.Context, item media.Item, content io.Reader) error {
	if err := m.Fault.before(ctx, "Put"); err != nil {
		return err
	}
	whole, err := io.ReadAll(media.Exactly(content, item.Size))
	if err != nil {
		return err
	}
	m.mu.Lock()
	if m.items == nil {
		m.items = map[media.Token]keptMedia{}
	}
	m.items[item.Token] = keptMedia{item, whole}
	m.mu.Unlock()
	return m.Fault.after("Put")
}

// Look implements media.Store.
func (m *MemoryMedia) Look(ctx context.Context, token media.Token) (media.Item, error) {
	if err := m.Fault.before(ctx, "Look"); err != nil {
		return media.Item{}, err
	}
	kept, err := m.find(token)
	return kept.item, err
}

// Open implements media.Store.
func (m *MemoryMedia) Open(ctx context.Context, token media.Token) (media.Item, io.ReadCloser, error) {
	if err := m.Fault.before(ctx, "Open"); err != nil {
		return media.Item{}, nil, err
	}
	kept, err := m.find(token)
	if err != nil {
		return media.Item{}, nil, err
	}
	return kept.item, io.NopCloser(bytes.NewReader(kept.content)), nil
}

func (m *MemoryMedia) find(token media.Token) (keptMedia, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept, ok := m.items[token]
	if !ok || !m.Now().Before(kept.item.ExpiresAt) {
		return keptMedia{}, media.ErrNotFound
	}
	return kept, nil
}

// Tokens returns the tokens of everything that was ever put, sorted.
func (m *MemoryMedia) Tokens() []media.Token {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.items))
}
