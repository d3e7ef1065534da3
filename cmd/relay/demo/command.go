// Package demo is `relay demo`: it starts the relay and the fake Twilio on this host and shows the whole way of one text, of its
// answer and of a picture. Only this verb imports others, because it runs them.
package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/console"
	"quickdumpnow.com/smsrelay/cmd/relay/fake"
	"quickdumpnow.com/smsrelay/cmd/relay/fakepages"
	"quickdumpnow.com/smsrelay/cmd/relay/serve"
	"quickdumpnow.com/smsrelay/cmd/relay/serve/onehost"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// The numbers in the demo are all from the range reserved for fiction.
const (
	demoTwilioNumber = sms.PhoneNumber("+18585550100")
	demoDestination  = sms.PhoneNumber("+16195550123")
	demoFallback     = sms.PhoneNumber("+16195550124")
	demoCustomer     = sms.PhoneNumber("+13125550147")
	demoText         = "Is my dumpster coming today?"
	demoAnswer       = "Yes, at two."
	demoCaption      = "Is there room for this?"
	// demoPicture is a GIF of one white point.
	demoPicture = "GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01" +
		"\x00\x00\x02\x02D\x01\x00;"
	// demoTag is the tag that the first customer of a relay gets.
	demoTag      = "A05"
	demoOperator = "demo-operator-token"
)

// demoTimeout limits the whole demo.
const demoTimeout = 30 * time.Second

// demoPause is how long the fake Twilio takes for each step: about as long as Twilio, so that people can follow it.
const demoPause = 150 * time.Millisecond

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay demo`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	var stay, verbose bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show a text's whole way, from webhook to audit trail, its answer's and a picture's",
		Long: `demo runs the relay and a fake Twilio on this host, in a temporary folder and on free ports. It makes a route, posts a
