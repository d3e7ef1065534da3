package cli

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// AllOf reads a list to its end.
func AllOf(ctx context.Context, records ledger.Lister, q ledger.Query) ([]ledger.Record, error) {
	var all []ledger.Record
	q.Limit = ledger.MaxLimit
	for {
		page, err := records.List(ctx, q)
		if err != nil {
			return nil, fmt.Errorf("list texts: %w", err)
		}
		all = append(all, page.Records...)
		if page.Next.IsZero() {
			return all, nil
		}
		q.Cursor = page.Next
	}
}

// maxNote limits the length of a reason in the record and the audit log.
const maxNote = 200

// CheckNote checks the reason and the name that people give for the record.
func CheckNote(because, by string) error {
	if len([]rune(because)) > maxNote || len([]rune(by)) > maxNote || strings.ContainsFunc(because+by, unicode.IsControl) ||
		!utf8.ValidString(because+by) {
		return Usage(fmt.Errorf("--because and --by must be one line each, of at most %d characters", maxNote))
	}
	return nil
}

// ListPrice is the default price of a segment, in US dollars: Twilio's list price of an SMS segment in the US, in either direction, without
// the carriers' fees. Only estimates use it.
const ListPrice = 0.0083
