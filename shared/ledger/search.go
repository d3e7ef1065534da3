package ledger

import (
	"context"
	"strings"
	"unicode"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Searcher finds texts by what they say. Not every ledger can do that.
type Searcher interface {
	// Search returns the texts that match, newest ReceivedAt first, as [Lister.List] does: a page may hold fewer than Limit and still have a
	// Next. A text is found some seconds after it came in. The error is ErrCursor if the cursor is not one of a list's.
	Search(ctx context.Context, s Search) (Found, error)
}

// Search says which texts to look for. The State of the query is not used.
type Search struct {
	Query

	// Words are all in the text, in any order, as [Words] returns them: each as a whole word, but if no text has
	// all of them so, the last may be the beginning of one. Case and accents do not matter.
	Words []string
	// Customers keeps the texts of, or to, any of them; none does not restrict.
	Customers []Customer
}

// Customer is a customer of a Twilio number.
type Customer struct{ TwilioNumber, Customer sms.PhoneNumber }

// Takes reports whether the record is one of a customer's that are looked for, and of the number.
func (s Search) Takes(r Record) bool {
	if s.Number != "" && s.Number != r.Customer && s.Number != r.TwilioNumber {
		return false
	}
	for _, c := range s.Customers {
		if sms.Same(r.Customer, c.Customer) && sms.Same(r.TwilioNumber, c.TwilioNumber) {
			return true
		}
	}
	return len(s.Customers) == 0
}

// MaxCount is up to where the texts are counted that a search finds.
const MaxCount = 1_000

// Found is a page of the texts that a search found.
type Found struct {
	Page

	// Count is how many texts match, on all pages; from MaxCount on it is that.
	Count int
	// NotIndexed is how many texts cannot be found yet; from MaxCount on it is that.
	NotIndexed int
}

// MaxWords is how many words a search has at most.
const MaxWords = 10

// Words returns the words in what somebody typed: what has a letter or a digit, between blanks.
func Words(typed string) (words []string) {
	for _, one := range strings.Fields(strings.ToValidUTF8(typed, " ")) {
		if strings.ContainsFunc(one, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }) {
			words = append(words, strings.ReplaceAll(one, "\x00", ""))
		}
	}
	return words
}

// IsSearchable reports whether a text is one that a search finds: of a customer, a phone or an operator. What the relay itself says, and
// what it sends for another text, is not.
func IsSearchable(r Record) bool { return !r.Notice && r.ParentSid == "" && !r.SecondPart }

// Said is what a text is searched by: what it says, of an answer what the customer got.
func Said(r Record) string {
	if r.Answer.Words != "" {
		return r.Answer.Words
	}
	return r.Body
}
