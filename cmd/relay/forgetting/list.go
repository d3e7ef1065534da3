package forgetting

import (
	"context"
	"crypto/hmac"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// List says who was forgotten, by keyed hashes. It is kept where the backups are: an older backup has what these customers wrote, and a
// restore of it erases that again.
type List struct {
	// Key is the random key of the hashes.
	Key       []byte      `json:"key"`
	Customers []Forgotten `json:"customers"`
}

// Forgotten is one customer of the list.
type Forgotten struct {
	Hash string `json:"hash"`
	// Ends is what the audit log has of the number, By who gave the order, At when: what came in until then is not to come back.
	Ends string    `json:"customer"`
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	// IsOver: no text that came in until then was needed any more. Twilio has none of their words.
	IsOver bool `json:"over"`
}

// ListOf returns the list of a database.
func ListOf(ctx context.Context, db *sqlite.DB) (List, error) {
	l := List{Customers: []Forgotten{}}
	var err error
	if l.Key, err = db.Forgotten().Key(ctx); err != nil {
		return l, err
	}
	orders, err := Orders(ctx, db)
	for _, o := range orders {
		l.Customers = append(l.Customers, Forgotten{Hash: o.Hash, Ends: o.Ends, By: o.By, At: o.At, IsOver: o.IsHereDone})
	}
	return l, err
}

// With returns the list with the customers of another one that has the same key. Of a customer who is in both, the other one, or the later
// order, counts.
func (l List) With(other List) List {
	if len(l.Key) == 0 || !hmac.Equal(l.Key, other.Key) {
		return other
	}
	l.Customers = slices.Clone(l.Customers)
	for _, one := range other.Customers {
		at := slices.IndexFunc(l.Customers, func(c Forgotten) bool { return c.Hash == one.Hash })
		switch {
		case at < 0:
			l.Customers = append(l.Customers, one)
		case !one.At.Before(l.Customers[at].At):
			l.Customers[at] = one
		}
	}
	return l
}

// of returns what the list says of a customer; found is false if it says nothing.
func (l List) of(customer sms.PhoneNumber) (c Forgotten, found bool) {
	hash := sqlite.HashOf(l.Key, customer)
	at := slices.IndexFunc(l.Customers, func(c Forgotten) bool { return c.Hash == hash })
	if at < 0 {
		return Forgotten{}, false
	}
	return l.Customers[at], true
}

// Has reports whether the list says of a customer that what came in at that time is not to come back.
func (l List) Has(customer sms.PhoneNumber, at time.Time) bool {
	c, found := l.of(customer)
	return found && !at.After(c.At)
}
