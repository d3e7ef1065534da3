//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package signin

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// ownedAsFolder gives a folder and a file in it to the owner of the data folder around them, if root made them: the relay runs as another
// user.
func ownedAsFolder(folder, file string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(filepath.Dir(folder))
	if err != nil {
		return err
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	for _, path := range []string{folder, file} {
		if err := os.Lchown(path, int(owner.Uid), int(owner.Gid)); err != nil {
			return fmt.Errorf("give the user's file to the folder's owner: %w", err)
		}
	}
	return nil
}
