//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package backups

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// ownedAsFolder gives everything in the folder to the folder's owner, if root restored it: the relay runs as another user.
func ownedAsFolder(folder string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	// systemd's folder of a state may be a link.
	folder, err := filepath.EvalSymlinks(folder)
	if err != nil {
		return err
	}
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(path, int(owner.Uid), int(owner.Gid)) //nolint:gosec // nobody else uses the folder yet.
		}
		if err != nil {
			return fmt.Errorf("give the files to the folder's owner: %w", err)
		}
		return nil
	})
}
