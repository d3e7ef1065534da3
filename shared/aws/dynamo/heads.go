package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"quickdumpnow.com/smsrelay/shared/conversation"
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
	return scan(ctx, l.table.client, input, func(stored item) error {
		r, err := record(stored)
		if err == nil {
			visit(r)
		}
		return err
	})
}

// EachHead calls visit for every conversation, in no order, with its ID, Version, Seal and UpdatedAt only: it reads neither numbers
// nor names, and neither phones nor tags. It scans the table, and it may miss the latest writes. It is for operators' tools.
func (c *Conversations) EachHead(ctx context.Context, visit func(conversation.Conversation)) error {
	input := &sdk.ScanInput{
		TableName:                 &c.table.name,
		FilterExpression:          aws.String("begins_with(#item, :prefix)"),
		ProjectionExpression:      aws.String("#id, #version, #seal, #updated"),
		ExpressionAttributeValues: item{":prefix": attribute(conversation.PrefixConversation)},
		ExpressionAttributeNames: map[string]string{
			"#item": attrItem, "#id": "ID", "#version": attrVersion, "#seal": "Seal", "#updated": "UpdatedAt",
		},
	}
	return scan(ctx, c.table.client, input, func(stored item) error {
		var head conversation.Conversation
		if err := decode(stored, &head); err != nil {
			return unreadable("in the conversations' table", err)
		}
		visit(head)
		return nil
	})
}

// scan calls visit for each item that input asks for.
func scan(ctx context.Context, client api, input *sdk.ScanInput, visit func(item) error) error {
	for {
		page, err := client.Scan(ctx, input)
		if err != nil {
			return reading("Scan", err)
		}
		for _, stored := range page.Items {
			if err := visit(stored); err != nil {
				return err
			}
		}
		if len(page.LastEvaluatedKey) == 0 {
			return nil
		}
		input.ExclusiveStartKey = page.LastEvaluatedKey
	}
}
