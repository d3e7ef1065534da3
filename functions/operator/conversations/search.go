package conversations

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	// maxNamed is how many customers a name may mean: the texts of each are looked for.
	maxNamed = 10
	// maxLooked is how many customers are looked at for a name where there is no index of names.
	maxLooked = 5 * conversation.MaxList
)

var (
	// ErrNoWords means that words cannot be searched here.
	ErrNoWords = errors.New("what texts say cannot be searched on AWS: look for a number, a name, a tag or a time")
	// ErrNumberNeeded means that a name can be looked for at one number only.
	ErrNumberNeeded = errors.New("a name is looked for among the customers of one number on AWS: say which number they text, too")
	// ErrManyNamed means that a name means too many customers.
	ErrManyNamed = fmt.Errorf("more than %d customers are called that: write more of the name, or look for a number", maxNamed)
	// ErrManyCustomers means that a name was not found among the first customers, and not all were looked at.
	ErrManyCustomers = fmt.Errorf("the number has more than %d customers, and only that many are looked at for a name on AWS: look for the "+
		"customer's number", maxLooked)
)

// Sought is what texts are looked for by. All of it applies together.
type Sought struct {
	// Query has a number of the customer's or the business's, and a time.
	ledger.Query

	// Words are in the text, see [ledger.Search]; Name in the customer's name.
	Words, Name []string
	Tag         conversation.Tag
	// Reader is who is shown what the texts say: whoever looks for words. It goes on record with each text.
	Reader string
}

// Found is a page of the texts that were found, newest first, as JSON.
type Found struct {
	Texts []FoundText `json:"texts"`
	// Count is how many texts with these words there are; from 1,000 on it is that. It is absent without words.
	Count int `json:"count,omitempty"`
	// NotIndexed is how many texts are not found yet by their words; from 1,000 on it is that.
	NotIndexed int `json:"not_indexed,omitempty"`
	// NextCursor continues the list; absent at its end. A page may be short, or empty, and still have one.
	NextCursor string `json:"next_cursor,omitempty"`
}

// FoundText is a text that was found.
type FoundText struct {
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Customer     sms.PhoneNumber `json:"customer,omitempty"`
	// Name is the customer's, if it was looked for by name or tag.
	Name string `json:"name,omitempty"`

	CustomerText
}

// CustomerText is a [Text], by the name that it can be embedded with: it has a field Text.
type CustomerText = Text

// Search finds texts of customers, and answers to them. With words, it shows what the texts say, and each goes on record before: who finds
// a text by a word knows something of what it says. The error is one of this package if it cannot be done so, and [ledger.ErrCursor].
func (d Relay) Search(ctx context.Context, w Sought) (all Found, err error) {
	all.Texts = []FoundText{}
	s := ledger.Search{Query: w.Query, Words: w.Words}
	people, err := d.sought(ctx, w)
	if err != nil || len(people) == 0 && (w.Tag != "" || len(w.Name) > 0) {
		return all, err
	}
	for _, c := range people {
		s.Customers = append(s.Customers, ledger.Customer{TwilioNumber: c.TwilioNumber, Customer: c.Customer})
	}
	found, err := d.find(ctx, s)
	if err != nil {
		return all, err
	}
	if len(w.Words) > 0 {
		if found.Records, err = d.readBy(ctx, found.Records, w.Reader); err != nil {
			return Found{}, err
		}
	}
	for _, r := range found.Records {
		all.Texts = append(all.Texts, foundText(r, people, len(w.Words) > 0))
	}
	all.Count, all.NotIndexed, all.NextCursor = found.Count, found.NotIndexed, found.Next.String()
	return all, nil
}

func foundText(r ledger.Record, people []conversation.Conversation, withWords bool) FoundText {
	t := FoundText{TwilioNumber: r.TwilioNumber, Customer: r.Customer, CustomerText: textOf(r, false)}
	if withWords {
		said := ledger.Said(r)
		t.Text = &said
	}
	for _, c := range people {
		if sms.Same(c.Customer, r.Customer) && sms.Same(c.TwilioNumber, r.TwilioNumber) {
			t.Name = c.Name
		}
	}
	return t
}

// find finds the texts: by their words in the index, or else in the lists.
func (d Relay) find(ctx context.Context, s ledger.Search) (ledger.Found, error) {
	if len(s.Words) > 0 {
		searcher, canSearch := d.Ledger.(ledger.Searcher)
		if !canSearch {
			return ledger.Found{}, ErrNoWords
		}
		return searcher.Search(ctx, s)
	}
	page, err := d.list(ctx, s)
	page.Records = slices.DeleteFunc(page.Records, func(r ledger.Record) bool { return !ledger.IsSearchable(r) || !s.Takes(r) })
	return ledger.Found{Page: page}, err
}

