package dynamo_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

type batchWriteInput struct {
	RequestItems map[string][]struct{ PutRequest struct{ Item wireItem } }
}

// batchWrite stores some of the items, the first ones, and names the rest.
func (f *fakeDynamo) batchWrite(in batchWriteInput) (any, error) {
	for table, requests := range in.RequestItems {
		if len(requests) == 0 || len(requests) > 25 {
			return nil, invalid()
		}
		for i, request := range requests {
			if f.batchSize > 0 && i >= f.batchSize {
				return map[string]any{"UnprocessedItems": map[string]any{table: requests[i:]}}, nil
			}
			f.items[request.PutRequest.Item.text(f.schema.Key)] = request.PutRequest.Item
		}
	}
	return map[string]any{"UnprocessedItems": map[string]any{}}, nil
}

// madeElsewhere are records of some other ledger's.
func madeElsewhere(n int) []ledger.Record {
	var records []ledger.Record
	for i := range n {
		r := relaytest.Record(i, noon())
		r.State, r.Version = ledger.Delivered, 4
		records = append(records, r)
	}
	return records
}

// TestImport stores records in as few requests as DynamoDB needs, also where it leaves some of them undone.
func TestImport(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ batchSize, calls int }{
		"all at once":  {0, 3},
		"ten at once":  {10, 7},
		"nine at once": {9, 8},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake(dynamo.LedgerSchema())
				f.batchSize = tt.batchSize
				records := madeElsewhere(60)
				importer := dynamo.NewImporter(f.config(), "ledger")
				if empty, err := importer.Empty(t.Context()); err != nil || !empty {
					t.Fatalf("new table: empty %v, error %v", empty, err)
				}
				stored, err := importer.Import(t.Context(), records)
				if err != nil || stored != len(records) || f.calls["BatchWriteItem"] != tt.calls {
					t.Fatalf("stored %d in %d requests, error %v; want %d in %d", stored, f.calls["BatchWriteItem"], err, len(records), tt.calls)
				}
				if empty, err := importer.Empty(t.Context()); err != nil || empty {
					t.Errorf("filled table: empty %v, error %v", empty, err)
				}
				for _, r := range records {
					got, err := ledgerOn(f, noon).Get(t.Context(), r.MessageSid)
					if diff := cmp.Diff(r, got); err != nil || diff != "" {
						t.Errorf("record %s, error %v (-imported +stored):\n%s", r.MessageSid, err, diff)
					}
				}
			})
		})
	}
}

// TestImportStops says how much it stored before DynamoDB refused.
func TestImportStops(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		fault  func(operation string, n int, apply func() reply) reply
		size   int
		kind   fault.Kind
		stored int
	}{
		{"refused", func(_ string, n int, apply func() reply) reply {
			if n == 2 {
				return refuse(http.StatusBadRequest, "AccessDeniedException")
			}
			return apply()
		}, 0, fault.Fatal, 25},
		{"never whole", nil, 1, fault.Throttled, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake(dynamo.LedgerSchema())
				f.fault, f.batchSize = tt.fault, tt.size
				began := time.Now()
				stored, err := dynamo.NewImporter(f.config(), "ledger").Import(t.Context(), madeElsewhere(60))
				checkFault(t, "Import", err, tt.kind)
				if stored != tt.stored || time.Since(began) > time.Minute {
					t.Errorf("stored %d in %v, want %d", stored, time.Since(began), tt.stored)
				}
			})
		})
	}
}
