package relaytest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/media"
)

// TestMedia holds a store against the contract of package media. open returns a new, empty store each time, which lives by the clock; it
// is called once a subtest, and subtests run side by side.
func TestMedia(t *testing.T, open func(t *testing.T, now func() time.Time) media.Store) {
	t.Helper()
	for _, tt := range []struct {
		name string
		run  func(mediaTest)
	}{
		{"what was put is got", mediaTest.roundTrip},
		{"the largest item is got whole", mediaTest.largest},
		{"each token for itself, side by side", mediaTest.sideBySide},
		{"an unknown token and one that is no token are not found", mediaTest.unknown},
		{"an expired item is not found", mediaTest.expired},
		{"content that fails is not kept", mediaTest.failing},
		{"content that is cut short is not kept", mediaTest.cutShort},
		{"content that is too long is not kept", mediaTest.tooLong},
		{"an ended context is a classified error", mediaTest.endedContext},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			clock := NewClock(time.Now().UTC().Truncate(time.Second))
			tt.run(mediaTest{t, open(t, clock.Now), clock})
		})
	}
}

// mediaTest is one subtest with its store and the clock of it.
type mediaTest struct {
	*testing.T
	media.Store

	clock *Clock
}

// picture is an item of that size, and its content.
func (m mediaTest) picture(size int) (media.Item, []byte) {
	item := media.Item{
		Token: media.NewToken(), ContentType: "image/jpeg", Size: int64(size), Name: "picture-1.jpg", ExpiresAt: m.clock.Now().Add(time.Hour),
	}
	return item, bytes.Repeat([]byte{0xFF, 0xD8, 0, '\n'}, size/4+1)[:size]
}

func (m mediaTest) put(item media.Item, content []byte) {
	m.Helper()
	// The reader has nothing but Read, as a connection has.
	if err := m.Put(m.Context(), item, struct{ io.Reader }{bytes.NewReader(content)}); err != nil {
		m.Fatalf("Put: %v", err)
	}
}

// has compares an item with what the store has.
func (m mediaTest) has(item media.Item, content []byte) {
	m.Helper()
	looked, err := m.Look(m.Context(), item.Token)
	if diff := cmp.Diff(item, looked); diff != "" || err != nil {
		m.Errorf("Look: error %v, item (-want +got):\n%s", err, diff)
	}
	opened, reader, err := m.Open(m.Context(), item.Token)
	if err != nil {
		m.Fatalf("Open: %v", err)
	}
	got, err := io.ReadAll(reader)
	if err := errors.Join(err, reader.Close()); err != nil {
		m.Errorf("read and close: %v", err)
	}
	if diff := cmp.Diff(item, opened); diff != "" || !bytes.Equal(got, content) {
		m.Errorf("Open returned %d bytes, want %d, and the item (-want +got):\n%s", len(got), len(content), diff)
	}
}

func (m mediaTest) hasNot(token media.Token) {
	m.Helper()
	if item, err := m.Look(m.Context(), token); !errors.Is(err, media.ErrNotFound) {
		m.Errorf("Look of %q returned %+v, error %v; want ErrNotFound", string(token), item, err)
	}
	item, content, err := m.Open(m.Context(), token)
	if !errors.Is(err, media.ErrNotFound) || content != nil {
		m.Errorf("Open of %q returned %+v, error %v; want ErrNotFound", string(token), item, err)
	}
}

func (m mediaTest) roundTrip() {
	item, content := m.picture(10)
	m.put(item, content)
	m.has(item, content)
	m.has(item, content)
}

func (m mediaTest) largest() {
	item, content := m.picture(media.MaxTotal)
	item.ContentType, item.Name = "video/mp4", "video-10.mp4"
	m.put(item, content)
	m.has(item, content)
}

func (m mediaTest) sideBySide() {
	var all sync.WaitGroup
	for size := range 8 {
		all.Go(func() {
			item, content := m.picture(size + 1)
			m.put(item, content)
			m.has(item, content)
		})
	}
	all.Wait()
}

func (m mediaTest) unknown() {
	m.put(m.picture(10))
	for _, token := range []media.Token{
		media.NewToken(), "", "a", "..", "../relay.db", media.Token(strings.Repeat("A", 32)), media.Token(strings.Repeat("/", 32)), "%2e%2e",
	} {
		m.hasNot(token)
	}
}

func (m mediaTest) expired() {
	item, content := m.picture(10)
	m.put(item, content)
	m.clock.Advance(time.Hour - time.Second)
	m.has(item, content)
	m.clock.Advance(time.Second)
	m.hasNot(item.Token)
}

var errBrokenContent = errors.New("the content broke")

func (m mediaTest) failing() {
	item, content := m.picture(100_000)
	broken := io.MultiReader(bytes.NewReader(content[:50_000]), iotest.ErrReader(errBrokenContent))
	if err := m.Put(m.Context(), item, broken); !errors.Is(err, errBrokenContent) {
		m.Errorf("Put: error %v, want the reader's", err)
	}
	m.hasNot(item.Token)
}

func (m mediaTest) cutShort() {
	item, content := m.picture(100_000)
	if err := m.Put(m.Context(), item, bytes.NewReader(content[:99_999])); !errors.Is(err, media.ErrCutShort) {
		m.Errorf("Put: error %v, want ErrCutShort", err)
	}
	m.hasNot(item.Token)
}

func (m mediaTest) tooLong() {
	item, content := m.picture(100_000)
	item.Size--
	if err := m.Put(m.Context(), item, bytes.NewReader(content)); !errors.Is(err, media.ErrTooLarge) {
		m.Errorf("Put: error %v, want ErrTooLarge", err)
	}
	m.hasNot(item.Token)
}

func (m mediaTest) endedContext() {
	item, content := m.picture(10)
	m.put(item, content)
	ctx, cancel := context.WithCancel(m.Context())
	cancel()
	other, _ := m.picture(10)
	putErr := m.Put(ctx, other, bytes.NewReader(content))
	_, lookErr := m.Look(ctx, item.Token)
	_, _, openErr := m.Open(ctx, item.Token)
	for what, err := range map[string]error{"Put": putErr, "Look": lookErr, "Open": openErr} {
		if classified, ok := errors.AsType[*fault.Error](err); !ok || classified.Kind != fault.Transient {
			m.Errorf("%s with an ended context: error %v, want a transient *fault.Error", what, err)
		}
	}
}
