package secrets_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/shared/aws/secrets"
	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// vault is a secret that may change, and how often it was read.
type vault struct {
	mu     sync.Mutex
	secret string
	err    error
	reads  int
}

func (v *vault) read(context.Context) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.reads++
	return v.secret, v.err
}

func same(a, b string) bool { return a == b }

func keep(t *testing.T, v *vault, logged *bytes.Buffer) *secrets.Kept[string] {
	t.Helper()
	k, err := secrets.Keep(t.Context(), v.read, v.read, same, time.Now, slog.New(slog.NewTextHandler(logged, nil)))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeptSecretIsReadAgainWhenItIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		v := &vault{secret: "old-secret"}
		k := keep(t, v, &logged)
		if value, generation := k.Value(); value != "old-secret" || generation != 0 {
			t.Errorf("value %q of generation %d", value, generation)
		}
		// A minute before it changes, somebody sends a forgery.
		if _, _, changed := k.Renew(t.Context(), 0); changed || v.reads != 2 {
			t.Errorf("changed %v after %d reads", changed, v.reads)
		}
		v.secret = "new-secret"
		if _, _, changed := k.Renew(t.Context(), 0); changed || v.reads != 2 {
			t.Errorf("within a minute: changed %v after %d reads", changed, v.reads)
		}
		time.Sleep(time.Minute)
		value, later, changed := k.Renew(t.Context(), 0)
		if value != "new-secret" || later != 1 || !changed || v.reads != 3 {
			t.Errorf("value %q of generation %d, changed %v, after %d reads", value, later, changed, v.reads)
		}
		if value, _, changed := k.Renew(t.Context(), 0); value != "new-secret" || !changed || v.reads != 3 {
			t.Error("someone who still has the old one has to read for himself")
		}
		if strings.Contains(logged.String(), "-secret") {
			t.Errorf("the log shows a secret: %s", &logged)
		}
	})
}

// TestManyFindASecretWrong at once: one reads, and all have what it read.
// The pause between two readings is over when wall time says so, and when the clock was set back since.
func TestKeptSecretGoesByWallTime(t *testing.T) {
	for name, passed := range map[string]time.Duration{"frozen": time.Minute, "set back": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			read := relaytest.NewFrozenClock(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
			v := &vault{secret: "old-secret"}
			k, err := secrets.Keep(t.Context(), v.read, v.read, same, clock.Of(read.Now), slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			k.Renew(t.Context(), 0)
			read.Freeze(passed)
			v.secret = "new-secret"
			if value, _, changed := k.Renew(t.Context(), 0); !changed || value != "new-secret" {
				t.Errorf("value %q, changed %v, after %d reads", value, changed, v.reads)
			}
		})
	}
}

func TestManyFindASecretWrong(t *testing.T) {
	v := &vault{secret: "old"}
	k := keep(t, v, &bytes.Buffer{})
	v.secret = "new"
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if value, _, changed := k.Renew(t.Context(), 0); value != "new" || !changed {
				t.Errorf("value %q, changed %v", value, changed)
			}
		})
	}
	all.Wait()
	if v.reads != 2 {
		t.Errorf("%d reads, want one at the start and one for all", v.reads)
	}
}

func TestKeptSecretThatCannotBeRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := &vault{err: errors.New("forbidden")}
		if _, err := secrets.Keep(t.Context(), v.read, v.read, same, time.Now, slog.New(slog.DiscardHandler)); err == nil {
			t.Error("a secret that could not be read at the start is kept")
		}
		var logged bytes.Buffer
		v.secret, v.err = "old", nil
		k := keep(t, v, &logged)
		v.err = errors.New("throttled")
		if value, _, changed := k.Renew(t.Context(), 0); value != "old" || changed || !strings.Contains(logged.String(), "throttled") {
			t.Errorf("value %q, changed %v, logged %s", value, changed, &logged)
		}
		// The next forgery within the minute reads nothing, though the last reading has failed.
		reads := v.reads
		v.secret, v.err = "new", nil
		if value, _, changed := k.Renew(t.Context(), 0); value != "old" || changed || v.reads != reads {
			t.Errorf("value %q, changed %v after %d more readings, want none", value, changed, v.reads-reads)
		}
		time.Sleep(time.Minute)
		if value, _, changed := k.Renew(t.Context(), 0); value != "new" || !changed {
			t.Errorf("a minute later: value %q, changed %v", value, changed)
		}
	})
}
