package forgetting

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// RestoredFolder is Restored for a folder that nobody works on yet. isLate is true if its database is of an older version of this program:
// relay serve brings that up to date, and erases then.
func RestoredFolder(ctx context.Context, folder string, list List, now func() time.Time) (customers int, isLate bool, err error) {
	file := filepath.Join(folder, datafolder.DatabaseFile)
	db, err := sqlite.Attach(ctx, file, now)
	if errors.Is(err, sqlite.ErrOlderSchema) {
		return 0, true, nil
	}
	if err != nil {
		return 0, false, err
	}
	w := Worker{
		DB: db, RemoveFile: RemoveFrom(folder), Share: func(context.Context, List) error { return nil }, Now: now,
	}
	customers, err = w.Restored(ctx, list)
	// The file is to be all there is of it.
	return customers, false, errors.Join(err, db.Close(), sqlite.Fold(ctx, file))
}

// RemoveFrom returns what removes copies of attachments from a data folder.
func RemoveFrom(data string) func(token media.Token) (removed bool, err error) {
	return func(token media.Token) (bool, error) {
		if !token.IsValid() {
			return false, nil
		}
		err := os.Remove(filepath.Join(data, datafolder.MediaFolder, string(token)))
		if errors.Is(err, fs.ErrNotExist) {
			return false, nil
		}
		return err == nil, err
	}
}

// Restored erases again, in a database that came back with an older backup, what it has of the customers on the list, and returns how many
// that are. Twilio is asked to erase again what it may have: relay serve does that. Nothing of these customers is sent that came in before
// the order, if the list says that none of it was needed any more. It may be broken off and repeated.
func (w Worker) Restored(ctx context.Context, list List) (customers int, err error) {
	if len(list.Key) == 0 || len(list.Customers) == 0 {
		return 0, nil
	}
	key, err := w.DB.Forgotten().MakeKey(ctx, list.Key)
	if err != nil {
		return 0, err
	}
	everybody, err := w.DB.Forgotten().Customers(ctx)
	if err != nil {
		return 0, fmt.Errorf("list the customers: %w", err)
	}
	for _, customer := range everybody {
		if c, found := list.of(customer); found {
			if err := w.restored(ctx, key, customer, c); err != nil {
				return customers, fmt.Errorf("forget a customer again: %w", err)
			}
			customers++
		}
	}
	return customers, w.rest(ctx, key, list)
}

// rest keeps in the database that the other customers of the list were forgotten, of whom it has nothing.
func (w Worker) rest(ctx context.Context, key []byte, list List) error {
	if string(key) != string(list.Key) {
		// Their hashes mean nothing here.
		return nil
	}
	for _, c := range list.Customers {
		_, found, err := find(ctx, w.DB, c.Hash)
		if err != nil || found {
			if err != nil {
				return err
			}
			continue
		}
		o := Order{Hash: c.Hash, Ends: c.Ends, By: c.By, At: c.At, IsHereDone: true, IsListed: true, DoneAt: c.At}
		if err := o.keep(ctx, w.DB); err != nil {
			return err
		}
	}
	return nil
}

func (w Worker) restored(ctx context.Context, key []byte, customer sms.PhoneNumber, c Forgotten) error {
	hash := sqlite.HashOf(key, customer)
	o, found, err := find(ctx, w.DB, hash)
	if err != nil || found && !o.At.Before(c.At) && (o.IsHereDone || !c.IsOver) {
		return err
	}
	plan, err := Look(ctx, w.DB, customer, w.Now())
	if err != nil {
		return err
	}
	o = Order{Hash: hash, Ends: c.Ends, By: c.By, At: c.At, Customer: customer, Names: plan.Names, version: o.version}
	if c.IsOver {
		if err := w.endTexts(ctx, o); err != nil {
			return err
		}
	}
	if err := o.keep(ctx, w.DB); err != nil {
		return err
	}
	return w.here(ctx, &o)
}

// endTexts ends the texts that came in before the order. One that is on a queue alone gets a record: whoever takes it from there finds that
// nothing is to be sent.
func (w Worker) endTexts(ctx context.Context, o Order) error {
	texts, _, err := w.DB.Forgotten().Texts(ctx, o.wanted())
	if err != nil {
		return err
	}
	for _, r := range texts {
		if r.ReceivedAt.After(o.At) || ledger.IsForgotten(r) {
			continue
		}
		if _, err := auditlog.Change(ctx, w.DB.Ledger(), r, func(r ledger.Record) (ledger.Record, bool, error) {
			ended, err := ledger.EndForgotten(r, w.Now())
			changed := ended.State != r.State || ended.Reason != r.Reason
			return ended, changed, err
		}); err != nil {
			return err
		}
	}
	waiting, err := w.DB.Forgotten().Waiting(ctx, o.wanted())
	if err != nil {
		return err
	}
	for _, e := range waiting {
		if e.ReceivedAt.After(o.At) {
			continue
		}
		if err := w.recordEnd(ctx, o, e); err != nil {
			return err
		}
	}
	return nil
}

func (w Worker) recordEnd(ctx context.Context, o Order, e queue.Envelope) error {
	now := w.Now()
	ended, err := ledger.EndForgotten(ledger.Record{
		MessageSid: e.RelayID, TwilioNumber: e.Message.To, Customer: o.Customer, ReceivedAt: ledger.Stamp(e.ReceivedAt),
		ExpiresAt: now.Add(ledger.DefaultRetention).Unix(),
	}, now)
	if err != nil {
		return err
	}
	_, err = auditlog.Put(ctx, w.DB.Ledger(), ledger.Record{}, ended)
	if errors.Is(err, ledger.ErrExists) {
		err = nil
	}
	return err
}

// Seen goes on with what the order for a customer left to do at Twilio, if the customer was forgotten before this database came back: now
// that Twilio has named him, it can be asked about him.
func (w Worker) Seen(ctx context.Context, customer sms.PhoneNumber) error {
	key, err := w.DB.Forgotten().Key(ctx)
	if err != nil || key == nil {
		return err
	}
	o, found, err := find(ctx, w.DB, sqlite.HashOf(key, customer))
	if err != nil || !found || !o.DoneAt.Equal(o.At) {
		return err
	}
	o.Customer, o.IsListed, o.DoneAt = customer, false, time.Time{}
	return o.keep(ctx, w.DB)
}
