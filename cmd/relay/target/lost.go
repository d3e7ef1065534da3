package target

import (
	"context"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// Lost returns the newest texts that reached nobody, of those that the query asks for in any state. It reads about most of each state,
// which is enough to see that something is wrong.
func Lost(ctx context.Context, texts ledger.Lister, query ledger.Query, most int) (lost []ledger.Record, err error) {
	for _, state := range []ledger.State{ledger.Undelivered, ledger.Failed, ledger.Dropped} {
		query.State, query.Limit, query.Cursor = state, ledger.MaxLimit, ledger.Cursor{}
		for read := 0; read < most; {
			page, err := texts.List(ctx, query)
			if err != nil {
				return nil, err
			}
			for _, r := range page.Records {
				if r.ReachedNobody() {
					lost = append(lost, r)
				}
			}
			if read += max(1, len(page.Records)); page.Next.IsZero() {
				break
			}
			query.Cursor = page.Next
		}
	}
	return lost, nil
}
