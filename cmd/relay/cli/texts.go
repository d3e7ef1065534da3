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

// maxNote bounds what the record and the audit log keep of a reason.
const maxNote = 200

// CheckNote holds what people say for the record against what the record takes.
func CheckNote(because, by string) error {
	if len([]rune(because)) > maxNote || len([]rune(by)) > maxNote || strings.ContainsFunc(because+by, unicode.IsControl) ||
		!utf8.ValidString(because+by) {
		return Usage(fmt.Errorf("--because and --by must be one line each, of at most %d characters", maxNote))
	}
	return nil
}

// ListPrice is what a segment costs if nobody says otherwise, in US dollars: Twilio's list price of an outbound SMS segment
// in the US, without the carriers' fees. It is an assumption of estimates alone.
const ListPrice = 0.0083
