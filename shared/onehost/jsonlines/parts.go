package jsonlines

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"hash/crc32"
	"io"
	"slices"
)

// parts is what a Trail remembers of a segment, so that the next text is found without reading all of it: which texts have entries in which
// part. It takes 4 bytes for a text in a part, so about half a megabyte for 256 MiB.
type parts struct {
	// begin is where the first of all begins. What comes after the last is not known.
	begin int64
	all   []part
	// size is what the file had when it was last searched. One that has become smaller has lost some of it.
	size int64
}

// part is some of a segment's lines.
type part struct {
	begin, end int64
	// texts are the hashes of those that have entries in it, sorted.
	texts []uint32
	// isOdd means that it has a line that may be about any text.
	isOdd bool
}

// hashOf may be the same for two texts: then a part is read in vain.
func hashOf(messageSid []byte) uint32 { return crc32.ChecksumIEEE(messageSid) }

// end is where what is known ends.
func (p *parts) end() int64 {
	if len(p.all) == 0 {
		return p.begin
	}
	return p.all[len(p.all)-1].end
}

// learn reads the lines that come after what is known, and makes parts of them that have size bytes or a little more. Those that are left
// over at the end make no part, unless the segment is closed.
func (p *parts) learn(ctx context.Context, content io.Reader, size int64, isClosed bool) error {
	lines := bufio.NewReaderSize(content, 64<<10)
	at := p.end()
	for next := (part{begin: at}); ctx.Err() == nil; {
		line, err := lines.ReadSlice('\n')
		at += int64(len(line))
		next.note(line, err)
		ended := errors.Is(err, io.EOF)
		if err == nil && at-next.begin >= size || ended && isClosed && at > next.begin {
			p.all = append(p.all, next.to(at))
			next = part{begin: at}
		}
		if ended {
			return nil
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
	return ctx.Err()
}

// sidField is how an entry says which text it is about.
const sidField = `"message_sid"`

// note takes up which text a line is about.
func (p *part) note(line []byte, err error) {
	if errors.Is(err, bufio.ErrBufferFull) {
		p.isOdd = true // The field may be in two pieces.
	}
	for {
		_, rest, ok := bytes.Cut(line, []byte(sidField))
		if !ok {
			return
		}
		sid, isPlain := bytes.CutPrefix(rest, []byte(`:"`))
		sid, _, isWhole := bytes.Cut(sid, []byte(`"`))
		if isPlain && isWhole && bytes.IndexByte(sid, '\\') < 0 {
			p.texts = append(p.texts, hashOf(sid))
		} else {
			p.isOdd = true
		}
		line = rest
	}
}

// to returns the part that ends there.
func (p part) to(end int64) part {
	slices.Sort(p.texts)
	p.end, p.texts = end, slices.Clip(slices.Compact(p.texts))
	return p
}

// has reports whether there may be entries of a text in the part.
func (p *part) has(text uint32) bool {
	_, found := slices.BinarySearch(p.texts, text)
	return found || p.isOdd
}
