package number

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// wantedSettings returns what the number is to be given.
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
		return twilio.NumberSettings{}, cli.Usage(errors.New("where is the relay? Say it with --url, or PUBLIC_BASE_URL"))
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

// inboundURL returns where a relay takes texts, with the overrides that make Twilio ask again.
func inboundURL(base string) (string, error) {
	parsed, err := url.Parse(base)
	if err != nil || parsed.Hostname() == "" || (parsed.Scheme != "https" && parsed.Scheme != "http") || strings.ContainsAny(base, "?#") {
		return "", cli.Usage(errors.New("the relay's URL is no absolute one such as https://relay.example.com"))
	}
	if strings.Contains(parsed.Path, "/sms/") {
		return "", cli.Usage(errors.New("the relay's URL is without /sms/…, which is added"))
	}
	return strings.TrimSuffix(base, "/") + webhook.PathInbound + "#" + cli.Overrides, nil
}

// numberChange is one setting that is not as it is wanted.
type numberChange struct {
	name, is, wanted string
}

// numberChanges returns what there is to change. A setting that is wanted empty is left as it is.
func numberChanges(is, wanted twilio.NumberSettings) []numberChange {
	var changes []numberChange
	for _, c := range []numberChange{
		{"SmsUrl", is.SmsURL, wanted.SmsURL},
		{"SmsMethod", is.SmsMethod, wanted.SmsMethod},
		{"SmsFallbackUrl", is.SmsFallbackURL, wanted.SmsFallbackURL},
		{"SmsFallbackMethod", is.SmsFallbackMethod, wanted.SmsFallbackMethod},
		{"StatusCallback", is.StatusCallback, wanted.StatusCallback},
	} {
		if c.wanted != "" && c.wanted != c.is {
			changes = append(changes, c)
		}
	}
	return changes
}

// changeNumber shows what is to change, and changes it if apply says so.
func (p program) changeNumber(ctx context.Context, client *twilio.Client, number twilio.Number, wanted twilio.NumberSettings, apply bool) error {
	if number.SmsApplicationSid != "" {
		return cli.Hinted(
			fmt.Errorf("%s is configured with a TwiML application, which has the say instead of its webhook", number.PhoneNumber),
			"in Twilio's console, the number's Messaging Configuration, choose Webhook; then do this again",
		)
	}
	changes := numberChanges(number.NumberSettings, wanted)
	if len(changes) == 0 {
		cli.Printf(p.Stdout, "%s is configured like this already.\n", number.PhoneNumber)
		return nil
	}
	cli.Printf(p.Stdout, "%s (%s)\n", number.PhoneNumber, number.Sid)
	for _, c := range changes {
		cli.Printf(p.Stdout, "  %s\n    - %s\n    + %s\n", c.name, orNothing(c.is), c.wanted)
	}
	if !apply {
		fmt.Fprintln(p.Stdout, "Nothing was changed. Add --apply to change it.")
		return nil
	}
	after, err := client.ConfigureNumber(ctx, number.Sid, wanted)
	if err != nil {
		return withTwilioHint(err)
	}
	if left := numberChanges(after.NumberSettings, wanted); len(left) > 0 {
		return fmt.Errorf("Twilio took it, but %s is still %q", left[0].name, left[0].is) //nolint:staticcheck // Twilio is a name.
	}
	fmt.Fprintln(p.Stdout, "Changed. To take it back, give the lines with a minus in Twilio's console.")
	return nil
}

func orNothing(text string) string {
	if text == "" {
		return "(nothing)"
	}
	return text
}
