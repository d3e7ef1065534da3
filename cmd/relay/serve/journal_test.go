//go:build linux || darwin || freebsd

package serve

import (
	"bytes"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestLogGoesToTheJournal if systemd runs the relay, and nobody wants another form.
func TestLogGoesToTheJournal(t *testing.T) {
	// The path of a socket is short: that of a test's folder may be too long.
	t.Chdir(t.TempDir())
	const socket = "socket"
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: socket, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	stderr, err := os.Create("stderr")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stderr.Close() })
	info, err := stderr.Stat()
	if err != nil {
		t.Fatal(err)
	}
	of, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		t.Skip("files have no inodes here")
	}
	stream := fmt.Sprintf("%d:%d", of.Dev, of.Ino)
	for name, tt := range map[string]struct {
		format, stream, socket string
		journal                bool
	}{
		"under systemd":                {"auto", stream, socket, true},
		"JSON is wanted":               {"json", stream, socket, false},
		"text is wanted":               {"text", stream, socket, false},
		"stderr leads elsewhere":       {"auto", "1:1", socket, false},
		"systemd does not run it":      {"auto", "", socket, false},
		"the journal's socket is gone": {"auto", stream, socket + "x", false},
	} {
		t.Run(name, func(t *testing.T) {
			var elsewhere bytes.Buffer
			logger := toJournal(slog.New(slog.NewTextHandler(&elsewhere, nil)), tt.format, tt.stream, stderr, tt.socket)
			logger.Info("relay serves")
			if got := elsewhere.Len() == 0; got != tt.journal {
				t.Fatalf("to the journal: %v, want %v; elsewhere: %s", got, tt.journal, elsewhere.String())
			}
			if !tt.journal {
				return
			}
			_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
			line := make([]byte, 4096)
			n, err := conn.Read(line)
			if err != nil || !strings.Contains(string(line[:n]), "MESSAGE=relay serves\n") {
				t.Errorf("the journal has %q, %v", line[:n], err)
			}
		})
	}
	if logger := slog.Default(); toJournal(logger, "auto", stream, &bytes.Buffer{}, socket) != logger {
		t.Error("what is written to no file goes to the journal")
	}
}
