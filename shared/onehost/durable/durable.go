// Package durable writes files that survive a power cut whole. It is not for the database's own file: SQLite does that itself.
package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
)

// Disk is where files are made durable. The zero value is this machine's disk.
type Disk struct {
	// Sync waits until an open file, or folder, is on the disk; nil means the file's own Sync. Tests use it to count what is
	// synced.
	Sync func(file *os.File) error
}

// syncFile waits until what was written to the file is on the disk.
func (d Disk) syncFile(file *os.File) error {
	if d.Sync == nil {
		return file.Sync()
	}
	return d.Sync(file)
}

// SyncFolder waits until the names in the folder are on the disk: a synced file without a name is still lost. Windows cannot
// sync a folder, and need not.
func (d Disk) SyncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path) //nolint:gosec // The path is the operator's own setting.
	if err != nil {
		return err
	}
	return errors.Join(d.syncFile(folder), folder.Close())
}

// WriteFile writes a file whole or not at all, readable by its owner only (mode 0600), and creates missing folders (0700).
// Once it has returned nil, the file survives a power cut. After an error the old file is still there.
func (d Disk) WriteFile(path string, content []byte) error {
	return d.Write(path, func(file io.Writer) error {
		_, err := file.Write(content)
		return err
	})
}

// Write is WriteFile for content that is not in memory: write writes it. An error of write's is returned as it is.
func (d Disk) Write(path string, write func(file io.Writer) error) error {
	if err := d.MakeFolder(filepath.Dir(path)); err != nil {
		return err
	}
	if err := d.replace(path, write); err != nil {
		return err
	}
	return d.SyncFolder(filepath.Dir(path))
}

// Place gives a finished file of the same folder its name. Once it has returned nil, the file survives a power cut under that name.
func (d Disk) Place(unfinished, path string) error {
	file, err := os.OpenFile(unfinished, os.O_RDWR, 0) //nolint:gosec // The path is the operator's own setting.
	if err != nil {
		return err
	}
	if err := errors.Join(d.syncFile(file), file.Close()); err != nil {
		return err
	}
	if err := os.Rename(unfinished, path); err != nil {
		return err
	}
	return d.SyncFolder(filepath.Dir(path))
}

// IsUnfinished reports whether a file of that name is one that was being written when its process ended.
func IsUnfinished(name string) bool {
	matched, err := filepath.Match(unfinished, name)
	return matched && err == nil
}

// unfinished is the pattern of the names of files that are being written.
const unfinished = ".new-*"

// MakeFolder creates a folder and its missing parents, for their owner only (mode 0700). Once it has returned nil, they
// survive a power cut.
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
func (d Disk) replace(path string, write func(file io.Writer) error) error {
	file, err := os.CreateTemp(filepath.Dir(path), unfinished) // It is made with mode 0600.
	if err != nil {
		return err
	}
	err = write(file)
	if err == nil {
		err = d.syncFile(file)
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
