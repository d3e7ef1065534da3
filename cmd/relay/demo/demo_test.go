package demo

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
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
			patience := 3 * time.Second
			if name == "Twilio's answer was lost" {
				patience = demoTimeout
			}
			show, cancel := context.WithTimeout(ctx, patience)
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
