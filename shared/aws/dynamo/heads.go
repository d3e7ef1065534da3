package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// EachHead calls visit for every record of the ledger, in no order, with its MessageSid, Version, Seal, ReceivedAt and
// UpdatedAt only: it does not read the bodies. It scans the table, so its cost depends on the table's size, and it may miss
// the latest writes. It is for operators' tools.
func (l *Ledger) EachHead(ctx context.Context, visit func(ledger.Record)) error {
	input := &sdk.ScanInput{
		TableName:            &l.table.name,
		ProjectionExpression: aws.String("#sid, #version, #seal, #received, #updated"),
		ExpressionAttributeNames: map[string]string{
			"#sid": attrMessageSid, "#version": attrVersion, "#seal": "Seal", "#received": "ReceivedAt", "#updated": "UpdatedAt",
		},
	}
	for {
		page, err := l.table.client.Scan(ctx, input)
		if err != nil {
			return reading("Scan", err)
		}
		for _, stored := range page.Items {
			r, err := record(stored)
			if err != nil {
				return err
			}
			visit(r)
		}
		if len(page.LastEvaluatedKey) == 0 {
			return nil
		}
		input.ExclusiveStartKey = page.LastEvaluatedKey
	}
}
