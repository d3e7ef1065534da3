package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// inboundPath is where texts come in.
const inboundPath = "/sms/inbound"

func numberChecks() []Check {
	return []Check{
		{
			"number-owned", "The relay can neither receive nor send texts with a number that the account does not own.", both,
			ofNumbers(numberOwned),
		},
		{"number-capabilities", "A number without SMS can neither receive nor send a text.", both, ofNumbers(numberCapabilities)},
		{
			"webhook-url", "Twilio sends texts to the number's webhook. If that is another URL, the relay never gets them.", both,
			ofNumbers(webhookURL),
		},
		{
			"webhook-method", "A GET puts what customers write into the URL: proxies log it, and refuse long URLs. Then the text is lost.", both,
			ofNumbers(webhookMethod),
		},
		{
			"webhook-retries", "By default Twilio tries again only if it could not connect. After a 503 or a late answer the text is lost.", both,
			ofNumbers(webhookRetries),
		},
		{
			"webhook-fallback", "If the webhook fails for longer than Twilio tries, the fallback URL is the text's last chance.", both,
			ofNumbers(webhookFallback),
		},
		{"messaging-service", "A Messaging Service may have its own webhook; Twilio then ignores the number's webhook.", both, messagingService},
	}
}

const fixNumber = "relay number configure NUMBER shows what would change; --apply changes it, and --threads also the route's threads"

// ofNumbers makes a check of all numbers from a check of one.
func ofNumbers(check func(*exam, sms.PhoneNumber, *twilio.Number) Finding) func(context.Context, *exam) Finding {
	return func(_ context.Context, e *exam) Finding {
		numbers, owned, missing := e.numbersToCheck()
		if missing != "" {
			return skipped("%s", missing)
		}
		findings := make([]Finding, len(numbers))
		for i, number := range numbers {
			at := slices.IndexFunc(owned, func(n twilio.Number) bool { return sms.Same(n.PhoneNumber, number) })
			if at < 0 {
				findings[i] = check(e, number, nil)
			} else {
				findings[i] = check(e, number, &owned[at])
			}
		}
		return together(findings)
	}
}

// numbersToCheck returns the numbers to check, those that the account owns, and why there is nothing to check.
func (e *exam) numbersToCheck() (numbers []sms.PhoneNumber, owned []twilio.Number, missing string) {
	routes, err := e.routed()
	switch {
	case e.Number != "":
		numbers = []sms.PhoneNumber{e.Number}
	case err != nil:
		return nil, nil, fmt.Sprintf("the routes could not be read: %v", err)
	}
	for _, r := range routes {
		if e.Number == "" {
			numbers = append(numbers, r.TwilioNumber)
		}
		if !r.HasThread(e.Number) {
			numbers = append(numbers, r.Threads...)
		}
	}
	if len(numbers) == 0 {
		return nil, nil, "no number has an active route"
	}
	if owned, err = e.numbers(); err != nil {
		return nil, nil, err.Error()
	}
	return numbers, owned, ""
}

// together joins several findings into one: the worst status, and all texts of findings with that status.
func together(findings []Finding) Finding {
	order := []Status{Fail, Warn, Skipped, OK}
	for _, status := range order {
		var all Finding
		var said []string
		for _, f := range findings {
			if f.Status == status && !slices.Contains(said, f.Found) {
				said = append(said, f.Found)
				all.Fix = f.Fix
			}
		}
		if len(said) > 0 {
			all.Status, all.Found = status, strings.Join(said, "; ")
			return all
		}
	}
	return skipped("there is nothing to check")
}

func numberOwned(e *exam, number sms.PhoneNumber, owned *twilio.Number) Finding {
	if r, isThread := e.routeWithThread(number); isThread && owned == nil {
		return fail("check in Twilio's console, Phone Numbers, Active numbers, that this is the right account; or name other threads with "+
			"relay route set NUMBER --thread", "%s, a thread of %s, is not a number of the account", number.Mask(), r.TwilioNumber.Mask())
	}
	if owned == nil {
		return fail("check in Twilio's console, Phone Numbers, Active numbers, that this is the right account; or remove the route with relay "+
			"route rm NUMBER", "%s is not a number of the account", number.Mask())
	}
	return ok("%s belongs to the account", number.Mask())
}

// notOwned is what the other checks say about a number that number-owned already reported.
func notOwned(number sms.PhoneNumber) Finding {
	return skipped("%s is not a number of the account, see number-owned", number.Mask())
}

// sendsFewer reports whether the number is a thread that cannot do MMS, of a route whose own number can.
func (e *exam) sendsFewer(number sms.PhoneNumber, thread *twilio.Number) bool {
	r, isThread := e.routeWithThread(number)
	all, err := e.numbers()
	return isThread && err == nil && !thread.MMS &&
		slices.ContainsFunc(all, func(n twilio.Number) bool { return n.MMS && sms.Same(n.PhoneNumber, r.TwilioNumber) })
}

func numberCapabilities(e *exam, number sms.PhoneNumber, owned *twilio.Number) Finding {
	switch {
	case owned == nil:
		return notOwned(number)
	case !owned.SMS:
		return fail("use a number that can do SMS: Twilio's console, Phone Numbers, Buy a number", "%s cannot do SMS", number.Mask())
	case e.sendsFewer(number, owned):
		return warn("use threads that can do MMS: Twilio's console, Phone Numbers, Buy a number",
			"%s cannot do MMS, and the number of its route can: from this thread the phones get words without pictures", number.Mask())
	default:
		return ok("%s can do SMS", number.Mask())
	}
}

