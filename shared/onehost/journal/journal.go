// Package journal writes the relay's log to systemd's journal in the journal's own fields: each attribute of a line becomes a field, so
// that `journalctl MESSAGE_SID=SM…` finds a text's lines. It speaks the journal's native protocol, one datagram a line, and nothing else of
// systemd's. It does not read the journal.
package journal

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"

	"quickdumpnow.com/smsrelay/shared/inert"
)

// Socket is where journald takes datagrams.
const Socket = "/run/systemd/journal/socket"

// identifier is the name that journalctl shows in front of each line.
const identifier = "sms-relay"

// Leads reports whether a file's content goes to the journal: stream is what systemd set as JOURNAL_STREAM, the device and the inode of
// the standard error that it made, as decimal numbers with a colon between them.
func Leads(stream string, file *os.File) bool {
	device, inode, ok := identity(file)
	return ok && stream == fmt.Sprintf("%d:%d", device, inode)
}

// Handler is a slog.Handler that writes to the journal.
type Handler struct {
	conn  *net.UnixConn
	rest  slog.Handler
	attrs []slog.Attr
}

// Open returns a handler that writes to journald at the socket. What journald does not take, such as a line that is too long for a
// datagram, goes to rest: nothing is lost without a word.
func Open(socket string, rest slog.Handler) (*Handler, error) {
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	return &Handler{conn: conn, rest: rest}, nil
}

// Enabled shows lines from Info up.
func (h *Handler) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle writes one line.
func (h *Handler) Handle(ctx context.Context, record slog.Record) error {
	var fields bytes.Buffer
	words := strings.Builder{}
	words.WriteString(inert.Line(record.Message))
	add := func(attr slog.Attr) bool {
		addAttr(&fields, &words, "", attr)
		return true
	}
	for _, attr := range h.attrs {
		add(attr)
	}
	record.Attrs(add)
	addField(&fields, "MESSAGE", words.String())
	addField(&fields, "PRIORITY", priority(record.Level))
	addField(&fields, "SYSLOG_IDENTIFIER", identifier)
	if _, err := h.conn.Write(fields.Bytes()); err != nil {
		return h.rest.Handle(ctx, record)
	}
	return nil
}

// WithAttrs returns a handler that adds attrs to each line.
func (h *Handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return &Handler{conn: h.conn, rest: h.rest.WithAttrs(attrs), attrs: append(append([]slog.Attr{}, h.attrs...), attrs...)}
}

// WithGroup returns the handler itself: the relay's logs have no groups.
func (h *Handler) WithGroup(string) slog.Handler { return h }

// priority is a level as syslog has it.
func priority(level slog.Level) string {
	switch {
	case level >= slog.LevelError:
		return "3"
	case level >= slog.LevelWarn:
		return "4"
	case level >= slog.LevelInfo:
		return "6"
	default:
		return "7"
	}
}

// addAttr adds an attribute as a field, and to the words that journalctl shows: what is empty or zero it leaves out of the words.
func addAttr(fields *bytes.Buffer, words *strings.Builder, prefix string, attr slog.Attr) {
	value := attr.Value.Resolve()
	if value.Kind() == slog.KindGroup {
		for _, one := range value.Group() {
			addAttr(fields, words, prefix+attr.Key+"_", one)
		}
		return
	}
	key, text := prefix+attr.Key, value.String()
	addField(fields, fieldName(key), text)
	if text == "" || text == "0" {
		return
	}
	if strings.ContainsAny(text, " \"") || inert.Line(text) != text {
		fmt.Fprintf(words, " %s=%q", key, text)
		return
	}
	fmt.Fprintf(words, " %s=%s", key, text)
}

// fieldName writes a key as the journal has names: capital letters, digits and underscores, beginning with a letter. The journal's own
// names get RELAY_ in front.
func fieldName(key string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z':
			return r - 'a' + 'A'
		case r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
			return r
		default:
			return '_'
		}
	}, key)
	const longest = 58
	if name = name[:min(len(name), longest)]; name == "" || name[0] < 'A' || name[0] > 'Z' {
		return "RELAY_" + name
	}
	switch name {
	case "MESSAGE", "MESSAGE_ID", "PRIORITY", "SYSLOG_IDENTIFIER", "UNIT", "CODE_FILE", "CODE_LINE", "CODE_FUNC", "ERRNO", "INVOCATION_ID":
		return "RELAY_" + name
	}
	return name
}

// addField writes a field: NAME=value and a newline; a value of several lines has its length in front.
func addField(fields *bytes.Buffer, name, value string) {
	fields.WriteString(name)
	if !strings.Contains(value, "\n") {
		fields.WriteByte('=')
		_, _ = io.WriteString(fields, value)
		fields.WriteByte('\n')
		return
	}
	fields.WriteByte('\n')
	var size [8]byte
	binary.LittleEndian.PutUint64(size[:], uint64(len(value)))
	fields.Write(size[:])
	_, _ = io.WriteString(fields, value)
	fields.WriteByte('\n')
}
