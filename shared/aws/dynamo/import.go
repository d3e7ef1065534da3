package dynamo

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// maxWriteBatch is the most items that DynamoDB takes at once.
const maxWriteBatch = 25

// batchWriter is the part of the SDK's client that an import uses. The functions never import, and have no permission to.
type batchWriter interface {
	BatchWriteItem(context.Context, *sdk.BatchWriteItemInput, ...func(*sdk.Options)) (*sdk.BatchWriteItemOutput, error)
	Scan(context.Context, *sdk.ScanInput, ...func(*sdk.Options)) (*sdk.ScanOutput, error)
}

// Importer adds records from elsewhere to a table of [LedgerSchema]. If the table has a change stream, it shows each of them.
type Importer struct {
	client batchWriter
	table  string
}

// NewImporter returns the importer of the table.
func NewImporter(cfg aws.Config, table string) *Importer {
	return &Importer{client: sdk.NewFromConfig(cfg), table: table}
}

// Import stores records as they are, with the Version that each has, over those of their MessageSids. It returns how
// many it has stored; after an error, that many of the first ones, and perhaps some more.
func (i *Importer) Import(ctx context.Context, records []ledger.Record) (stored int, err error) {
	for stored < len(records) {
		batch := records[stored:min(stored+maxWriteBatch, len(records))]
		requests := make([]types.WriteRequest, len(batch))
		for n, r := range batch {
			encoded, err := ledgerItem(r)
			if err != nil {
				return stored, err
			}
			requests[n].PutRequest = &types.PutRequest{Item: encoded}
		}
		if err := i.write(ctx, requests); err != nil {
			return stored, err
		}
		stored += len(batch)
	}
	return stored, nil
}

// Empty reports whether the table has no item.
func (i *Importer) Empty(ctx context.Context) (bool, error) {
	out, err := i.client.Scan(ctx, &sdk.ScanInput{TableName: &i.table, Limit: aws.Int32(1)})
	if err != nil {
		return false, reading("Scan", err)
	}
	return len(out.Items) == 0, nil
}

// write stores at most maxWriteBatch items. It sends again what DynamoDB left undone, as batchGet does.
func (i *Importer) write(ctx context.Context, pending []types.WriteRequest) error {
	pause := firstPause
	for round := 1; len(pending) > 0; round++ {
		if round > maxRounds {
			return &fault.Error{Kind: fault.Throttled, Err: errors.New("DynamoDB BatchWriteItem: items left unprocessed")}
		}
		if round > 1 {
			if err := wait(ctx, pause); err != nil {
				return writing("BatchWriteItem", awsclient.Witness{}, err)
			}
			pause *= 2
		}
		out, err := i.client.BatchWriteItem(ctx, &sdk.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{i.table: pending}})
		if err != nil {
			return writing("BatchWriteItem", awsclient.Witness{}, err)
		}
		pending = out.UnprocessedItems[i.table]
	}
	return nil
}