func webhookURL(e *exam, number sms.PhoneNumber, owned *twilio.Number) Finding {
	switch {
	case owned == nil:
		return notOwned(number)
	case owned.SmsApplicationSid != "":
		return fail("in Twilio's console, the number's Messaging Configuration, choose Webhook instead of TwiML App",
			"%s uses a TwiML application, so Twilio ignores its webhook", number.Mask())
	case owned.SmsURL == "":
		return fail(fixNumber, "%s has no webhook", number.Mask())
	case len(e.PublicBaseURLs) == 0:
		return skipped("PUBLIC_BASE_URL is not set here, see public-url")
	case !e.isOurs(owned.SmsURL):
		return fail(fixNumber, "%s posts its texts to %s, which is not a URL of PUBLIC_BASE_URL with %s", number.Mask(), shown(owned.SmsURL),
			inboundPath)
	default:
		return ok("%s posts its texts here", number.Mask())
	}
}

// isOurs reports whether a webhook is a URL of the relay, with any connection overrides.
func (e *exam) isOurs(address string) bool {
	return slices.ContainsFunc(e.PublicBaseURLs, func(base string) bool {
		return canonical(address) == canonical(strings.TrimSuffix(withoutOverrides(base), "/")+inboundPath)
	})
}

// withoutOverrides cuts the fragment off.
func withoutOverrides(address string) string {
	before, _, _ := strings.Cut(address, "#")
	return before
}

// canonical returns a URL in a form that can be compared: without fragment, and always with its port.
func canonical(address string) string {
	parsed, err := url.Parse(withoutOverrides(address))
	if err != nil {
		return address
	}
	port := parsed.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[parsed.Scheme]
	}
	host := parsed.User.String() + "@" + strings.ToLower(parsed.Hostname()) + ":" + port
	return parsed.Scheme + "://" + host + parsed.EscapedPath() + "?" + parsed.RawQuery
}

// shown returns a URL for people: without a password, a query and the overrides.
func shown(address string) string {
	parsed, err := url.Parse(address)
	if err != nil {
		return "something that is not a URL"
	}
	return (&url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: parsed.Path}).String()
}

func webhookMethod(_ *exam, number sms.PhoneNumber, owned *twilio.Number) Finding {
	switch {
	case owned == nil:
		return notOwned(number)
	case owned.SmsMethod != http.MethodPost:
		return warn(fixNumber, "%s calls its webhook with %q", number.Mask(), owned.SmsMethod)
	case owned.SmsFallbackURL != "" && owned.SmsFallbackMethod != http.MethodPost:
		return warn(fixNumber, "%s calls its fallback URL with %q", number.Mask(), owned.SmsFallbackMethod)
	default:
		return ok("%s uses POST", number.Mask())
	}
}

func webhookRetries(_ *exam, number sms.PhoneNumber, owned *twilio.Number) Finding {
	if owned == nil {
		return notOwned(number)
	}
	if owned.SmsURL == "" {
		return skipped("%s has no webhook, see webhook-url", number.Mask())
	}
	_, fragment, _ := strings.Cut(owned.SmsURL, "#")
	overrides, err := url.ParseQuery(fragment)
	if err != nil {
		return fail(fixNumber, "%s has connection overrides that Twilio cannot read", number.Mask())
	}
	policy := strings.Split(overrides.Get("rp"), ",")
	retried := func(failure string) bool { return slices.Contains(policy, failure) || slices.Contains(policy, "all") }
	switch {
	case !retried("5xx"), !retried("rt"), overrides.Get("rc") == "0":
		return fail(fixNumber, "for %s, Twilio does not try again after a 5xx or a late answer (#%s is missing)", number.Mask(), cli.Overrides)
	default:
		return ok("for %s, Twilio tries again after a failure", number.Mask())
	}
}

func webhookFallback(_ *exam, number sms.PhoneNumber, owned *twilio.Number) Finding {
	switch {
	case owned == nil:
		return notOwned(number)
	case owned.SmsFallbackURL == "":
		return warn(fixNumber, "%s has no fallback URL", number.Mask())
	case !strings.HasSuffix(withoutOverrides(owned.SmsFallbackURL), inboundPath):
		return warn(fixNumber, "%s has a fallback URL that is not the relay's: %s", number.Mask(), shown(owned.SmsFallbackURL))
	default:
		return ok("%s has a fallback URL", number.Mask())
	}
}

// newest is how many of a number's texts are checked.
const newest = 20

// messagingService checks the newest texts to each number: Twilio says through which service each came.
func messagingService(ctx context.Context, e *exam) Finding {
	numbers, _, missing := e.numbersToCheck()
	if missing != "" {
		return skipped("%s", missing)
	}
	findings := make([]Finding, len(numbers))
	for i, number := range numbers {
		found, err := e.Twilio.List(ctx, sms.ListFilter{To: number, Limit: newest})
		in := slices.ContainsFunc(found, func(m sms.Listed) bool { return m.MessagingServiceSid != "" })
		switch {
		case err != nil:
			findings[i] = skipped("the texts to %s could not be listed: %v", number.Mask(), err)
		case in:
			findings[i] = warn("Twilio's console, Messaging, Services, the service, Integration: Defer to sender's webhook",
				"%s is in a Messaging Service, which must leave incoming messages to the number's own webhook", number.Mask())
		case len(found) == 0:
			findings[i] = skipped("nobody has texted %s yet: check in Twilio's console, Messaging, Services, whether it is in one", number.Mask())
		default:
			findings[i] = ok("%s got its newest texts without a Messaging Service", number.Mask())
		}
	}
	return together(findings)
}
