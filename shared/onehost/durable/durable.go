// Package durable writes files that are still there, and whole, after a power cut. It is not for the database's own file, which
// SQLite looks after.
package durable

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
)

// Disk is where files are made durable. The zero value is this machine's disk.
type Disk struct {
	// Sync waits until an open file, or folder, is on the disk; nil is the file's own Sync. Tests count here what is synced.
	Sync func(file *os.File) error
}

// SyncFile waits until what was written to the file is on the disk.
func (d Disk) SyncFile(file *os.File) error {
	if d.Sync == nil {
		return file.Sync()
	}
	return d.Sync(file)
}

// SyncFolder waits until the names in the folder are on the disk: a synced file without a name is lost all the same. Windows cannot
// sync a folder, and need not.
func (d Disk) SyncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path) //nolint:gosec // The path is the operator's own setting.
	if err != nil {
		return err
	}
	return errors.Join(d.SyncFile(folder), folder.Close())
}

// WriteFile writes a file whole, or not at all, for its owner's eyes alone (mode 0600), and makes its folders (0700) where they are
// missing. Once it has returned nil, the file stays. An error leaves what was there before.
func (d Disk) WriteFile(path string, content []byte) error {
	if err := d.MakeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	if err := d.replace(path, content); err != nil {
		return err
	}
	return d.SyncFolder(filepath.Dir(path))
}

// MakeFolder makes a folder, and those on the way to it, where they are missing, for their owner alone (mode 0700). Once it has
// returned nil, they stay.
func (d Disk) MakeFolder(path string) error {
	_, err := os.Stat(path)
	if !errors.Is(err, os.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(path)
	if err := d.MakeFolder(parent); err != nil {
		return err
	}
	if err := os.Mkdir(path, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return d.SyncFolder(parent)
}

// replace writes the file next to its place and moves it there.
func (d Disk) replace(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*") // It is made with mode 0600.
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = d.SyncFile(file)
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Rename(file.Name(), path)
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
	return err
}
