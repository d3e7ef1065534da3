//go:build linux || darwin || freebsd

package datafolder

import "syscall"

// Space returns how many bytes are free for this user on a folder's disk, and how many it has.
func Space(folder string) (free, total uint64, err error) {
	var found syscall.Statfs_t
	if err := syscall.Statfs(folder, &found); err != nil {
		return 0, 0, err
	}
	size := uint64(found.Bsize)                                  //nolint:gosec,unconvert // it is positive, and of another type elsewhere.
	return uint64(found.Bavail) * size, found.Blocks * size, nil //nolint:unconvert // it is signed elsewhere.
}
