package twiliofake

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	defaultPosts = 16
	maxPosts     = 1024
)

// Config says which account the fake is and where it posts. AccountSid, AuthToken and Now are required.
type Config struct {
	// AccountSid is the one account there is: "AC" and 32 hexadecimal digits.
	AccountSid string
	// AuthToken is the account's password, and the key that signs every webhook and callback.
	AuthToken string
	// APIKeySid ("SK" and 32 hexadecimal digits) and APIKeySecret are a second pair of credentials for the API.
	// They never sign. Both empty: there is no API key.
	APIKeySid    string
	APIKeySecret string
	// Numbers are the senders that the account owns. Empty: every E.164 number is its own.
	Numbers []sms.PhoneNumber
	// Webhook is where inbound messages of every number go that Webhooks does not name.
	Webhook Webhook
	// Webhooks is where the inbound messages of single numbers go.
	Webhooks map[sms.PhoneNumber]Webhook
	// ReceiptsTo is the status callback URL of a message that names none, as a Messaging Service's own setting
	// would be. Empty: such a message has no callbacks.
	ReceiptsTo string
	// Outcomes says what happens to messages to these numbers; messages to all others are delivered.
	// Nil means those of the magic numbers that the package comment mentions.
	Outcomes map[sms.PhoneNumber]Outcome
	// Answers are the phones that answer texts of customers by themselves.
	Answers map[sms.PhoneNumber]PhoneAnswer
	// AccountStatus is the account's: "active", "suspended" or "closed". Empty means active. It is only told: messages are
	// taken all the same.
	AccountStatus string
	// StepDelay is the pause before each change of status. At zero the first callback may well arrive before the
	// answer to the create request, as it may with Twilio.
	StepDelay time.Duration
	// FetchMedia makes the server fetch the MediaUrl of messages before it sends them, as Twilio does: HEAD, and MediaDelay later GET.
	// A message whose attachments cannot be had fails with 11200, 12300 or 11751. Without it MediaUrls are only counted.
	FetchMedia bool
	MediaDelay time.Duration
	// Posts is how many callbacks may be under way at once. Zero means 16.
	Posts int
	// Now is the clock of the dates in the resources.
	Now func() time.Time
	// NewSid makes an identifier of the given prefix and 32 hexadecimal digits. Nil means random ones.
	NewSid func(prefix string) string
	// Client posts callbacks and webhooks. Its redirect policy is not used: redirects are never followed, a 3xx is
	// a failure. Nil means a client of the server's own.
	Client *http.Client
	// Logger gets one line for each message and post, with numbers masked. Nil logs nothing.
	Logger *slog.Logger
	// Faults are the ways in which Twilio misbehaves. The zero value behaves well.
	Faults Faults
	// Misbehaviour is what chance adds to them at the start.
	Misbehaviour Misbehaviour
	// Registrations are what numbers are registered as with the carriers. Those that are not named are registered.
	Registrations map[sms.PhoneNumber]Registration
	// KeywordReplies replies to STOP, START and HELP, and the other words that Twilio replies to.
	KeywordReplies bool
	// Exchanges is how many of the last requests and callbacks are kept for people to look at. Zero: none.
	Exchanges int
	// OnEvent is told what happens, from several goroutines at once, and must return promptly. Nil tells nobody.
	OnEvent func(Event)
}

// Webhook is where a number's inbound messages are posted. Both URLs may carry connection overrides in their
// fragment, as in "https://example.com/sms/inbound#rc=5&rp=5xx,ct,rt".
type Webhook struct {
	// URL is asked first. Empty: the number has no webhook.
	URL string
	// FallbackURL is called if URL failed or did not answer with TwiML. Empty: there is no fallback.
	FallbackURL string
}

