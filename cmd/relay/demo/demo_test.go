package demo

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
)

// TestDemoStaysInABrowser follows both addresses that `relay demo --stay` prints, and signs in to the console as it says.
func TestDemoStaysInABrowser(t *testing.T) {
	var out bytes.Buffer
	d := newDemo(&out, t.TempDir())
	ctx, stop := context.WithCancel(t.Context())
	var group errgroup.Group
	if err := d.open(ctx, &group, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	defer func() {
		stop()
		if err := errors.Join(group.Wait(), d.close()); err != nil {
			t.Error(err)
		}
	}()
	d.epilogue(true)
	addresses := regexp.MustCompile(`(?m)^ +(http://[0-9.:]+/(?:console)?)$`).FindAllStringSubmatch(out.String(), -1)
	signIn := regexp.MustCompile(`sign in as (\S+), password (\S+):`).FindStringSubmatch(out.String())
	if len(addresses) != 2 || signIn == nil {
		t.Fatalf("the demo said %s", out.String())
	}
	ask := func(answer *http.Response, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close() //nolint:errcheck // it was only read.
		page, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %d, %v", answer.Request.URL, answer.StatusCode, err)
		}
		return string(page)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	phones := ask(browser.Get(addresses[0][1]))
	if !strings.Contains(phones, string(demoCustomer)) || !strings.Contains(phones, addresses[1][1]) {
		t.Errorf("the phones are %s", phones)
	}
	form := url.Values{"name": {signIn[1]}, "password": {signIn[2]}}
	console := ask(browser.PostForm(addresses[1][1]+"/sign-in", form))
	if !strings.Contains(console, "Sign out") {
		t.Errorf("the console is %s", console)
	}
}

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
