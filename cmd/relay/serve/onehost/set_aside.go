package onehost

import (
	"context"
	"fmt"
	"path/filepath"

	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

// setAside returns a function that keeps such changes in the folder, one file each, readable only by the owner: they contain what
// customers wrote.
func setAside(disk durable.Disk, folder string) func(ctx context.Context, name string, change []byte) error {
	return func(_ context.Context, name string, change []byte) error {
		path := filepath.Join(folder, filepath.FromSlash(name))
		if err := disk.WriteFile(path, change); err != nil {
			return fmt.Errorf("set a change aside: %w", err)
		}
		return nil
	}
}
