package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Wanted is what to look for: all that is stored of one customer.
type Wanted struct {
	Customer sms.PhoneNumber
	// Names are the names that the customer had.
	Names []string
}

// tail is what each spelling of a number ends with.
func (w Wanted) tail() string {
	const digits = 7
	text := string(w.Customer)
	return text[max(0, len(text)-digits):]
}

// names are the names as JSON has them, without quotes.
func (w Wanted) names() (names []string) {
	for _, name := range w.Names {
		if text, err := json.Marshal(name); err == nil && len(text) > len(`""`) {
			names = append(names, string(text[1:len(text)-1]))
		}
	}
	return names
}

// mentions reports whether words of the relay itself name the customer.
func (w Wanted) mentions(words string) bool {
	return words != "" && (strings.Contains(words, w.tail()) ||
		slices.ContainsFunc(w.Names, func(name string) bool { return name != "" && strings.Contains(words, name) }))
}

// IsOf reports whether a text is the customer's, or one to him, or one of the relay itself about him.
func (w Wanted) IsOf(r ledger.Record) bool {
	isHis := func(number sms.PhoneNumber) bool { return number != "" && sms.Same(number, w.Customer) }
	return isHis(r.Customer) || isHis(r.Destination) && (r.Manual || r.IsAnswer() || r.Notice) || r.Notice && w.mentions(r.Body)
}

// Texts returns the texts that are the customer's, to him, or of the relay itself about him, and those that tell a phone of him besides.
// It reads the whole ledger.
func (f *Forgotten) Texts(ctx context.Context, w Wanted) (texts, tellings []ledger.Record, err error) {
	query, args := "SELECT record FROM ledger WHERE instr(record, ?) > 0", []any{w.tail()}
	for _, name := range w.names() {
		query, args = query+" OR instr(record, ?) > 0", append(args, name)
	}
	err = f.db.reader.each(ctx, func(rows *sql.Rows) error {
		var item string
		if err := rows.Scan(&item); err != nil {
			return err
		}
		r, err := decodeRecord(item)
		switch {
		case err != nil:
			return err
		case w.IsOf(r):
			texts = append(texts, r)
		case w.mentions(r.Answer.Tells):
			tellings = append(tellings, r)
		}
		return nil
	}, query, args...)
	return texts, tellings, err
}

// People returns the customer's conversations, of all numbers, and the phones of which something is kept that has to do with him.
func (f *Forgotten) People(ctx context.Context, w Wanted) (his []conversation.Conversation, phones []conversation.Phone, err error) {
	err = f.items(ctx, w, func(key, item string) error {
		switch {
		case strings.HasPrefix(key, conversation.PrefixConversation):
			var c conversation.Conversation
			if err := decodeItem(item, &c); err != nil || !sms.Same(c.Customer, w.Customer) {
				return err
			}
			his = append(his, c)
		case strings.HasPrefix(key, conversation.PrefixPhone):
			var p conversation.Phone
			if err := decodeItem(item, &p); err != nil {
				return err
			}
			phones = append(phones, p)
		}
		return nil
	})
	return his, phones, err
}

// items calls visit for each item of the conversations' table in which the number occurs.
func (f *Forgotten) items(ctx context.Context, w Wanted, visit func(key, item string) error) error {
	return f.db.reader.each(ctx, func(rows *sql.Rows) error {
		var key, item string
		if err := rows.Scan(&key, &item); err != nil {
			return err
		}
		return visit(key, item)
	}, "SELECT item, conversation FROM conversations WHERE twilio_number <> ? AND instr(conversation, ?) > 0", forgottenPartition, w.tail())
}

// textIn reads a message of a queue; isText is false if there is no text in it.
func textIn(body string) (e queue.Envelope, isText bool) {
	e, err := queue.Decode(body)
	return e, err == nil && e.Message != nil
}

// Waiting returns the texts of the customer that are on a queue, dead letters among them, or to him.
func (f *Forgotten) Waiting(ctx context.Context, w Wanted) (envelopes []queue.Envelope, err error) {
	isHis := func(number sms.PhoneNumber) bool { return number != "" && sms.Same(number, w.Customer) }
	err = f.db.reader.each(ctx, func(rows *sql.Rows) error {
		var body string
		if err := rows.Scan(&body); err != nil {
			return err
		}
		e, isText := textIn(body)
		isNotice := e.Kind == queue.KindNotice
		if !isText {
			return nil
		}
		if isHis(e.Message.From) || isHis(e.Destination) && e.Kind != queue.KindAgain || isNotice && w.mentions(e.Message.Body) {
			envelopes = append(envelopes, e)
		}
		return nil
	}, "SELECT body FROM queue_messages WHERE instr(body, ?) > 0", w.tail())
	return envelopes, err
}

// IsUnaudited reports whether changes that name the customer, or have words of his, are not in the audit log yet: they are kept until then.
func (f *Forgotten) IsUnaudited(ctx context.Context, w Wanted) (bool, error) {
	var one int
	return f.db.reader.get(ctx, []any{&one}, `
		SELECT 1 FROM changes WHERE instr(coalesce(old_item, ''), ?1) > 0 OR instr(coalesce(new_item, ''), ?1) > 0 LIMIT 1`, w.tail())
}

// Clear takes the number out of what operators did, which the audit log has, and out of the pace limits.
func (f *Forgotten) Clear(ctx context.Context, w Wanted) error {
	var keys []string
	if err := f.items(ctx, w, func(key, item string) error {
		var a conversation.Action
		if !strings.HasPrefix(key, conversation.PrefixAction) {
			return nil
		}
		err := decodeItem(item, &a)
		if err == nil && sms.Same(a.Customer, w.Customer) {
			keys = append(keys, key)
		}
		return err
	}); err != nil {
		return err
	}
	return f.db.write(ctx, func(ctx context.Context, t *tx) error {
		for _, key := range keys {
			if _, err := t.exec(ctx, "DELETE FROM conversations WHERE item = ?", key); err != nil {
				return err
			}
		}
		_, err := t.exec(ctx, `
			UPDATE pace SET state = json_remove(state, '$.Pairs."' || ?1 || '"') WHERE instr(state, ?1) > 0`, string(w.Customer))
		return err
	})
}

// Customers returns everybody who texted, or was texted, each once: by the ledger, the conversations and the queues.
func (f *Forgotten) Customers(ctx context.Context) ([]sms.PhoneNumber, error) {
	found := map[sms.PhoneNumber]bool{}
	scan := func(rows *sql.Rows) error {
		var number string
		err := rows.Scan(&number)
		found[sms.PhoneNumber(number)] = true
		return err
	}
	from, to := itemsWith(conversation.PrefixConversation)
	err := errors.Join(
		f.db.reader.each(ctx, scan, "SELECT DISTINCT customer FROM ledger"),
		f.db.reader.each(ctx, scan, "SELECT DISTINCT substr(item, 3) FROM conversations WHERE item >= ? AND item < ?", from, to),
		f.db.reader.each(ctx, func(rows *sql.Rows) error {
			var body string
			err := rows.Scan(&body)
			if e, isText := textIn(body); isText {
				found[e.Message.From], found[e.Destination] = true, true
			}
			return err
		}, "SELECT body FROM queue_messages"),
	)
	delete(found, "")
	return slices.Sorted(maps.Keys(found)), err
}
