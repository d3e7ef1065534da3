package replica

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"

	"github.com/benbjohnson/litestream"
	"github.com/superfly/ltx"
)

// continued says whether the log, which Litestream holds now, has or had everything that came after what was read last before that. It had
// not if something was folded that nobody read, and the log began anew: while the place was away at a start, or by a command. Litestream
// 0.5.18 does not see that while the new log is still short: it goes on with that, and the copy is damaged. It does see it if the log was
// cut to nothing.
func continued(logPath string, last ltx.Header) (bool, error) {
	log, err := os.Open(logPath) //nolint:gosec // the path is the operator's own setting.
	if err != nil {
		return false, notThere(err)
	}
	defer log.Close() //nolint:errcheck // it is only read.
	now, err := saltsAt(log, 16)
	if err != nil {
		return false, notThere(err)
	}
	was := salts{last.WALSalt1, last.WALSalt2}
	if now == was {
		return true, nil
	}
	// Each log that begins in the place of another counts up its first salt. If this one is not the next, there was another between.
	if now[0] != was[0]+1 {
		return false, nil
	}
	// What lies behind the last frame that was read is of an older log, unless more frames followed.
	next, err := saltsAt(log, last.WALOffset+last.WALSize+8)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true, nil
	}
	return next != was, err
}

// lastRead is the head of what was read last.
func lastRead(db *litestream.DB) (head ltx.Header, found bool, err error) {
	at, err := db.Pos()
	if err != nil || at.TXID == 0 {
		return ltx.Header{}, false, err
	}
	file, err := os.Open(db.LTXPath(0, at.TXID, at.TXID))
	if err != nil {
		return ltx.Header{}, false, notThere(err)
	}
	defer file.Close()                  //nolint:errcheck // it is only read.
	head, _, err = ltx.PeekHeader(file) // If something is wrong with it, Litestream says what.
	return head, err == nil, nil
}

// salts tell the frames of one log from those of the others that were in the same file.
type salts [2]uint32

// saltsAt reads the salts at an offset, 16 in the head of a log and 8 in that of a frame, see https://sqlite.org/walformat.html.
func saltsAt(log io.ReaderAt, offset int64) (s salts, err error) {
	var raw [8]byte
	if _, err := log.ReadAt(raw[:], offset); err != nil {
		return s, err
	}
	return salts{binary.BigEndian.Uint32(raw[:]), binary.BigEndian.Uint32(raw[4:])}, nil
}

// notThere forgives that something is missing or too short.
func notThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return err
}
