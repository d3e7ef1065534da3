//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package datafolder

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// GiveToOwner gives everything in a part of the data folder, or in the whole of it, to the owner of the data folder, if root made it: the
// relay runs as another user.
func GiveToOwner(data, part string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	// systemd's folder of a state may be a link.
	folder, err := filepath.EvalSymlinks(data)
	if err != nil {
		return err
	}
	if part == data {
		part = folder
	}
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return filepath.WalkDir(part, func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = os.Lchown(path, int(owner.Uid), int(owner.Gid)) //nolint:gosec // nobody but root and the relay uses the folder.
		}
		if err != nil {
			return fmt.Errorf("give the files to the data folder's owner: %w", err)
		}
		return nil
	})
}
