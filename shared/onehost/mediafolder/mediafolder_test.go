package mediafolder_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/onehost/mediafolder"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func open(t *testing.T, config mediafolder.Config) *mediafolder.Folder {
	t.Helper()
	folder, err := mediafolder.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestFolder(t *testing.T) {
	t.Parallel()
	relaytest.TestMedia(t, func(t *testing.T, now func() time.Time) media.Store {
		t.Helper()
		return open(t, mediafolder.Config{Path: filepath.Join(t.TempDir(), "media"), Now: now})
	})
}

// put keeps ten bytes until the time, and returns their token.
func put(t *testing.T, folder *mediafolder.Folder, until time.Time) media.Token {
	t.Helper()
	token := media.NewToken()
	item := media.Item{Token: token, ContentType: "image/png", Size: 10, Name: "picture-1.png", ExpiresAt: until}
	if err := folder.Put(t.Context(), item, bytes.NewReader(make([]byte, 10))); err != nil {
		t.Fatal(err)
	}
	return token
}

// TestQuota: what is full takes no more, also after a restart; what has failed or expired makes room.
func TestQuota(t *testing.T) {
	t.Parallel()
	clock := relaytest.NewClock(time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC))
	config := mediafolder.Config{Path: filepath.Join(t.TempDir(), "media"), Quota: 25, Now: clock.Now}
	folder := open(t, config)
	put(t, folder, clock.Now().Add(time.Minute))
	last := put(t, folder, clock.Now().Add(time.Hour))
	item := media.Item{Token: media.NewToken(), ContentType: "image/png", Size: 5, ExpiresAt: clock.Now().Add(time.Hour)}
	if err := folder.Put(t.Context(), item, bytes.NewReader(make([]byte, 4))); !errors.Is(err, media.ErrCutShort) {
		t.Fatalf("half an attachment: error %v", err)
	}
	full := item
	full.Token, full.Size = media.NewToken(), 6
	for _, folder := range []*mediafolder.Folder{folder, open(t, config)} {
		if err := folder.Put(t.Context(), full, bytes.NewReader(make([]byte, 6))); fault.Of(err).Kind != fault.Quota {
			t.Errorf("a full folder: error %v, want kind quota", err)
		}
	}
	clock.Advance(time.Minute)
	if removed, err := folder.Sweep(t.Context()); removed != 1 || err != nil {
		t.Errorf("Sweep removed %d, error %v; want 1", removed, err)
	}
	if _, err := folder.Look(t.Context(), last); err != nil {
		t.Errorf("what has not expired: %v", err)
	}
	if err := folder.Put(t.Context(), full, bytes.NewReader(make([]byte, 6))); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

// TestSweepOfWhatACrashLeft: a file that was being written goes after an hour; what is not the relay's stays.
func TestSweepOfWhatACrashLeft(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	clock := relaytest.NewClock(time.Now())
	folder := open(t, mediafolder.Config{Path: path, Now: clock.Now})
	for _, name := range []string{".new-123", "README"} {
		if err := os.WriteFile(filepath.Join(path, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []int{2, 1} {
		if _, err := folder.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(path); err != nil || len(left) != want {
			t.Errorf("%d files are left, error %v; want %d", len(left), err, want)
		}
		clock.Advance(2 * time.Hour)
	}
}

// TestPutThatTheDiskRefuses: the trouble is the disk's, not the content's, and nothing is left.
func TestPutThatTheDiskRefuses(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	now := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	folder := open(t, mediafolder.Config{
		Path: path, Quota: 10, Now: func() time.Time { return now },
		Disk: durable.Disk{Sync: func(*os.File) error { return errors.New("no space left on device") }},
	})
	item := media.Item{Token: media.NewToken(), ContentType: "image/png", Size: 10, ExpiresAt: now.Add(time.Hour)}
	for range 2 {
		if err := folder.Put(t.Context(), item, bytes.NewReader(make([]byte, 10))); fault.Of(err).Kind != fault.Transient {
			t.Errorf("error %v, want a transient one", err)
		}
	}
	if left, err := os.ReadDir(path); err != nil || len(left) != 0 {
		t.Errorf("%d files are left, error %v", len(left), err)
	}
}

// TestFileMode: pictures of customers are for the relay's user only.
func TestFileMode(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "media")
	folder := open(t, mediafolder.Config{Path: path, Now: time.Now})
	token := put(t, folder, time.Now().Add(time.Hour))
	if info, err := os.Stat(filepath.Join(path, string(token))); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder's mode %v, error %v", info.Mode(), err)
	}
}
