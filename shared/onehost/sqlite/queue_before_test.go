package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/queue"
)

// A message that belongs before younger ones of its group is received before them, but not before older ones, nor before one that
// somebody works on; and a repeat changes nothing.
func TestSendBefore(t *testing.T) {
	now := time.Date(2026, 11, 30, 6, 0, 0, 0, time.UTC)
	db := openAt(t, filepath.Join(t.TempDir(), "relay.db"), func() time.Time { return now })
	q := db.Queue("inbox", QueueConfig{})
	message := func(group, body string) queue.Outgoing {
		return queue.Outgoing{Group: group, DeduplicationID: strings.ReplaceAll(body, " ", "-"), Body: body}
	}
	send := func(group, body string) {
		t.Helper()
		if err := q.Send(t.Context(), message(group, body)); err != nil {
			t.Fatal(err)
		}
	}
	send("a", "old")
	send("b", "worked on")
	if got := receive(t, q, 10, 0, time.Hour, "old", "worked on"); len(got) == 2 {
		again := []queue.Visibility{{ReceiptHandle: got[0].ReceiptHandle}}
		if err := q.ChangeVisibility(t.Context(), again); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(time.Minute)
	started := now
	for _, body := range []string{"new 1", "new 2"} {
		send("a", body)
	}
	for _, body := range []string{"found 1", "found 2", "found 1"} {
		if err := q.SendBefore(t.Context(), message("a", body), started); err != nil {
			t.Fatal(err)
		}
	}
	if err := q.SendBefore(t.Context(), message("b", "behind what is worked on"), started); err != nil {
		t.Fatal(err)
	}
	receive(t, q, 10, 0, time.Hour, "old", "found 1", "found 2", "new 1", "new 2")
	visible, inFlight, _, err := q.Depth(t.Context())
	if err != nil || visible != 1 || inFlight != 6 {
		t.Errorf("%d messages wait and %d are in flight, error %v, want 1 and 6", visible, inFlight, err)
	}
}
