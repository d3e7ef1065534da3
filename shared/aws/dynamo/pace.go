package dynamo

import (
	"context"
	cryptorand "crypto/rand"
	"errors"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// A process that was overtaken tries again after a time between these, so that many processes do not collide again.
const (
	shortestRematch = 100 * time.Millisecond
	longestRematch  = time.Second
)

// memoryAge is how long an item is assumed to be as it was last seen. A process that books several times a second reads
// nothing; if several processes book now and then, none uses what another has long changed.
const memoryAge = time.Second

// attrWriter distinguishes the items of two processes: if both make the same booking from the same version, their items are
// otherwise equal, and only one of them has booked.
const attrWriter = "Writer"

var _ pace.Book = (*Pace)(nil)

// Pace keeps what was booked in a table of [PaceSchema], one item for each Twilio number. It remembers items for memoryAge, so
// that under load a booking is one conditional write and no read. The first booking for a number after a pause, and the one
// after a write with an unknown result, begin with a read. It is safe for concurrent use: the bookings for one number take
// turns, and do not delay those for other numbers.
type Pace struct {
	table  table
	writer string

	mu      sync.Mutex
	numbers map[sms.PhoneNumber]*pacedNumber
}

// NewPace returns the book in the table of that name.
func NewPace(cfg aws.Config, tableName string) *Pace {
	return newPace(sdk.NewFromConfig(cfg), tableName)
}

func newPace(client api, tableName string) *Pace {
	return &Pace{
		table:   table{client: client, name: tableName, key: attrTwilioNumber},
		writer:  cryptorand.Text(),
		numbers: map[sms.PhoneNumber]*pacedNumber{},
	}
}

// Reserve books the next free moment with one conditional write, see [pace.Book].
func (p *Pace) Reserve(ctx context.Context, r pace.Request, now time.Time) (time.Time, error) {
	if r.Limits.Off() {
		return now, nil
	}
	n := p.number(r.Number)
	if err := n.takeTurn(ctx); err != nil {
		return time.Time{}, err
	}
	defer n.endTurn()
	if !n.seen || now.Sub(n.at).Abs() > memoryAge {
		stored, err := p.table.get(ctx, string(r.Number))
		if err != nil {
			return time.Time{}, err
		}
		if err := n.see(stored); err != nil {
			return time.Time{}, err
		}
	}
	n.at = now
	return p.book(ctx, n, r, now)
}

// book writes a booking over the item that n remembers.
func (p *Pace) book(ctx context.Context, n *pacedNumber, r pace.Request, now time.Time) (time.Time, error) {
	state, at := n.state.Book(r, now)
	if r.TooLate(at) {
		return at, nil
	}
	condition, version := atVersion(n.version), n.version+1
	if n.version == 0 {
		// The version of an item that is created again after it expired starts at the current time, not at 1: it must never match
		// what another process remembers of the expired item.
		condition, version = p.table.absent(), now.UnixMilli()
	}
	wanted, err := p.item(r, state, version)
	if err != nil {
		return time.Time{}, err
	}
	stored, ok, err := p.table.put(ctx, wanted, condition)
	switch {
	case err != nil:
		// If it may have been written, the remembered item may be out of date.
		n.seen = fault.Of(err).Kind != fault.Unknown
		return time.Time{}, err
	case ok:
		n.state, n.version = state, version
		return at, nil
	}
	if err := n.see(stored); err != nil {
		return time.Time{}, err
	}
	return time.Time{}, overtaken()
}

// item returns a number's state as its item.
func (p *Pace) item(r pace.Request, state pace.State, version int64) (item, error) {
	encoded, err := encode(state)
	if err != nil {
		return nil, unstorable(err)
	}
	encoded[attrTwilioNumber] = attribute(string(r.Number))
	encoded[attrVersion] = integer(version)
	encoded[attrWriter] = attribute(p.writer)
	encoded[attrExpiresAt] = integer(state.Until(r.Limits).Unix() + 1)
	return encoded, nil
}

// overtaken returns the fault of a booking after another process booked first.
func overtaken() error {
	return &fault.Error{
		Kind:       fault.Throttled,
		RetryAfter: shortestRematch + rand.N(longestRematch-shortestRematch),
		Err:        errors.New("another process booked for the number at the same time"),
	}
}

// number returns what is remembered about a number.
func (p *Pace) number(number sms.PhoneNumber) *pacedNumber {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, ok := p.numbers[number]
	if !ok {
		n = &pacedNumber{turn: make(chan struct{}, 1)}
		p.numbers[number] = n
	}
	return n
}

// pacedNumber is the item of one number as this process last saw it. Only the goroutine that has the turn may use it.
type pacedNumber struct {
	// turn is full while someone has it.
	turn chan struct{}
	// seen is whether state and version are known, as of at; version 0 is that there is no item.
	seen    bool
	at      time.Time
	version int64
	state   pace.State
}

func (n *pacedNumber) takeTurn(ctx context.Context) error {
	select {
	case n.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return &fault.Error{Kind: fault.Transient, Err: ctx.Err()}
	}
}

func (n *pacedNumber) endTurn() { <-n.turn }

// see remembers an item, nil if there is none.
func (n *pacedNumber) see(stored item) error {
	version, state, err := paced(stored)
	if err != nil {
		n.seen = false
		return unreadable(sms.PhoneNumber(text(stored, attrTwilioNumber)).Mask(), err)
	}
	n.seen, n.version, n.state = true, version, state
	return nil
}

// paced reads an item of the pace table.
func paced(stored item) (version int64, state pace.State, err error) {
	if len(stored) == 0 {
		return 0, pace.State{}, nil
	}
	var counted struct{ Version int64 }
	if err := decode(stored, &counted); err != nil {
		return 0, pace.State{}, err
	}
	if counted.Version < 1 {
		return 0, pace.State{}, errors.New("attribute Version is missing")
	}
	err = decode(stored, &state)
	return counted.Version, state, err
}

// integer returns a whole number as DynamoDB has it.
func integer(n int64) *types.AttributeValueMemberN {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}
