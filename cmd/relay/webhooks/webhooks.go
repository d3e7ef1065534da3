// Package webhooks knows which settings a Twilio number needs, so that its texts reach the relay, and what differs from them. It asks
// Twilio nothing, and changes nothing there.
package webhooks

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// Wanted returns the settings that a number should have for a relay at these URLs: the first for its texts, the second, or else the first
// again, if that fails. An empty callback leaves the number's own.
func Wanted(bases []string, callback string) (twilio.NumberSettings, error) {
	if len(bases) == 0 {
		return twilio.NumberSettings{}, cli.Usage(errors.New("the relay's URL is missing: set --url or PUBLIC_BASE_URL"))
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
		StatusCallback: callback,
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

// Change is one setting that has another value than it should. Its name is Twilio's; JSON has the name that relay number ls gives it.
type Change struct {
	Name  string `json:"-"`
	Field string `json:"field"`
	From  string `json:"from"`
	To    string `json:"to"`
}

// Plan is what a number needs, as JSON.
type Plan struct {
	PhoneNumber sms.PhoneNumber `json:"phone_number"`
	Sid         string          `json:"sid"`
	Changes     []Change        `json:"changes"`
	Applied     bool            `json:"applied"`
}

// Changes returns what has to change. A setting whose wanted value is empty stays as it is.
func Changes(is, wanted twilio.NumberSettings) []Change {
	changes := []Change{}
	for _, c := range []Change{
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

// PlanOf returns what a number of the account needs. Twilio may write the number in another way, and would then not find it as the
// operator wrote it.
func PlanOf(all []twilio.Number, number sms.PhoneNumber, wanted twilio.NumberSettings) (Plan, error) {
	found, err := Find(all, number)
	if err != nil {
		return Plan{}, err
	}
	if found.SmsApplicationSid != "" {
		return Plan{}, cli.Hinted(
			fmt.Errorf("%s uses a TwiML application, so Twilio ignores its webhook", found.PhoneNumber),
			"in Twilio's console, the number's Messaging Configuration, choose Webhook; then run this again",
		)
	}
	return Plan{PhoneNumber: found.PhoneNumber, Sid: found.Sid, Changes: Changes(found.NumberSettings, wanted)}, nil
}

// Find returns a number of the account.
func Find(all []twilio.Number, number sms.PhoneNumber) (twilio.Number, error) {
	at := slices.IndexFunc(all, func(n twilio.Number) bool { return sms.Same(n.PhoneNumber, number) })
	if at < 0 {
		return twilio.Number{}, cli.Hinted(fmt.Errorf("%s is not a number of the account", number),
			"relay number ls lists the account's numbers")
	}
	return all[at], nil
}

// Lost says that Twilio accepted settings and has others all the same; nil if after is as wanted.
func Lost(after, wanted twilio.NumberSettings) error {
	if left := Changes(after, wanted); len(left) > 0 {
		return fmt.Errorf("Twilio accepted the change, but %s is still %q", left[0].Name, left[0].From) //nolint:staticcheck // Twilio is a name.
	}
	return nil
}

// WriteChanges shows the settings that change, each with its value before and after.
func WriteChanges(out io.Writer, changes []Change) {
	for _, c := range changes {
		cli.Printf(out, "  %s\n    - %s\n    + %s\n", c.Name, orNothing(c.From), orNothing(c.To))
	}
}

func orNothing(text string) string {
	if text == "" {
		return "(nothing)"
	}
	return text
}
