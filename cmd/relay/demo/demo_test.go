package main

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// TestDemoFindsWhatIsWrong lets Twilio misbehave: the demo must not say that all went well.
func TestDemoFindsWhatIsWrong(t *testing.T) {
	refused := twiliofake.Faults{BeforeCreate: func(url.Values) twiliofake.Fault { return twiliofake.Fault{Status: 500} }}
	twice := twiliofake.Faults{AfterCreate: func(twiliofake.Message) twiliofake.Fault { return twiliofake.Fault{DropConnection: true} }}
	for name, faults := range map[string]twiliofake.Faults{"nothing was sent": refused, "Twilio's answer was lost": twice} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			d := newDemo(&out, t.TempDir())
			d.faults = faults
			ctx, stop := context.WithCancel(t.Context())
			var group errgroup.Group
			if err := d.open(ctx, &group, slog.New(slog.DiscardHandler)); err != nil {
				t.Fatal(err)
			}
			show, cancel := context.WithTimeout(ctx, 3*time.Second)
			err := d.play(show)
			cancel()
			stop()
			if closing := group.Wait(); closing != nil {
				t.Error(closing)
			}
			if closing := d.close(); closing != nil {
				t.Error(closing)
			}
			if name == "nothing was sent" && err == nil {
				t.Errorf("the demo found nothing wrong:\n%s", out.String())
			}
			// A lost answer is settled by the receipts, which is what the relay promises.
			if name == "Twilio's answer was lost" && err != nil {
				t.Errorf("demo: %v\n%s", err, out.String())
			}
		})
	}
}

func TestConsoleShowsOneReadableLine(t *testing.T) {
	var out bytes.Buffer
	logger := slog.New(newConsole(&out, false)).With(slog.String("relay", "one"))
	logger.Info("text relayed", slog.Any("customer", sms.PhoneNumber("+13125550147")), slog.Int("error_code", 0), slog.String("reason", ""), slog.String("error", "two words"))
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
	slog.New(newConsole(&out, true)).Error("sending halted")
	if !strings.Contains(out.String(), red+"sending halted") {
		t.Errorf("line = %q, want the message in red", out.String())
	}
}
