package onehost

import (
	"os"
	"path/filepath"
	"testing"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

func TestSetAside(t *testing.T) {
	folder := filepath.Join(t.TempDir(), datafolder.AuditFailures)
	synced := 0
	disk := durable.Disk{Sync: func(file *os.File) error {
		synced++
		return file.Sync()
	}}
	keep := setAside(disk, folder)
	for _, content := range []string{"first", "again"} {
		if err := keep(t.Context(), "unreadable/2026/11/26/7.json", []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(folder, "unreadable", "2026", "11", "26", "7.json")
	if got, err := os.ReadFile(path); err != nil || string(got) != "again" {
		t.Errorf("the file holds %q, %v", got, err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v, want it for its owner alone", info.Mode(), err)
	}
	if synced < 4 {
		t.Errorf("%d syncs, want one of each file and one of its folder at least", synced)
	}
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder is %v, %v, want it for its owner alone", info.Mode(), err)
	}
	if left, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %q, %v", left, err)
	}
	if err := os.WriteFile(filepath.Join(folder, "blocked"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := keep(t.Context(), "blocked/7.json", []byte("lost")); err == nil {
		t.Error("a change that could not be kept is said to be")
	}
}
