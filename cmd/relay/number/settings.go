package number

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
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
	bases := r.URLs(cli.EnvPublicBaseURL)
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

// changeNumber shows what has to change, and changes it if mode says so.
func (p program) changeNumber(
	cmd *cobra.Command, client *twilio.Client, number twilio.Number, wanted twilio.NumberSettings, mode cli.Mode, asJSON bool,
) error {
	if number.SmsApplicationSid != "" {
		return cli.Hinted(
			fmt.Errorf("%s uses a TwiML application, so Twilio ignores its webhook", number.PhoneNumber),
			"in Twilio's console, the number's Messaging Configuration, choose Webhook; then run this again",
		)
	}
	result := configured{PhoneNumber: number.PhoneNumber, Sid: number.Sid, Changes: numberChanges(number.NumberSettings, wanted)}
	if !asJSON {
		p.writeChanges(result)
	}
	switch {
	case asJSON && (mode == cli.Show || len(result.Changes) == 0):
		return json.NewEncoder(p.Stdout).Encode(result)
	case len(result.Changes) == 0:
		return nil
	case mode == cli.Show:
		fmt.Fprintln(p.Stdout, "Nothing was changed. Add --apply to change it.")
		return nil
	case mode == cli.Ask && !p.Confirmed(cmd, "Change it?"):
		return cli.ErrNotConfirmed
	}
	after, err := client.ConfigureNumber(cmd.Context(), number.Sid, wanted)
	if err != nil {
		return p.twilioError(cmd.Flags(), err)
	}
	if left := numberChanges(after.NumberSettings, wanted); len(left) > 0 {
		return fmt.Errorf("Twilio accepted the change, but %s is still %q", left[0].name, left[0].From) //nolint:staticcheck // Twilio is a name.
	}
	if result.Applied = true; asJSON {
		return json.NewEncoder(p.Stdout).Encode(result)
	}
	fmt.Fprintln(p.Stdout, "Changed. To undo it, enter the values after a minus in Twilio's console.")
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
