package doctor

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// Relay is what doctor checks. If a field is nil, the checks that need it are skipped.
type Relay struct {
	// AWS is set if the relay runs on AWS, Host if it runs on one host.
	AWS  *AWS
	Host *Host
	// OpenErr is why the relay's tables and queues could not be opened; nil if they were.
	OpenErr error
	// Where names the relay for people.
	Where string
	Now   func() time.Time

	Routes      routeLister
	Ledger      ledger.Lister
	DeadLetters letterCounter
	// Customers lists the conversations.
	Customers conversation.Lister
	// Number restricts the checks of numbers and texts to one, which may be a thread; empty means every number that has an active
	// route, and its threads.
	Number sms.PhoneNumber

	// Twilio asks with the credentials that send, WithToken with the first Auth Token; nil if they are not known.
	Twilio    Twilio
	WithToken Twilio
	// OwnTwilio means that it is the real Twilio, not a fake for trials.
	OwnTwilio bool
	// AuthTokens check webhooks, newest first.
	AuthTokens []string
	// PublicBaseURLs are the relay's URLs that Twilio was given.
	PublicBaseURLs []string
	// HTTP asks the front door. It must not follow redirects.
	HTTP httpDoer
	// Build is the build of this program.
	Build telemetry.Build
	// PacePair is the pace limit from a number to a phone, nil if it is not known.
	PacePair *pace.Limit
}

// routeLister has the routing table.
type routeLister interface {
	List(ctx context.Context) ([]route.Route, error)
}

// letterCounter counts what is on a queue.
type letterCounter interface {
	Depth(ctx context.Context) (visible, inFlight int, err error)
}

// Twilio is what the checks need of Twilio. Errors are *fault.Error.
type Twilio interface {
	Account(ctx context.Context) (twilio.Account, error)
	Numbers(ctx context.Context, only sms.PhoneNumber) ([]twilio.Number, error)
	List(ctx context.Context, filter sms.ListFilter) ([]sms.Listed, error)
}

// httpDoer makes HTTP requests, as *http.Client does.
type httpDoer interface {
	Do(r *http.Request) (*http.Response, error)
}

func (r Relay) set() hostSet {
	if r.AWS != nil {
		return onAWS
	}
	return onOneHost
}

// exam is one run of the checks. What several checks need is asked only once.
type exam struct {
	Relay
	routes func() ([]route.Route, error)
	// unreadable are the stored routes that routes could not read.
	unreadable []route.Unreadable
	recent     func() ([]ledger.Record, error)
	account    func() answered
	numbers    func() ([]twilio.Number, error)
}

// answered is Twilio's answer about the account, and when it arrived.
type answered struct {
	account twilio.Account
	at      time.Time
	err     error
}

// evidence is how far back the checks read texts, and how many at most.
const (
	evidence     = 7 * 24 * time.Hour
	maxEvidence  = 300
	errNotOpened = "the relay could not be opened, see relay-open"
)

func newExam(ctx context.Context, r Relay) *exam {
	e := &exam{Relay: r}
	e.routes = sync.OnceValues(func() ([]route.Route, error) {
		if r.Routes == nil {
			return nil, errors.New(errNotOpened)
		}
		routes, unreadable, err := route.Readable(r.Routes.List(ctx))
		e.unreadable = unreadable
		return routes, err
	})
	e.recent = sync.OnceValues(func() ([]ledger.Record, error) {
		if r.Ledger == nil {
			return nil, errors.New(errNotOpened)
		}
		return listed(ctx, r.Ledger, ledger.Query{Number: e.inLedger(), Since: r.Now().Add(-evidence)}, maxEvidence)
	})
	e.account = sync.OnceValue(func() answered {
		account, err := r.Twilio.Account(ctx)
		return answered{account, r.Now(), err}
	})
	e.numbers = sync.OnceValues(func() ([]twilio.Number, error) {
		if r.Twilio == nil {
			return nil, errNoCredentials
		}
		return r.Twilio.Numbers(ctx, "")
	})
	return e
}

var errNoCredentials = errors.New("Twilio's credentials are not set here, see twilio-credentials") //nolint:staticcheck // Twilio is a name.

// listed reads the newest texts of a query by page, about most of them.
func listed(ctx context.Context, texts ledger.Lister, query ledger.Query, most int) ([]ledger.Record, error) {
	var records []ledger.Record
	query.Limit = ledger.MaxLimit
	for {
		page, err := texts.List(ctx, query)
		if err != nil {
			return nil, err
		}
		records = append(records, page.Records...)
		if page.Next.IsZero() || len(records) >= most {
			return records, nil
		}
		query.Cursor = page.Next
	}
}

// routed returns the active routes, or only the one that the number to check belongs to.
func (e *exam) routed() ([]route.Route, error) {
	routes, err := e.routes()
	var active []route.Route
	for _, r := range routes {
		if r.Active && (e.Number == "" || r.Owns(e.Number)) {
			active = append(active, r)
		}
	}
	return active, err
}

// inLedger returns the number under which the ledger has the texts to check; empty means all. A thread's texts are its route's.
func (e *exam) inLedger() sms.PhoneNumber {
	if r, ok := e.routeWithThread(e.Number); ok {
		return r.TwilioNumber
	}
	return e.Number
}

// routeWithThread returns the active route that has the number as a thread.
func (e *exam) routeWithThread(number sms.PhoneNumber) (route.Route, bool) {
	routes, err := e.routed()
	if err != nil || number == "" {
		return route.Route{}, false
	}
	return route.WithThread(routes, number)
}