// list lists the texts of all customers that are looked for, newest first; some that are not looked for may be among them. It reads a page
// of each customer's.
func (d Relay) list(ctx context.Context, s ledger.Search) (all ledger.Page, err error) {
	if len(s.Customers) == 0 {
		return d.Ledger.List(ctx, s.Query)
	}
	for i, c := range s.Customers {
		if slices.ContainsFunc(s.Customers[:i], func(other ledger.Customer) bool { return other.Customer == c.Customer }) {
			continue // he texts several numbers.
		}
		q := s.Query
		q.Number = c.Customer
		page, err := d.Ledger.List(ctx, q)
		if err != nil {
			return ledger.Page{}, err
		}
		all.Records = append(all.Records, page.Records...)
		// What comes after the end of a page may be in the next one: the list goes no further than the newest end.
		if end := page.Next; !end.IsZero() && (all.Next.IsZero() || newestFirst(end, all.Next) < 0) {
			all.Next = end
		}
	}
	slices.SortFunc(all.Records, func(a, b ledger.Record) int { return newestFirst(ledger.CursorAt(a), ledger.CursorAt(b)) })
	if !all.Next.IsZero() {
		all.Records = slices.DeleteFunc(all.Records, func(r ledger.Record) bool { return newestFirst(ledger.CursorAt(r), all.Next) > 0 })
	}
	if len(all.Records) > s.Limit {
		all.Records = all.Records[:s.Limit]
		all.Next = ledger.CursorAt(all.Records[s.Limit-1])
	}
	return all, nil
}

// newestFirst compares two places in the order of lists.
func newestFirst(a, b ledger.Cursor) int {
	return cmp.Or(b.ReceivedAt.Compare(a.ReceivedAt), cmp.Compare(b.MessageSid, a.MessageSid))
}

// sought returns the customers whom the tag and the name mean.
func (d Relay) sought(ctx context.Context, w Sought) (people []conversation.Conversation, err error) {
	switch {
	case w.Tag != "":
		people, err = d.tagged(ctx, w.Tag)
		people = slices.DeleteFunc(people, func(c conversation.Conversation) bool { return !isNamed(c.Name, w.Name) })
	case len(w.Name) > 0:
		people, err = d.named(ctx, w)
	}
	if err == nil && len(people) > maxNamed {
		err = ErrManyNamed
	}
	return people, err
}

// tagged returns the conversation that has the tag.
func (d Relay) tagged(ctx context.Context, tag conversation.Tag) (people []conversation.Conversation, err error) {
	uses, err := d.tagUses(ctx, []conversation.Conversation{{Tag: tag}})
	if err != nil {
		return nil, err
	}
	for _, use := range uses {
		if use.Tag != tag {
			continue
		}
		c, err := d.Conversations.Get(ctx, use.Number, use.Customer)
		if err != nil {
			return nil, err
		}
		if c.Version > 0 && c.Tag == tag && c.TagVersion == use.Version {
			people = append(people, c)
		}
	}
	return people, nil
}

// nameFinder is a [Store] with an index of customers' names.
type nameFinder interface {
	Named(ctx context.Context, words []string, number sms.PhoneNumber, limit int) ([]conversation.Conversation, error)
}

// named returns the conversations of customers of that name.
func (d Relay) named(ctx context.Context, w Sought) (people []conversation.Conversation, err error) {
	if finder, isQuick := d.Conversations.(nameFinder); isQuick {
		return finder.Named(ctx, w.Name, "", maxNamed+1)
	}
	routes, err := d.Routes.Lookup(ctx, w.Number.Spellings()...)
	if err != nil {
		return nil, err
	}
	if _, isOurs := route.Find(routes, w.Number); !isOurs {
		return nil, ErrNumberNeeded
	}
	looked, isWhole := 0, true
	err = conversation.Each(ctx, d.Conversations, w.Number, "", func(c conversation.Conversation) bool {
		if looked++; looked > maxLooked {
			isWhole = false
			return false
		}
		if isNamed(c.Name, w.Name) {
			people = append(people, c)
		}
		return len(people) <= maxNamed
	})
	if err == nil && !isWhole && len(people) == 0 {
		err = ErrManyCustomers
	}
	return people, err
}

// isNamed reports whether a name has all the words, each at the beginning of one of its own.
func isNamed(name string, words []string) bool {
	parts := strings.Fields(strings.ToLower(name))
	for _, word := range words {
		word = strings.ToLower(word)
		if !slices.ContainsFunc(parts, func(part string) bool { return strings.HasPrefix(part, word) }) {
			return false
		}
	}
	return true
}
