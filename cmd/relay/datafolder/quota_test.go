package datafolder

import (
	"os"
	"path/filepath"
	"testing"
)

func TestParseQuota(t *testing.T) {
	for text, want := range map[string]Quota{
		"": 0, "500MB": 500_000_000, "20GB": 20_000_000_000, "20 GB": 20_000_000_000, "1TB": 1_000_000_000_000,
		"99MB": -1, "20": -1, "GB": -1, "-5GB": -1, "0GB": -1, "1.5GB": -1, "20gb": -1, "99999999999TB": -1,
	} {
		if got, err := ParseQuota(text); (err != nil) != (want < 0) || err == nil && got != want {
			t.Errorf("%q: %d, error %v; want %d", text, got, err, want)
		}
	}
}

func TestQuotaFullness(t *testing.T) {
	const quota = Quota(1_000_000_000)
	for used, want := range map[int64]int{0: 0, 799_999_999: 0, 800_000_000: 1, 999_999_999: 1, 1_000_000_000: 2, 5_000_000_000: 2} {
		if got := quota.Fullness(used); got != want {
			t.Errorf("%d bytes: %d, want %d", used, got, want)
		}
	}
	if got := Quota(0).Fullness(1 << 50); got != 0 {
		t.Errorf("without a quota: %d", got)
	}
}

func TestUsed(t *testing.T) {
	folder := t.TempDir()
	for name, size := range map[string]int{"relay.db": 1000, "media/a": 200, "before-upgrade/b": 30, "certificates/acme/c": 4} {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for without, want := range map[string]int64{"": 1234, MediaFolder: 1034} {
		if got, err := Used(folder, without); err != nil || got != want {
			t.Errorf("without %q: %d bytes, error %v; want %d", without, got, err, want)
		}
	}
	if _, err := Used(filepath.Join(folder, "missing"), ""); err == nil {
		t.Error("a folder that is missing has a size")
	}
}
