package durable_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

// watched is a disk that writes down what is synced: a file that is not in its place yet as "new".
func watched(folder string) (disk durable.Disk, synced *[]string) {
	synced = &[]string{}
	return durable.Disk{Sync: func(file *os.File) error {
		name, err := filepath.Rel(folder, file.Name())
		if matched, _ := filepath.Match(".new-*", filepath.Base(name)); matched {
			name = "new"
		}
		*synced = append(*synced, filepath.ToSlash(name))
		return errors.Join(err, file.Sync())
	}}, synced
}

// TestWriteFile: the words are synced before they get their name, and every folder that has got a new name is, too.
func TestWriteFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	disk, synced := watched(folder)
	path := filepath.Join(folder, "a", "b", "file")
	if err := disk.WriteFile(path, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{".", "a", "new", "a/b"}, *synced); diff != "" {
		t.Errorf("synced for the first file (-want +got):\n%s", diff)
	}
	*synced = nil
	if err := disk.WriteFile(path, []byte("second")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"new", "a/b"}, *synced); diff != "" {
		t.Errorf("synced for the second (-want +got):\n%s", diff)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "second" {
		t.Errorf("the file holds %q, %v", got, err)
	}
	for name, want := range map[string]os.FileMode{"a": 0o700, "a/b": 0o700, "a/b/file": 0o600} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, %v; want %v", name, info.Mode().Perm(), err, want)
		}
	}
}

// TestWriteFileThatFails leaves what was there, and nothing else.
func TestWriteFileThatFails(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	if err := (durable.Disk{}).WriteFile(path, []byte("first")); err != nil {
		t.Fatal(err)
	}
	full := durable.Disk{Sync: func(*os.File) error { return errors.New("no space left on device") }}
	if err := full.WriteFile(path, []byte("second")); err == nil {
		t.Error("what could not be synced is said to be written")
	}
	entries, err := os.ReadDir(folder)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files in the folder, %v", len(entries), err)
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != "first" {
		t.Errorf("the file holds %q, %v", got, err)
	}
}
