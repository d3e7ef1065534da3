// Package fake is `relay fake-twilio`: the flags, and the server. What the stand-in does is in cmd/relay/twiliofake.
package fake

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/fakepages"
	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// The credentials of a fake account, for trials. They open nothing.
const (
	AccountSid = "AC00000000000000000000000000000001"
	AuthToken  = "faketokenfaketokenfaketokenfake1"
)

// fakeTwilioFlags are the flags of fake-twilio.
type fakeTwilioFlags struct {
	listen, accountSid, authToken, webhook, fallback string
	numbers                                          []string
	answers                                          []string
	stepDelay, mediaDelay, answerDelay               time.Duration
	logFormat                                        string
	faults                                           faultFlags
}

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay fake-twilio`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	var f fakeTwilioFlags
	cmd := &cobra.Command{
		Use:   "fake-twilio",
		Short: "Run a fake Twilio for trials",
		Long: `fake-twilio is a fake Twilio on this host. It has Twilio's Messages API, signed webhooks, signed status callbacks and error
codes. It reaches no phone. Open its address in a browser: it shows phones side by side, each request and callback with its signature
and verdict, and what can go wrong. Or text one of its numbers with

  relay fake-twilio text +13125550147 +18585550100 Hello

and see what was sent at /fake/messages. /fake/openapi.json describes what tests can do there. Messages to its magic numbers fail:
+15005550001 (21211), +15005550004 (21610), +15005550101 (accepted, then undelivered with 30003), and the other numbers of Twilio's
test credentials.

It works well and answers at once, unless a flag makes it misbehave as Twilio and the network sometimes do: answers that are lost
or late, errors before and after it accepts a message, a list that is behind, receipts that come twice, out of order or never.`,
		Example: `  relay fake-twilio &
  TWILIO_ACCOUNT_SID=` + AccountSid + ` TWILIO_AUTH_TOKEN=` + AuthToken + ` \
    TWILIO_API_BASE_URL=http://127.0.0.1:8090 RELAY_OPERATOR_TOKEN=mine relay serve --routes maintenance.json

  relay fake-twilio --accept-then-drop 5% --error-rate 10% --latency 50ms-2s --receipts=duplicate,reorder,drop:2%`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.fakeTwilio(cmd.Context(), f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8090", "address to listen on")
	flags.StringVar(&f.accountSid, "account-sid", AccountSid, "the account")
	flags.StringVar(&f.authToken, "auth-token", AuthToken, "the account's Auth Token, which signs the webhooks")
	flags.StringVar(&f.webhook, "webhook", "http://127.0.0.1:8080/sms/inbound",
		"webhook of the account's numbers; may have connection overrides")
	flags.StringVar(&f.fallback, "fallback", "", "fallback URL of the account's numbers")
	flags.StringSliceVar(&f.numbers, "number", nil, "a number of the account; may be repeated (default: every number)")
	cli.DurationVar(flags, &f.stepDelay, "step-delay", 200*time.Millisecond, "pause between a message's statuses")
	cli.DurationVar(flags, &f.mediaDelay, "media-delay", 200*time.Millisecond,
		"pause between the two requests for each attachment of a message; Twilio's may take minutes")
	flags.StringArrayVar(&f.answers, flagAnswer, nil,
		"a phone that answers each customer, and its words, such as +16195550123=Yes; may be repeated")
	cli.DurationVar(flags, &f.answerDelay, "answer-delay", 10*time.Second, "how long after a text such a phone answers it")
	flags.StringVar(&f.logFormat, "log-format", "auto", "text, json or auto (text on a terminal, otherwise JSON)")
	f.faults.add(flags)
	cmd.AddCommand(p.textCommand())
	return cmd
}

func (p program) fakeTwilio(ctx context.Context, f fakeTwilioFlags) error {
	logger, err := cli.NewLogger(f.logFormat, p.Stderr)
	if err != nil {
		return cli.Usage(err)
	}
	config := twiliofake.Config{
		AccountSid: f.accountSid, AuthToken: f.authToken, StepDelay: f.stepDelay, Now: time.Now, Logger: logger,
		Webhook:    twiliofake.Webhook{URL: f.webhook, FallbackURL: f.fallback},
		FetchMedia: true, MediaDelay: f.mediaDelay, Exchanges: Exchanges, KeywordReplies: true,
	}
	if config.Misbehaviour, err = f.faults.misbehaviour(); err != nil {
		return cli.Usage(err)
	}
	for _, number := range f.numbers {
		config.Numbers = append(config.Numbers, sms.PhoneNumber(number))
	}
	if config.Answers, err = f.phones(); err != nil {
		return cli.Usage(err)
	}
	fake, err := twiliofake.New(config)
	if err != nil {
		return cli.Usage(err)
	}
	defer fake.Close()
	defer context.AfterFunc(ctx, fake.Close)() // answers that are held back go out
	pages, err := fakepages.New(f.pages(fake, logger))
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", f.listen)
	if err != nil {
		return cli.WithStartHint(fmt.Errorf("listen: %w", err))
	}
	fmt.Fprintf(p.Stdout, "fake Twilio at http://%s, account %s, webhook %s; a browser shows its phones\n", listener.Addr(), f.accountSid,
		f.webhook)
	if given := f.faults.String(); given != "" {
		fmt.Fprintf(p.Stdout, "faults: %s\n", given)
	}
	return ServeUntil(ctx, listener, pages)
}

// Exchanges is how many of the last requests and callbacks the pages show.
const Exchanges = 2000

// pages are what the pages show at first: the numbers of the examples, unless the account has others.
func (f fakeTwilioFlags) pages(fake *twiliofake.Server, logger *slog.Logger) fakepages.Config {
	config := fakepages.Config{
		Fake: fake, AccountSid: f.accountSid, AuthToken: f.authToken, Number: "+18585550100",
		Phones: []sms.PhoneNumber{"+13125550147", "+16195550123"}, Logger: logger,
	}
	if len(f.numbers) > 0 {
		config.Number = sms.PhoneNumber(f.numbers[0])
	}
	return config
}

// flagAnswer names the phones that answer.
const flagAnswer = "answer"

// phones returns the phones that answer, with what they say.
func (f fakeTwilioFlags) phones() (map[sms.PhoneNumber]twiliofake.PhoneAnswer, error) {
	phones := map[sms.PhoneNumber]twiliofake.PhoneAnswer{}
	for _, said := range f.answers {
		phone, words, found := strings.Cut(said, "=")
		if !found || words == "" || !sms.PhoneNumber(phone).IsE164() {
			return nil, fmt.Errorf("--%s %q: want a phone and its words, such as +16195550123=Yes", flagAnswer, said)
		}
		phones[sms.PhoneNumber(phone)] = twiliofake.PhoneAnswer{Words: words, After: f.answerDelay}
	}
	return phones, nil
}

// ServeUntil serves the pages on listener until ctx ends.
func ServeUntil(ctx context.Context, listener net.Listener, pages *fakepages.Pages) error {
	server := &http.Server{Handler: pages, ReadHeaderTimeout: 5 * time.Second}
	server.RegisterOnShutdown(pages.Close)
	stopped := make(chan error, 1)
	go func() {
		<-ctx.Done()
		stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), StopTimeout)
		defer cancel()
		stopped <- server.Shutdown(stop)
	}()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return <-stopped
}

// StopTimeout limits the wait for requests under way.
const StopTimeout = 10 * time.Second
