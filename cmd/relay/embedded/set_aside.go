package embedded

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// AuditFailures is the folder, in the data folder, of changes that no audit entry can be made of.
const AuditFailures = "audit-failures"

// setAside returns a function that keeps such changes in the folder, a file each, for the owner's eyes: they hold what
// customers wrote.
func setAside(folder string) func(ctx context.Context, name string, change []byte) error {
	return func(_ context.Context, name string, change []byte) error {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := writeDurably(path, change); err != nil {
			return fmt.Errorf("set a change aside: %w", err)
		}
		return nil
	}
}

// writeDurably writes a file whole, or not at all.
func writeDurably(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".new-*") // It is made with mode 0600.
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
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
