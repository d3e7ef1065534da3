package jsonlines

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
)

// maxLine is longer than any line of either set's log.
const maxLine = 4 << 20

var errTooLong = errors.New("it is longer than any line of an audit log")

// Scanner reads the lines of a log one after another: a log that Log writes, or entries, one in each line, also with a time
// before them, as CloudWatch Logs exports them; also compressed with gzip. It ignores a byte order mark and empty lines. A
// last line without a newline is a normal line, unless its end is missing: then it is torn.
type Scanner struct {
	lines *bufio.Reader
	// number is the number of the last line read. rest is what was read of a line without a newline: asked bytes of it were
	// checked, and given were returned as a line.
	number       int
	rest         []byte
	asked, given int
	// containing, if not empty, is what lines have to contain that are wanted: it costs less to look for than a line to read.
	containing []byte
}

// NewScanner returns a Scanner of the file's content. The error is from a damaged gzip file.
func NewScanner(file io.Reader) (*Scanner, error) {
	lines := bufio.NewReader(file)
	if magic, _ := lines.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unpacked, err := gzip.NewReader(lines)
		if err != nil {
			return nil, fmt.Errorf("line 1: %w", err)
		}
		lines = bufio.NewReader(unpacked)
	}
	if mark, _ := lines.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = lines.Discard(len(byteOrderMark))
	}
	return &Scanner{lines: lines}, nil
}

const byteOrderMark = "\ufeff"

// IsLog reports whether the next line is as Log writes it.
func (s *Scanner) IsLog() bool {
	begins, _ := s.lines.Peek(len(timeField))
	return string(begins) == timeField
}

// Next returns the next line, with its number. A line in none of the known forms is returned as it is, without a time. The
// error is io.EOF at the end, also after a torn line, which is returned once. If the file grows, Next may be called again
// after that.
func (s *Scanner) Next() (auditlog.Line, error) {
	for {
		text, err := s.text()
		ended := errors.Is(err, io.EOF)
		if err != nil && !ended || ended && text == nil {
			return auditlog.Line{}, err
		}
		if text = bytes.TrimSuffix(text, []byte("\r")); len(bytes.TrimSpace(text)) == 0 || !bytes.Contains(text, s.containing) {
			continue
		}
		line := lineOf(text)
		line.Number = s.number
		if ended {
			if line.Torn = isTorn(text, line.Text); !line.Torn {
				s.given = len(s.rest)
			}
		}
		return line, nil
	}
}

// text returns the next line without its newline. With what follows the last newline the error is io.EOF, once; then the text
// is nil.
func (s *Scanner) text() ([]byte, error) {
	for {
		part, err := s.lines.ReadSlice('\n')
		if len(s.rest) == 0 && len(part) > 0 {
			s.number++
		}
		s.rest = append(s.rest, part...)
		switch {
		case len(s.rest) > maxLine:
			return nil, fmt.Errorf("line %d: %w", s.number, errTooLong)
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(s.rest) > s.asked:
			s.asked = len(s.rest)
			return s.rest[s.given:], io.EOF
		case errors.Is(err, io.EOF):
			return nil, io.EOF
		case err != nil:
			return nil, fmt.Errorf("line %d: %w", s.number, err)
		default:
			text := s.rest[s.given : len(s.rest)-1]
			s.rest, s.asked, s.given = nil, 0, 0
			return text, nil
		}
	}
}

// lineOf reads a line in any of the forms.
func lineOf(text []byte) auditlog.Line {
	if line, err := decode(text); err == nil {
		return line
	}
	if stamp, entry, ok := bytes.Cut(text, []byte(" {")); ok {
		if at, err := time.Parse(time.RFC3339, string(stamp)); err == nil {
			return auditlog.Line{Time: at, Text: append([]byte("{"), entry...)}
		}
	}
	return auditlog.Line{Text: bytes.Clone(text)}
}

// isTorn reports whether a last line without a newline is incomplete: JSON that ends too soon, part of its time, or what a
// crash leaves in space not yet written.
func isTorn(text, entry []byte) bool {
	if bytes.HasSuffix(text, []byte{0}) || strings.Trim(string(text), "0123456789-:.+TZ ") == "" {
		return true
	}
	if !bytes.HasPrefix(entry, []byte("{")) {
		return false
	}
	var any json.RawMessage
	return errors.Is(json.NewDecoder(bytes.NewReader(entry)).Decode(&any), io.ErrUnexpectedEOF)
}
