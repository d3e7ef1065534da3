package unused

import (
	"errors"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
	"modernc.org/libc"
)

// modernc.org/memory, from which SQLite has its memory, takes it from the system in regions, and keeps 4 MB of those that are free again as
// they are: modernc.org/memory v1.12, hotBytes. Those that became free last are used first.
const (
	regionBytes = 64 << 10
	keptRegions = 4 << 20 / regionBytes
	// blockBytes is a block that takes a region of its own: 32 bytes of it are the allocator's.
	blockBytes = regionBytes - 32
)

// giveBackFreed gives back what SQLite once used and does not use any longer: it takes such regions, one block each, gives back the pages
// behind the block's first, and frees them. The allocator never learns of it.
func giveBackFreed() error {
	tls := libc.NewTLS()
	defer tls.Close()
	var blocks []uintptr
	for len(blocks) < keptRegions {
		block := libc.Xmalloc(tls, blockBytes)
		if block == 0 {
			break
		}
		blocks = append(blocks, block)
		if from, _ := pagesOf(block); !isResident(from) {
			// It was given back before, or is new, and so are those below it.
			break
		}
	}
	var failed error
	for _, block := range slices.Backward(blocks) {
		from, to := pagesOf(block)
		if _, _, code := unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED); code != 0 {
			failed = errors.Join(failed, code)
		}
		libc.Xfree(tls, block)
	}
	return failed
}

// pagesOf are the pages that are all the block's own, behind its first.
func pagesOf(block uintptr) (from, to uintptr) {
	page := uintptr(os.Getpagesize())
	return (block + page - 1) &^ (page - 1), (block + blockBytes) &^ (page - 1)
}

// isResident reports whether the page at an address is in memory; if nobody can say, it is.
func isResident(page uintptr) bool {
	var is byte
	_, _, code := unix.Syscall(unix.SYS_MINCORE, page, 1, uintptr(unsafe.Pointer(&is))) //nolint:gosec // one byte, for one page.
	return code != 0 || is&1 != 0
}