// validate reports every problem at once.
func (c Config) validate() error {
	var problems []error
	require := func(ok bool, format string, args ...any) {
		if !ok {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	require(isSid(c.AccountSid, "AC"), "AccountSid: want AC and 32 hexadecimal digits, got %q", c.AccountSid)
	require(c.AuthToken != "", "AuthToken is empty: webhooks cannot be signed")
	require(c.APIKeySid == "" || isSid(c.APIKeySid, "SK"), "APIKeySid: want SK and 32 hexadecimal digits, got %q", c.APIKeySid)
	require((c.APIKeySid == "") == (c.APIKeySecret == ""), "APIKeySid and APIKeySecret: one is set without the other")
	require(c.Now != nil, "Now is nil")
	require(slices.Contains([]string{"", "active", "suspended", "closed"}, c.AccountStatus),
		"AccountStatus: want active, suspended or closed, got %q", c.AccountStatus)
	require(c.StepDelay >= 0, "StepDelay: %s is negative", c.StepDelay)
	require(c.MediaDelay >= 0, "MediaDelay: %s is negative", c.MediaDelay)
	require(c.Posts >= 0 && c.Posts <= maxPosts, "Posts: want 0 to %d, got %d", maxPosts, c.Posts)
	require(c.Faults.ListLag >= 0, "Faults: ListLag: %s is negative", c.Faults.ListLag)
	require(isCallbackURL(c.ReceiptsTo), "ReceiptsTo is not an absolute http or https URL")
	problems = append(problems, c.Misbehaviour.Validate(), c.Webhook.validate("Webhook"))
	for number, hook := range c.Webhooks {
		problems = append(problems, hook.validate("Webhooks: "+number.Mask()))
	}
	for number, registration := range c.Registrations {
		require(registration.IsKnown(), "Registrations: %s cannot be %q", number.Mask(), registration)
	}
	require(c.Exchanges >= 0, "Exchanges: %d is negative", c.Exchanges)
	for number, outcome := range c.Outcomes {
		_, known := stepsTo(outcome.Status)
		require(known, "Outcomes: %s cannot end as %q", number.Mask(), outcome.Status)
	}
	return errors.Join(problems...)
}

// validate checks the URLs that are set, and their overrides.
func (w Webhook) validate(name string) error {
	var problems []error
	for field, raw := range map[string]string{"URL": w.URL, "FallbackURL": w.FallbackURL} {
		if raw == "" {
			continue
		}
		if !isWebURL(raw) {
			problems = append(problems, fmt.Errorf("%s: %s is not an absolute http or https URL", name, field))
		}
		if _, _, _, err := splitOverrides(raw); err != nil {
			problems = append(problems, fmt.Errorf("%s: %s: %w", name, field, err))
		}
	}
	return errors.Join(problems...)
}

func (c Config) withDefaults() Config {
	if c.Outcomes == nil {
		c.Outcomes = defaultOutcomes()
	}
	if c.Posts == 0 {
		c.Posts = defaultPosts
	}
	if c.NewSid == nil {
		c.NewSid = randomSid
	}
	if c.AccountStatus == "" {
		c.AccountStatus = "active"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.OnEvent == nil {
		c.OnEvent = func(Event) {}
	}
	c.Client = poster(c.Client, c.Posts)
	return c
}

// poster returns a copy of client that hands redirects back instead of following them.
func poster(client *http.Client, posts int) *http.Client {
	posting := http.Client{}
	if client != nil {
		posting = *client
	} else if transport, ok := http.DefaultTransport.(*http.Transport); ok {
		transport = transport.Clone()
		transport.MaxIdleConnsPerHost = posts
		posting.Transport = transport
	}
	posting.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &posting
}

func (c Config) webhookOf(number sms.PhoneNumber) Webhook {
	if hook, found := c.Webhooks[number]; found {
		return hook
	}
	return c.Webhook
}

func randomSid(prefix string) string {
	var random [16]byte
	_, _ = rand.Read(random[:]) // it never fails: see its documentation
	return prefix + hex.EncodeToString(random[:])
}

// isSid reports whether sid is one of the prefixes and 32 hexadecimal digits.
func isSid(sid string, prefixes ...string) bool {
	if len(sid) != 34 || !slices.Contains(prefixes, sid[:2]) {
		return false
	}
	_, err := hex.DecodeString(sid[2:])
	return err == nil
}
