// Package canary is `relay canary`: it sends a made-up text the whole way, and times it. It follows the one text that it sent, and
// checks nothing else; `relay doctor` does.
package canary

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
)

// canaryFlags are the flags of canary.
type canaryFlags struct {
	url, from, phone, body string
	timeout                time.Duration
	asJSON                 bool
	consent                cli.Consent
	numbers                cli.NumberFlags
}

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay canary`.
func Command(base cli.Program, finder cli.FrontDoorFinder) *cobra.Command {
	p := program{base}
	var f canaryFlags
	cmd := &cobra.Command{
		Use:   "canary NUMBER",
		Short: "Send a made-up text the whole way, and time it",
		Long: `canary posts a text to the relay's front door, signed as Twilio signs it, as if a customer had texted the number. It watches
the ledger until the text has reached the phone, and the audit log until it has every change, and shows how long each step took.

With a real account this sends one real text to the phone on the number's route, at the price of a text. So canary asks before it
sends; --yes skips the question, and so does --phone, which names that phone. The exit code is 3 if the text does not arrive in
time.`,
		Example: `  relay canary +18585550100 --url https://relay.example.com --phone +16195550123
  relay canary +18585550100 --timeout 30s --json`,
		Args: cli.OneNumber,
		RunE: func(cmd *cobra.Command, args []string) error {
			number, err := f.read(args[0])
			if err != nil {
				return err
			}
			return p.canary(cmd, finder, number, f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.url, "url", "", "the relay's URL, without /sms/… (default: the first of PUBLIC_BASE_URL)")
	flags.StringVar(&f.from, "from", "+13125550147", "the number of the made-up customer")
	flags.StringVar(&f.phone, "phone", "", "allow the text only if the number's texts go to this phone first")
	flags.StringVar(&f.body, "body", "Canary: this is a test of the relay. You need not do anything.", "what the text says")
	cli.DurationVar(flags, &f.timeout, "timeout", time.Minute, "how long the whole way may take")
	f.consent.Add(flags, "")
	cli.AddJSON(flags, &f.asJSON, "an object with the stages")
	f.numbers.Add(flags)
	finder.AddFlags(flags)
	return cmd
}

// canaryResult is what happened to the canary's text.
type canaryResult struct {
	MessageSid string        `json:"message_sid"`
	State      ledger.State  `json:"state"`
	Reason     ledger.Reason `json:"reason,omitempty"`
	Arrived    bool          `json:"arrived"`
	Stages     []stage       `json:"stages"`
}

// stage is one step of the text, and how long after its webhook it happened.
type stage struct {
	Name             string `json:"name"`
	AfterMillisecond int64  `json:"after_ms"`
}

func (p program) canary(cmd *cobra.Command, finder cli.FrontDoorFinder, number sms.PhoneNumber, f canaryFlags) (err error) {
	ctx, flags := cmd.Context(), cmd.Flags()
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	door, err := finder.Find(ctx, flags)
	if err != nil {
		return err
	}
	if f.url != "" {
		door.URLs = []string{strings.TrimSuffix(f.url, "/")}
	}
	d, err := p.OpenTarget(ctx, flags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	goesTo, err := f.check(ctx, door, d.Routes, number)
	if err != nil {
		return err
	}
	planned := plannedCanary{TwilioNumber: number, Destination: goesTo, DryRun: true}
	if goOn, err := p.permitted(cmd, f, door, planned, mode); err != nil || !goOn {
		return err
	}
	watching, stop := context.WithTimeout(ctx, f.timeout)
	defer stop()
	result, failure := p.run(watching, door, d, number, f)
	if f.asJSON {
		failure = errors.Join(failure, json.NewEncoder(p.Stdout).Encode(result))
	}
	if hinted, ok := errors.AsType[cli.HintedError](failure); ok {
		return cli.Hinted(cli.Found(hinted.Err), hinted.Hint)
	}
	if failure != nil {
		return cli.Found(failure)
	}
	return nil
}

// read reads the numbers on the command line.
func (f *canaryFlags) read(text string) (sms.PhoneNumber, error) {
	from, err := f.numbers.ReadFlag("from", f.from)
	if err != nil {
		return "", err
	}
	phone, err := f.numbers.ReadFlag("phone", f.phone)
	if err != nil {
		return "", err
	}
	f.from, f.phone = string(from), string(phone)
	return f.numbers.Read(text)
}

// check returns the phone that the text goes to first. It refuses a text that cannot be sent, or that would reach nobody.
func (f canaryFlags) check(
	ctx context.Context, door cli.FrontDoor, table route.Table, number sms.PhoneNumber,
) (goesTo sms.PhoneNumber, err error) {
	switch {
	case len(door.URLs) == 0:
		return "", cli.Usage(errors.New("the relay's URL is missing: set --url or PUBLIC_BASE_URL"))
	case len(door.AuthTokens) == 0:
		return "", cli.Usage(errors.New("the Auth Token, which signs the text, is missing: set TWILIO_AUTH_TOKEN"))
	}
	routes, unreadable, err := route.Readable(table.List(ctx))
	if err == nil {
		err = route.ErrUnreadable(unreadable, number)
	}
	if err != nil {
		return "", err
	}
	isRouted := false
	for _, r := range routes {
		if !sms.Same(r.TwilioNumber, number) || !r.Active {
			continue
		}
		isRouted = true
		if phones := r.OpenOf(r.PhonesAt(time.Now())); len(phones) > 0 {
			goesTo = phones[0]
		}
	}
	switch {
	case isRouted && goesTo == "":
		return "", cli.Hinted(cli.Found(fmt.Errorf("texts to %s wait now: nobody is on duty, or no phone is verified", number)),
			"relay explain route --from CUSTOMER --to "+string(number)+" says for whom or for what")
	case goesTo == "":
		return "", cli.Hinted(cli.Found(fmt.Errorf("%s has no active route: the text would be dropped", number)),
			"relay route ls shows the routes")
	case f.phone != "" && !sms.Same(sms.PhoneNumber(f.phone), goesTo):
		return "", cli.Usage(fmt.Errorf("the texts of %s go to %s, not to --phone %s", number, goesTo.Mask(), sms.PhoneNumber(f.phone).Mask()))
	}
	return goesTo, nil
}

// plannedCanary is what a dry run says, as JSON.
type plannedCanary struct {
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Destination  sms.PhoneNumber `json:"destination"`
	DryRun       bool            `json:"dry_run"`
}

// permitted reports whether the text may be sent. On a terminal it asks, unless the phone was named. Where nobody can be asked, it
// refuses a text that costs money and that nobody has allowed.
func (p program) permitted(cmd *cobra.Command, f canaryFlags, door cli.FrontDoor, planned plannedCanary, mode cli.Mode) (bool, error) {
	switch {
	case mode == cli.Show && f.asJSON:
		return false, json.NewEncoder(p.Stdout).Encode(planned)
	case mode == cli.Show:
		cli.Say(p.Stdout, "One text to %s would be sent on to %s.", planned.TwilioNumber, planned.Destination.Mask())
		return false, nil
	case f.phone != "" || f.consent.Given():
		return true, nil
	case mode == cli.Ask:
		cli.Say(p.Stdout, "One text to %s would be sent on to %s.", planned.TwilioNumber, planned.Destination.Mask())
		if !p.Confirmed(cmd, "Send it?") {
			return false, cli.ErrNotConfirmed
		}
		return true, nil
	case door.OwnTwilio:
		return false, cli.Usage(fmt.Errorf("this sends one real text to %s, at the price of a text: allow it with --yes, or name that phone "+
			"with --phone", planned.Destination.Mask()))
	}
	return true, nil
}

// run sends the text and watches it.
func (p program) run(ctx context.Context, door cli.FrontDoor, d *target.Target, number sms.PhoneNumber, f canaryFlags) (canaryResult,
	error,
) {
	var random [16]byte
	_, _ = rand.Read(random[:]) // it never fails: see its documentation
	result := canaryResult{MessageSid: "SM" + hex.EncodeToString(random[:])}
	began := time.Now()
	reached := func(name string) {
		after := time.Since(began)
		result.Stages = append(result.Stages, stage{name, after.Milliseconds()})
		if !f.asJSON {
			fmt.Fprintf(p.Stdout, "%8.3fs  %s\n", after.Seconds(), name)
		}
	}
	if !f.asJSON {
		fmt.Fprintf(p.Stdout, "text %s to %s\n", result.MessageSid, number)
	}
	if err := postCanary(ctx, door, number, result.MessageSid, f); err != nil {
		return result, err
	}
	reached("accepted by the front door")
	record, err := followRecord(ctx, d.Ledger, result.MessageSid, reached)
	result.State, result.Reason = record.State, record.Reason
	if err != nil {
		return result, err
	}
	if err := followTrail(ctx, d, record, reached); err != nil {
		return result, err
	}
	if result.Arrived = record.State == ledger.Delivered; !result.Arrived {
		return result, cli.Hinted(errors.New(strings.TrimSpace(fmt.Sprintf("the text ended as %s %s", record.State, record.Reason))),
			"relay status "+result.MessageSid+" shows what happened to it; relay explain state says what a state means")
	}
	return result, nil
}

// postCanary posts the webhook as Twilio does.
func postCanary(ctx context.Context, door cli.FrontDoor, number sms.PhoneNumber, sid string, f canaryFlags) error {
	address := door.URLs[0] + webhook.PathInbound
	form := url.Values{
		"MessageSid": {sid}, "From": {f.from}, "To": {string(number)}, "Body": {f.body}, "NumMedia": {"0"}, "NumSegments": {"1"},
		"SmsStatus": {string(sms.StatusReceived)},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return errors.New("the relay's URL is not valid")
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("X-Twilio-Signature", signature.SignForm(door.AuthTokens[0], address, form))
	response, err := door.HTTP.Do(request)
	if err != nil {
		return cli.Hinted(errors.New("the front door does not answer"), "relay doctor --only front-door-health says more")
	}
	defer response.Body.Close() //nolint:errcheck // it is only read.
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	if response.StatusCode != http.StatusOK {
		return cli.Hinted(fmt.Errorf("the front door answered %d", response.StatusCode), "relay doctor --only front-door-signature says more")
	}
	return nil
}
