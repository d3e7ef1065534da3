package cli

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/shared/sms"
)

func TestConsoleShowsOneReadableLine(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(NewConsole(&out, false)).With(slog.String("relay", "one"))
	logger.Info("text relayed", slog.Any("customer", sms.PhoneNumber("+13125550147")), slog.Int("error_code", 0), slog.String("reason", ""),
		slog.String("error", "two words"))
	logger.Debug("health answered")
	line := out.String()
	if strings.Count(line, "\n") != 1 {
		t.Fatalf("lines = %q, want one", line)
	}
	_, rest, _ := strings.Cut(line, " ")
	if want := "text relayed           relay=one customer=***0147 error=\"two words\"\n"; rest != want {
		t.Errorf("line = %q, want %q", rest, want)
	}
}

func TestConsolePaintsTrouble(t *testing.T) {
	var out bytes.Buffer
	slog.New(NewConsole(&out, true)).Error("sending halted")
	if !strings.Contains(out.String(), Red+"sending halted") {
		t.Errorf("line = %q, want the message in red", out.String())
	}
}
