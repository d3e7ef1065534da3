// Package workload makes the ledger of a busy relay: records of texts that nobody sent, spread over days, numbers and
// customers, each with the history that the state machine would have given it. Ledgers of any size are made of it, to
// find out what looking into one costs. Every phone number is from the range that is set aside for fiction.
//
// It makes records alone: no message waits on a queue for any of them, and none is in a state in which one would have
// to. It keeps them nowhere; that is for the stores.
package workload

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"quickdumpnow.com/smsrelay/shared/duration"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// The bounds of what is made.
const (
	maxTexts = 100_000_000
	maxDays  = 365
)

const (
	// twilioNumbers is how many numbers of the business are texted, customers how many people text them.
	twilioNumbers = 40
	customers     = 6_000
	// perArea is how many fictional numbers an area code has.
	perArea = 100
	// manualIn is of how many texts one was sent by an operator.
	manualIn = 50
)

// Config says what to make. The same Config makes the same records.
type Config struct {
	// Seed picks one of very many ledgers of the same kind.
	Seed uint64
	// Texts is how many records are made, 1 to 100,000,000.
	Texts int
	// Days is over how many days before Until they are spread, 1 to 365.
	Days  int
	Until time.Time
	// Retention is how long the ledger is to keep a record.
	Retention time.Duration
}

// Validate returns everything that is wrong with c.
func (c Config) Validate() error {
	var problems []error
	if c.Texts < 1 || c.Texts > maxTexts {
		problems = append(problems, fmt.Errorf("texts: %d is not from 1 to %d", c.Texts, maxTexts))
	}
	if c.Days < 1 || c.Days > maxDays {
		problems = append(problems, fmt.Errorf("days: %d is not from 1 to %d", c.Days, maxDays))
	}
	if c.Retention < ledger.MinRetention || c.Retention > ledger.MaxRetention {
		problems = append(problems, fmt.Errorf("retention: %s is not from %s to %s",
			duration.Text(c.Retention), duration.Text(ledger.MinRetention), duration.Text(ledger.MaxRetention)))
	}
	return errors.Join(problems...)
}

// Records makes the records, the oldest first, each with the Version that its history has led to. An error is a defect:
// a history that the state machine does not have.
func (c Config) Records() iter.Seq2[ledger.Record, error] {
	return func(yield func(ledger.Record, error) bool) {
		m := newMaker(c)
		for n := range c.Texts {
			if !yield(m.make(n)) {
				return
			}
		}
	}
}

// maker makes one record after the other.
type maker struct {
	Config

	rng *rand.Rand
	// customer picks who texts: few text often, most seldom.
	customer *rand.Zipf
	rhythm   rhythm
	endings  []ending
	// weight is that of all endings together.
	weight int
}

func newMaker(c Config) *maker {
	rng := rand.New(rand.NewPCG(c.Seed, uint64(c.Texts))) //nolint:gosec // not negative
	m := &maker{Config: c, rng: rng, customer: rand.NewZipf(rng, 1.1, 20, customers-1), rhythm: newRhythm(), endings: endings()}
	for _, e := range m.endings {
		m.weight += e.weight
	}
	return m
}

func (m *maker) make(n int) (ledger.Record, error) {
	received := ledger.Stamp(m.received(n))
	who := int(m.customer.Uint64()) //nolint:gosec // less than customers
	number := who % twilioNumbers
	if m.rng.IntN(10) == 0 {
		number = m.rng.IntN(twilioNumbers)
	}
	s := &story{rng: m.rng, number: number, now: received, record: ledger.Record{
		MessageSid: sid(m.rng, "SM"), TwilioNumber: TwilioNumber(number), Customer: Customer(who), Body: words(m.rng),
		ReceivedAt: received, UpdatedAt: received, ExpiresAt: received.Add(m.Retention).Unix(),
	}}
	if m.rng.IntN(manualIn) == 0 {
		s.record.MessageSid, s.record.Manual, s.record.Destination = sid(m.rng, "RL"), true, s.record.Customer
		s.record.Customer = ""
	}
	m.ending()(s)
	return s.record, s.err
}

// ending picks what happens to a text.
func (m *maker) ending() func(*story) {
	at := m.rng.IntN(m.weight)
	for _, e := range m.endings {
		if at -= e.weight; at < 0 {
			return e.tell
		}
	}
	return delivered
}

// received returns when the nth text came: later than the one before, and more often by day than by night.
func (m *maker) received(n int) time.Time {
	days, part := split((float64(n) + m.rng.Float64()) / float64(m.Texts) * float64(m.Days))
	return m.Until.AddDate(0, 0, days-m.Days).Add(m.rhythm.at(part))
}

// TwilioNumber returns the nth number of the business.
func TwilioNumber(n int) sms.PhoneNumber { return fictional(858, n%twilioNumbers) }

// Customer returns the nth customer's number; the first ones text the most.
func Customer(n int) sms.PhoneNumber {
	areas := areaCodes()
	return fictional(areas[n/perArea%len(areas)], n%perArea)
}

// destination returns the phone of the given hop for texts to the nth number of the business.
func destination(n, hop int) sms.PhoneNumber { return fictional(619, (2*n+hop)%perArea) }

func fictional(area, n int) sms.PhoneNumber {
	return sms.PhoneNumber(fmt.Sprintf("+1%03d55501%02d", area, n))
}

// sid returns a fresh sid of the form that Twilio gives.
func sid(rng *rand.Rand, kind string) string {
	return fmt.Sprintf("%s%016x%016x", kind, rng.Uint64(), rng.Uint64())
}

// areaCodes are those of the customers, of all corners of the country.
func areaCodes() []int {
	return []int{
		201, 202, 203, 205, 206, 207, 208, 209, 210, 212, 213, 214, 215, 216, 217, 218, 219, 224, 225, 228,
		229, 231, 234, 239, 240, 248, 251, 252, 253, 254, 256, 260, 262, 267, 269, 270, 276, 281, 301, 302,
		303, 304, 305, 307, 308, 309, 310, 312, 313, 314, 315, 316, 317, 318, 319, 320, 321, 323, 325, 330,
	}
}