correctly signed webhook and shows every step: the TwiML, the queue, the message that Twilio was asked to send, its receipts, the
audit entries and the final state. Then the phone answers, and the customer gets the words. At last the customer texts a picture, and
the phone gets it. demo checks every step: exit code 0 means that all of them were right.`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.demo(cmd.Context(), stay, verbose) },
	}
	cmd.Flags().BoolVar(&stay, "stay", false, "keep running afterwards, so that you can try it by hand")
	cmd.Flags().BoolVar(&verbose, "verbose", false, "also show the relay's own log")
	return cmd
}

// demo is everything that runs during the demo.
type demo struct {
	screen  *screen
	folder  string
	fake    *twiliofake.Server
	fakeURL string
	relay   *onehost.Relay
	events  chan twiliofake.Event
	// faults are how the fake Twilio misbehaves. In the demo it is only as slow as Twilio.
	faults twiliofake.Faults
}

func newDemo(out io.Writer, folder string) *demo {
	slow := func(url.Values) twiliofake.Fault { return twiliofake.Fault{Delay: demoPause} }
	return &demo{
		screen: newScreen(out), folder: folder, events: make(chan twiliofake.Event, 256),
		faults: twiliofake.Faults{BeforeCreate: slow},
	}
}

func (p program) demo(ctx context.Context, stay, verbose bool) (err error) {
	folder, err := os.MkdirTemp("", "relay-demo-")
	if err != nil {
		return fmt.Errorf("make a folder for the demo: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()

	logger := slog.New(slog.DiscardHandler)
	if verbose {
		logger = slog.New(cli.NewConsole(p.Stderr, cli.HasColour(p.Stderr)))
	}
	d := newDemo(p.Stdout, folder)
	running, stop := context.WithCancel(ctx)
	var group errgroup.Group
	defer func() {
		stop()
		err = errors.Join(err, group.Wait(), d.close())
	}()
	if err := d.open(running, &group, logger); err != nil {
		return err
	}
	show, cancel := context.WithTimeout(ctx, demoTimeout)
	defer cancel()
	if err := d.play(show); err != nil {
		return err
	}
	d.epilogue(stay)
	if stay {
		<-ctx.Done()
	}
	return nil
}

// open starts the fake Twilio and the relay.
func (d *demo) open(ctx context.Context, group *errgroup.Group, logger *slog.Logger) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen for the fake Twilio: %w", err)
	}
	d.fakeURL = "http://" + listener.Addr().String()
	routesFile, err := d.writeRoutes()
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	config, err := serve.ReadSettings(d.settings(routesFile), os.Stderr)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	config.Logger = logger
	if d.relay, err = onehost.Open(ctx, config); err != nil {
		return errors.Join(err, listener.Close())
	}
	d.fake, err = twiliofake.New(twiliofake.Config{
		AccountSid: fake.AccountSid, AuthToken: fake.AuthToken, Numbers: []sms.PhoneNumber{demoTwilioNumber},
		Webhook:   twiliofake.Webhook{URL: d.relay.URL() + webhook.PathInbound + "#rc=5&rp=5xx,ct,rt&rt=4000&tt=15000"},
		StepDelay: demoPause, FetchMedia: true, MediaDelay: demoPause, Now: time.Now, Logger: logger,
		Faults: d.faults, Exchanges: fake.Exchanges, KeywordReplies: true,
		OnEvent: func(e twiliofake.Event) {
			select {
			case d.events <- e:
			default: // After the demo nobody reads.
			}
		},
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	pages, err := fakepages.New(fakepages.Config{
		Fake: d.fake, AccountSid: fake.AccountSid, AuthToken: fake.AuthToken, Number: demoTwilioNumber,
		Phones: []sms.PhoneNumber{demoCustomer, demoDestination}, Console: d.relay.URL() + console.Path, Logger: logger,
	})
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	group.Go(func() error { return fake.ServeUntil(ctx, listener, pages) })
	group.Go(func() error { return d.relay.Run(ctx) })
	return nil
}

// settings are the settings that a user of serve would set.
func (d *demo) settings(routesFile string) func(string) (string, bool) {
	set := map[string]string{
		cli.EnvAccountSid: fake.AccountSid, cli.EnvAuthToken: fake.AuthToken, cli.EnvTwilioBaseURL: d.fakeURL,
		cli.EnvOperatorToken: demoOperator, cli.EnvListen: "127.0.0.1:0", cli.EnvData: filepath.Join(d.folder, "relay-data"),
		cli.EnvRoutes: routesFile,
	}
	flags := serve.Command(cli.Program{}, nil).Flags()
	return serve.Lookup(flags, func(name string) (string, bool) {
		value, ok := set[name]
		return value, ok
	})
}

// writeRoutes writes the demo's maintenance.json.
func (d *demo) writeRoutes() (string, error) {
	path := filepath.Join(d.folder, "maintenance.json")
	content, err := json.MarshalIndent(map[string]any{"routes": []map[string]any{{
		"TwilioNumber": demoTwilioNumber, "DestinationCarrier": demoDestination,
		"FallbackCarriers": []sms.PhoneNumber{demoFallback}, "Active": true, "LastUpdated": time.Now().UTC().Format(time.RFC3339),
	}}}, "", "  ")
	if err != nil {
		return "", fmt.Errorf("encode routes: %w", err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		return "", fmt.Errorf("write routes: %w", err)
	}
	return path, nil
}

func (d *demo) close() error {
	if d.fake != nil {
		d.fake.Close()
	}
	if d.relay != nil {
		return d.relay.Close()
	}
	return nil
}

// epilogue says what to try next.
func (d *demo) epilogue(stay bool) {
	d.screen.title("What to try next")
	if stay {
		d.screen.say("The demo keeps running until you press Ctrl-C. In a browser:")
		d.screen.command("the phones, and what Twilio is asked and says", d.fakeURL+"/")
		d.screen.command("the relay's console: sign in as "+signin.OperatorName+", password "+demoOperator, d.relay.URL()+console.Path)
		d.screen.say("In another terminal:")
		d.screen.command("text it", fmt.Sprintf("curl -d From=%s -d To=%s -d Body=Hello %s/fake/inbound",
			demoCustomer, demoTwilioNumber, d.fakeURL))
		d.screen.command("answer it from the phone", fmt.Sprintf("curl -d From=%s -d To=%s -d 'Body=%s Hi' %s/fake/inbound",
			demoDestination, demoTwilioNumber, demoTag, d.fakeURL))
		d.screen.command("see what Twilio sent", fmt.Sprintf("curl %s/fake/messages", d.fakeURL))
		d.screen.command("see the newest texts", fmt.Sprintf("curl -H 'Authorization: Bearer %s' '%s/sms/status?limit=5'",
			demoOperator, d.relay.URL()))
		d.screen.command("send a text of your own", fmt.Sprintf("curl -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' "+
			`-d '{"twilio_number":"%s","body":"Hi"}' %s/sms/relay`, demoOperator, demoTwilioNumber, d.relay.URL()))
		d.screen.command("watch the metrics", fmt.Sprintf("curl %s/metrics | grep smsrelay_", d.relay.URL()))
		return
	}
	d.screen.command("keep the demo running and text it yourself", "go run ./cmd/relay demo --stay")
	d.screen.command("run it for real, or against relay fake-twilio", "go run ./cmd/relay serve --help")
	d.screen.command("all commands", "go run ./cmd/relay --help")
}
