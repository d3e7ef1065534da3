package number

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// wantedSettings returns the settings that the number should have.
func (p program) wantedSettings(flags *pflag.FlagSet, c configuration) (twilio.NumberSettings, error) {
	r := env.New(cli.LookupOf(cli.ServeSettings(), flags, p.Lookup))
	bases := cli.PublicBaseURLs(r)
	if err := r.Err(); err != nil {
		return twilio.NumberSettings{}, cli.SettingsError(err)
	}
	if c.url != "" {
		bases = []string{c.url}
	}
	if len(bases) == 0 {
		return twilio.NumberSettings{}, cli.Usage(errors.New("the relay's URL is missing: set --url or PUBLIC_BASE_URL"))
	}
	if c.fallback != "" {
		bases = []string{bases[0], c.fallback}
	}
	inbound, err := inboundURL(bases[0])
	if err != nil {
		return twilio.NumberSettings{}, err
	}
	fallback, err := inboundURL(bases[min(1, len(bases)-1)])
	if err != nil {
		return twilio.NumberSettings{}, err
	}
	return twilio.NumberSettings{
		SmsURL: inbound, SmsMethod: http.MethodPost, SmsFallbackURL: fallback, SmsFallbackMethod: http.MethodPost,
		StatusCallback: c.callback,
	}, nil
}

// inboundURL returns the relay's URL for incoming texts, with the overrides that make Twilio try again.
func inboundURL(base string) (string, error) {
	parsed, err := url.Parse(base)
	if err != nil || parsed.Hostname() == "" || (parsed.Scheme != "https" && parsed.Scheme != "http") || strings.ContainsAny(base, "?#") {
		return "", cli.Usage(errors.New("the relay's URL is not an absolute URL such as https://relay.example.com"))
	}
	if strings.Contains(parsed.Path, "/sms/") {
		return "", cli.Usage(errors.New("leave /sms/… out of the relay's URL: relay number adds it"))
	}
	return strings.TrimSuffix(base, "/") + webhook.PathInbound + "#" + cli.Overrides, nil
}

// numberChange is one setting that has another value than it should. Its name is Twilio's; JSON has the name that relay number ls
// gives it.
type numberChange struct {
	name  string
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// configured is what a configuration changes, as JSON.
type configured struct {
	PhoneNumber sms.PhoneNumber `json:"phone_number"`
	Sid         string          `json:"sid"`
	Changes     []numberChange  `json:"changes"`
	Applied     bool            `json:"applied"`
}

// numberChanges returns what has to change. A setting whose wanted value is empty stays as it is.
func numberChanges(is, wanted twilio.NumberSettings) []numberChange {
	changes := []numberChange{}
	for _, c := range []numberChange{
		{"SmsUrl", "sms_url", is.SmsURL, wanted.SmsURL},
		{"SmsMethod", "sms_method", is.SmsMethod, wanted.SmsMethod},
		{"SmsFallbackUrl", "sms_fallback_url", is.SmsFallbackURL, wanted.SmsFallbackURL},
		{"SmsFallbackMethod", "sms_fallback_method", is.SmsFallbackMethod, wanted.SmsFallbackMethod},
		{"StatusCallback", "status_callback", is.StatusCallback, wanted.StatusCallback},
	} {
		if c.To != "" && c.To != c.From {
			changes = append(changes, c)
		}
	}
	return changes
}

// planned returns what a number of the account needs. Twilio may write the number in another way, and would then not find it as the
// operator wrote it.
func planned(all []twilio.Number, number sms.PhoneNumber, wanted twilio.NumberSettings) (configured, error) {
	at := slices.IndexFunc(all, func(n twilio.Number) bool { return sms.Same(n.PhoneNumber, number) })
	if at < 0 {
		return configured{}, cli.Hinted(fmt.Errorf("%s is not a number of the account", number), "relay number ls lists the account's numbers")
	}
	found := all[at]
	if found.SmsApplicationSid != "" {
		return configured{}, cli.Hinted(
			fmt.Errorf("%s uses a TwiML application, so Twilio ignores its webhook", found.PhoneNumber),
			"in Twilio's console, the number's Messaging Configuration, choose Webhook; then run this again",
		)
	}
	return configured{PhoneNumber: found.PhoneNumber, Sid: found.Sid, Changes: numberChanges(found.NumberSettings, wanted)}, nil
}

// carryOut shows what has to change, and changes it if mode says so.
func (p program) carryOut(
	cmd *cobra.Command, client *twilio.Client, plan []configured, wanted twilio.NumberSettings, mode cli.Mode, asJSON bool,
) error {
	if !asJSON {
		for _, one := range plan {
			p.writeChanges(one)
		}
	}
	isChange := func(one configured) bool { return len(one.Changes) > 0 }
	switch {
	case asJSON, !slices.ContainsFunc(plan, isChange):
	case mode == cli.Show:
		fmt.Fprintln(p.Stdout, "Nothing was changed. Add --apply to change it.")
	case mode == cli.Ask && !p.Confirmed(cmd, "Change it?"):
		return cli.ErrNotConfirmed
	}
	for _, one := range plan {
		if mode != cli.Show && isChange(one) {
			if err := p.changeNumber(cmd, client, one, wanted); err != nil {
				return err
			}
			one.Applied = true
		}
		if err := p.report(one, asJSON); err != nil {
			return err
		}
	}
	return nil
}

// changeNumber gives a number its settings.
func (p program) changeNumber(cmd *cobra.Command, client *twilio.Client, one configured, wanted twilio.NumberSettings) error {
	after, err := client.ConfigureNumber(cmd.Context(), one.Sid, wanted)
	if err != nil {
		return p.twilioError(cmd.Flags(), err)
	}
	if left := numberChanges(after.NumberSettings, wanted); len(left) > 0 {
		return fmt.Errorf("Twilio accepted the change, but %s is still %q", left[0].name, left[0].From) //nolint:staticcheck // Twilio is a name.
	}
	return nil
}

// report says that a number was changed; as JSON also that it was not.
func (p program) report(one configured, asJSON bool) error {
	switch {
	case asJSON:
		return json.NewEncoder(p.Stdout).Encode(one)
	case one.Applied:
		cli.Say(p.Stdout, "Changed %s. To undo it, enter the values after a minus in Twilio's console.", one.PhoneNumber)
	}
	return nil
}

// writeChanges shows what has to change.
func (p program) writeChanges(result configured) {
	if len(result.Changes) == 0 {
		cli.Printf(p.Stdout, "%s is already configured like this.\n", result.PhoneNumber)
		return
	}
	cli.Printf(p.Stdout, "%s (%s)\n", result.PhoneNumber, result.Sid)
	for _, c := range result.Changes {
		cli.Printf(p.Stdout, "  %s\n    - %s\n    + %s\n", c.name, orNothing(c.From), c.To)
	}
}

func orNothing(text string) string {
	if text == "" {
		return "(nothing)"
	}
	return text
}
