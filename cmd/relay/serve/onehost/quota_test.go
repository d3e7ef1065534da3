package onehost

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/shared/media"
)

// TestQuotaIsTold: once when it is near, and once when it is reached; a size that is not known changes nothing.
func TestQuotaIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		used := []int64{700_000_000, 800_000_000, 900_000_000, -1, 1_000_000_000, 1_100_000_000, 100_000_000, 900_000_000}
		q := &quota{limit: 1_000_000_000, logger: slog.New(slog.NewTextHandler(&log, nil)), used: func() (int64, error) {
			now := used[0]
			used = used[1:]
			if now < 0 {
				return 0, errors.New("disk away")
			}
			return now, nil
		}}
		ctx, stop := context.WithTimeout(t.Context(), 7*quotaInterval+time.Second)
		defer stop()
		if err := q.run(ctx); err != nil {
			t.Error(err)
		}
		text := log.String()
		if strings.Count(text, "near its quota") != 2 || strings.Count(text, "reached its quota") != 1 || strings.Count(text, "disk away") != 1 {
			t.Errorf("log:\n%s", text)
		}
		if level, words := q.state(); level != 1 || words != "the data folder has 900 MB of the 1000 MB of RELAY_DISK_QUOTA" {
			t.Errorf("level %d, %s", level, words)
		}
	})
}

// TestFindingOfTheQuota: the quota is another cause of the finding of the disk, and the worse of the two is told.
func TestFindingOfTheQuota(t *testing.T) {
	r, _ := openedFindings(t)
	const giga = 1 << 30
	free := uint64(50 * giga)
	r.findings.space = func(string) (uint64, uint64, error) { return free, 100 * giga, nil }
	r.findings.quota = &quota{limit: 1_000_000_000}
	for _, tt := range []struct {
		used int64
		free uint64
		want int
		says string
	}{
		{100_000_000, 50 * giga, 0, ""},
		{850_000_000, 50 * giga, 1, "the data folder is near its quota\nThe data folder has 850 MB of the 1000 MB of RELAY_DISK_QUOTA."},
		{1_000_000_000, 50 * giga, 2, "the data folder has reached its quota\nThe data folder has 1000 MB of the 1000 MB of RELAY_DISK_QUOTA."},
		{850_000_000, giga, 2, "the disk of the data folder is almost full"},
	} {
		free = tt.free
		r.findings.quota.bytes.Store(tt.used)
		wantFinding(t, r, "a quota", kindDisk, tt.want, tt.says)
	}
}

// TestQuotaCountsTheFolder has attachments, the database and the audit log.
func TestQuotaCountsTheFolder(t *testing.T) {
	r, _ := openedFindings(t)
	before, err := r.newQuota().used()
	if err != nil || before < 50_000 {
		t.Errorf("%d bytes, error %v", before, err)
	}
	item := media.Item{Token: media.NewToken(), ContentType: "image/jpeg", Size: 100_000, Name: "a.jpg", ExpiresAt: time.Now().Add(time.Hour)}
	if err := r.media.Put(t.Context(), item, bytes.NewReader(make([]byte, item.Size))); err != nil {
		t.Fatal(err)
	}
	if after, err := r.newQuota().used(); err != nil || after-before < 100_000 || after-before > 150_000 {
		t.Errorf("%d bytes more, error %v", after-before, err)
	}
}
