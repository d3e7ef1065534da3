package dynamo_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// readCounter is an HTTP client that counts what DynamoDB reads: one for each request, one for each index entry that a
// Query looked at, shown or not, and one for each item.
type readCounter struct {
	http.Client

	reads atomic.Int64
}

func (c *readCounter) Do(r *http.Request) (*http.Response, error) {
	response, err := c.Client.Do(r)
	if err != nil || strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".BatchWriteItem") {
		return response, err
	}
	body, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return nil, err
	}
	var answer struct {
		ScannedCount int
		Item         json.RawMessage
		Responses    map[string][]json.RawMessage
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, err
	}
	c.reads.Add(int64(1 + answer.ScannedCount + min(len(answer.Item), 1)))
	for _, items := range answer.Responses {
		c.reads.Add(int64(len(items)))
	}
	response.Body = io.NopCloser(bytes.NewReader(body))
	return response, nil
}

// What looking into the ledger may cost.
const (
	// maxPageReads: a hundred queries and the entries that they find. Days that leave the page unfilled are read whole, and
	// so hold less than a page all together; of the last one, each of its ten partitions (nine states, and none) gives a
	// page and one more. Then one batch of items.
	maxPageReads = 100 + ledger.MaxLimit + 10*(ledger.MaxLimit+1) + 1 + ledger.MaxLimit
	maxTextReads = 2
	largeLedger  = 5_000
	// importers write side by side.
	importers = 8
)

func TestReadsOnEmulator(t *testing.T) {
	t.Parallel()
	relaytest.TestReads(t, relaytest.ReadsOptions{
		Small: 1_000, Large: largeLedger, Page: maxPageReads, Text: maxTextReads,
		Open: func(t *testing.T, records []ledger.Record) relaytest.CountedLedger {
			t.Helper()
			counter := &readCounter{}
			e := newEmulator(t, counter)
			table := e.createTable(t, dynamo.LedgerSchema())
			importAll(t, dynamo.NewImporter(e.config, table), records)
			l := dynamo.NewLedger(e.config, dynamo.LedgerConfig{Table: table, Retention: suiteRetention, Now: time.Now})
			return relaytest.CountedLedger{
				LedgerUnderTest: relaytest.LedgerUnderTest{Store: l, Lister: l},
				Reads:           func() int { return int(counter.reads.Load()) },
			}
		},
	})
}

// importAll stores the records, many side by side.
func importAll(t *testing.T, importer *dynamo.Importer, records []ledger.Record) {
	t.Helper()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(importers)
	for len(records) > 0 {
		some := records[:min(200, len(records))]
		records = records[len(some):]
		group.Go(func() error {
			_, err := importer.Import(ctx, some)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}
