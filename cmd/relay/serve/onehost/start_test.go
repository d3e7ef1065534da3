package onehost

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// withDatabase fills a data folder's database before the relay starts.
func withDatabase(t *testing.T, fill func(ctx context.Context, db *sqlite.DB) error) (folder string) {
	t.Helper()
	folder = t.TempDir()
	db, err := sqlite.Open(t.Context(), filepath.Join(folder, datafolder.DatabaseFile), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(fill(t.Context(), db), db.Close()); err != nil {
		t.Fatal(err)
	}
	return folder
}

// eventually waits until check returns nil.
func eventually(t *testing.T, check func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		err := check()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// TestRelayTakesUpWhatWasInFlight when it ended, without waiting for the visibility timeout.
func TestRelayTakesUpWhatWasInFlight(t *testing.T) {
	t.Parallel()
	message := relaytest.Message(1)
	folder := withDatabase(t, func(ctx context.Context, db *sqlite.DB) error {
		text, err := queue.Envelope{
			Version: queue.Version, Kind: queue.KindInbound, RelayID: message.Sid, ReceivedAt: time.Now(), Message: &message,
		}.Outgoing()
		if err != nil {
			return err
		}
		inbox := db.Queue(datafolder.QueueName, datafolder.InboxConfig())
		if err := inbox.Send(ctx, text); err != nil {
			return err
		}
		_, err = inbox.Receive(ctx, 1, 0, time.Hour)
		return err
	})
	r, _ := startedOn(t, folder, nil)
	eventually(t, func() error {
		record, err := r.db.Ledger().Get(t.Context(), message.Sid)
		if err == nil && record.State != ledger.Dropped {
			err = fmt.Errorf("the text is %q", record.State)
		}
		return err
	})
}

// TestRelayForgetsOldRecords: a relay that runs removes what is past its time.
func TestRelayForgetsOldRecords(t *testing.T) {
	t.Parallel()
	r := relaytest.Record(1, time.Now())
	folder := withDatabase(t, func(ctx context.Context, db *sqlite.DB) error {
		// For more than a day, somebody has looked at the clock, and it has not jumped.
		for _, ago := range []time.Duration{26 * time.Hour, 13 * time.Hour, time.Hour} {
			if _, err := db.Expire(ctx, time.Now().Add(-ago)); err != nil {
				return err
			}
		}
		r.ExpiresAt = time.Now().Add(-time.Minute).Unix()
		_, err := db.Ledger().Create(ctx, r)
		return err
	})
	relay, _ := startedOn(t, folder, nil)
	eventually(t, func() error {
		if _, err := relay.db.Ledger().Get(t.Context(), r.MessageSid); !errors.Is(err, ledger.ErrNotFound) {
			return fmt.Errorf("the record is still there: %w", err)
		}
		return nil
	})
}

// TestSlowClientsAreCut: a client that sends a request a byte at a time does not keep a connection.
func TestSlowClientsAreCut(t *testing.T) {
	t.Parallel()
	const short = 300 * time.Millisecond
	r, _ := started(t, func(r *Relay) {
		for name, timeout := range map[string]time.Duration{
			"header": r.door.server.ReadHeaderTimeout, "request": r.door.server.ReadTimeout, "answer": r.door.server.WriteTimeout,
			"idle": r.door.server.IdleTimeout,
		} {
			if timeout <= 0 || timeout > 2*time.Minute {
				t.Errorf("the %s may last %v", name, timeout)
			}
		}
		r.door.server.ReadHeaderTimeout, r.door.server.ReadTimeout = short, short
	})
	for name, begun := range map[string]string{
		"header": "POST /sms/inbound HTTP/1.1\r\nHost: relay\r\nX-Slow: ",
		"body":   "POST /sms/inbound HTTP/1.1\r\nHost: relay\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 60000\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", r.door.listener.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = conn.Close() }()
			if _, err := conn.Write([]byte(begun)); err != nil {
				t.Fatal(err)
			}
			for range 200 {
				if _, err := conn.Write([]byte("x")); err != nil {
					return
				}
				time.Sleep(short / 3)
			}
			t.Error("20 s later it still sends")
		})
	}
}
