package route

import (
	"context"
	"errors"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// ErrConflict means that someone else wrote the route after it was read.
var ErrConflict = errors.New("route was changed by someone else")

// Table is the routing table's contract. Errors other than those named are *fault.Error.
type Table interface {
	// Lookup returns the routes that exist among the given Twilio numbers (at most 100), in one round trip. A number without a
	// route is absent from the answer. The answer may be slightly older than the last write.
	Lookup(ctx context.Context, numbers ...sms.PhoneNumber) (map[sms.PhoneNumber]Route, error)
	// Put writes r if the stored version equals r.Version (0: there is none), stores it with r.Version+1 and returns what was
	// stored. The error is ErrConflict if the stored version is different.
	Put(ctx context.Context, r Route) (Route, error)
	// List returns all routes in order of TwilioNumber. If some of them cannot be read, it returns the others, and an *UnreadableError
	// that names those.
	List(ctx context.Context) ([]Route, error)
}
