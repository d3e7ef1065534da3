package unused

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// giveBackProgram gives back the pages of the program's own file.
func giveBackProgram() error {
	program, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	maps, err := os.Open("/proc/self/smaps")
	if err != nil {
		return err
	}
	defer maps.Close() //nolint:errcheck // it was only read.
	found, err := unchanged(maps, program)
	for _, p := range found {
		if _, _, code := unix.Syscall(unix.SYS_MADVISE, p.from, p.to-p.from, unix.MADV_DONTNEED); code != 0 {
			err = errors.Join(err, code)
		}
	}
	return err
}

// part is a part of a file in memory, from one address to another.
type part struct{ from, to uintptr }

// unchanged finds in what /proc/self/smaps says the parts of a file that nothing was ever written to: only they can be read from the file
// again. A program whose addresses are chosen at its start was written to, and so was one that a debugger stops.
func unchanged(maps io.Reader, file string) (found []part, err error) {
	var p part
	isFile := false
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		line := lines.Text()
		var from, to uintptr
		var mode string
		if n, _ := fmt.Sscanf(line, "%x-%x %4s", &from, &to, &mode); n == 3 {
			p, isFile = part{from, to}, mode[1] == '-' && strings.HasSuffix(line, " "+file)
		}
		if isFile && strings.HasPrefix(line, "Anonymous:") && strings.Fields(line)[1] == "0" {
			found = append(found, p)
		}
	}
	return found, lines.Err()
}
