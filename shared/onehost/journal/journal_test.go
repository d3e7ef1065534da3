package journal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// journald is the socket of a journal.
func journald(t *testing.T) (conn *net.UnixConn, path string) {
	t.Helper()
	// The path of a socket is short: that of a test's folder may be too long.
	t.Chdir(t.TempDir())
	path = "socket"
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn, path
}

// entry reads the next datagram as journald does.
func entry(t *testing.T, conn *net.UnixConn) map[string]string {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	buffer := make([]byte, 64<<10)
	n, err := conn.Read(buffer)
	if err != nil {
		t.Fatal(err)
	}
	fields, rest := map[string]string{}, buffer[:n]
	for len(rest) > 0 {
		line, after, ok := bytes.Cut(rest, []byte("\n"))
		if !ok {
			t.Fatalf("the entry breaks off: %q", rest)
		}
		if name, value, short := strings.Cut(string(line), "="); short {
			fields[name], rest = value, after
			continue
		}
		size := binary.LittleEndian.Uint64(after[:8])
		fields[string(line)], rest = string(after[8:8+size]), after[8+size+1:]
	}
	return fields
}

func TestAttributesAreFields(t *testing.T) {
	conn, path := journald(t)
	var rest bytes.Buffer
	h, err := Open(path, slog.NewTextHandler(&rest, nil))
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(h).With(slog.String("function", "sender"))
	for _, tt := range []struct {
		log  func()
		want map[string]string
	}{
		{
			func() {
				logger.Info("text relayed", slog.String("message_sid", "SM1"), slog.Any("customer", sms.PhoneNumber("+13125550147")),
					slog.Int("error_code", 0))
			},
			map[string]string{
				"MESSAGE":  "text relayed function=sender message_sid=SM1 customer=***0147",
				"PRIORITY": "6", "SYSLOG_IDENTIFIER": "sms-relay", "FUNCTION": "sender", "MESSAGE_SID": "SM1", "CUSTOMER": "***0147", "ERROR_CODE": "0",
			},
		},
		{
			func() { logger.Error("webhook not queued", slog.Any("error", errors.New("one\ntwo"))) },
			map[string]string{
				"MESSAGE":  `webhook not queued function=sender error="one\ntwo"`,
				"PRIORITY": "3", "SYSLOG_IDENTIFIER": "sms-relay", "FUNCTION": "sender", "ERROR": "one\ntwo",
			},
		},
		{
			func() {
				logger.Warn("odd", slog.String("message", "m"), slog.String("9lives", "1"), slog.Any("a_b", "x"),
					slog.Group("conversation", slog.String("tag", "A05")))
			},
			map[string]string{
				"MESSAGE":  "odd function=sender message=m 9lives=1 a_b=x conversation_tag=A05",
				"PRIORITY": "4", "SYSLOG_IDENTIFIER": "sms-relay", "FUNCTION": "sender", "RELAY_MESSAGE": "m", "RELAY_9LIVES": "1", "A_B": "x",
				"CONVERSATION_TAG": "A05",
			},
		},
	} {
		tt.log()
		if got := entry(t, conn); !maps.Equal(got, tt.want) {
			t.Errorf("the journal has\n%q, want\n%q", got, tt.want)
		}
	}
	if h.Enabled(context.Background(), slog.LevelDebug) || rest.Len() > 0 {
		t.Errorf("what is for developers is logged, or the journal's lines are written twice: %q", rest.String())
	}
}

// TestWhatTheJournalDoesNotTake is written elsewhere.
func TestWhatTheJournalDoesNotTake(t *testing.T) {
	conn, path := journald(t)
	var rest bytes.Buffer
	h, err := Open(path, slog.NewTextHandler(&rest, nil))
	if err != nil {
		t.Fatal(err)
	}
	logger := slog.New(h).With(slog.String("function", "sender"))
	logger.Info("too long", slog.String("text", strings.Repeat("x", 1<<20)))
	if !strings.Contains(rest.String(), "too long") || !strings.Contains(rest.String(), "function=sender") {
		t.Error("a line that is too long for the journal is lost")
	}
	_ = conn.Close()
	rest.Reset()
	logger.Info("nobody reads this")
	if !strings.Contains(rest.String(), "nobody reads this") {
		t.Error("a line is lost when journald is gone")
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none"), h); err == nil {
		t.Error("a journal that is not there was opened")
	}
}

func TestLeads(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	device, inode, ok := identity(file)
	if !ok {
		t.Skip("files have no inodes here")
	}
	for stream, want := range map[string]bool{
		fmt.Sprintf("%d:%d", device, inode): true, fmt.Sprintf("%d:%d", device, inode+1): false,
		fmt.Sprintf("%d:%d", device+1, inode): false, "": false, ":": false, "x": false,
	} {
		if got := Leads(stream, file); got != want {
			t.Errorf("%q leads to the journal: %v, want %v", stream, got, want)
		}
	}
	if _ = file.Close(); Leads(fmt.Sprintf("%d:%d", device, inode), file) {
		t.Error("a closed file leads to the journal")
	}
}

func TestFieldNames(t *testing.T) {
	for key, want := range map[string]string{
		"message_sid": "MESSAGE_SID", "a.b-c": "A_B_C", "äh": "RELAY__H", "": "RELAY_", "message_id": "RELAY_MESSAGE_ID", "Tag7": "TAG7",
		strings.Repeat("x", 100): strings.Repeat("X", 58),
	} {
		if got := fieldName(key); got != want {
			t.Errorf("%q is %q, want %q", key, got, want)
		}
	}
}
