package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Read returns a conversation and phones as last written, by one consistent batch.
func (c *Conversations) Read(
	ctx context.Context, number, customer sms.PhoneNumber, keys ...conversation.PhoneKey,
) (conversation.Conversation, []conversation.Phone, error) {
	wanted := []itemKey{conversationKey(number, customer)}
	for _, key := range keys {
		wanted = append(wanted, phoneKey(key))
	}
	stored, err := c.getAll(ctx, wanted)
	if err != nil {
		return conversation.Conversation{}, nil, err
	}
	found, err := decodeConversation(stored[wanted[0]], number, customer)
	if err != nil {
		return conversation.Conversation{}, nil, err
	}
	phones := make([]conversation.Phone, len(keys))
	for i, key := range keys {
		if phones[i], err = decodePhone(stored[wanted[i+1]], key); err != nil {
			return conversation.Conversation{}, nil, err
		}
	}
	return found, phones, nil
}

// getAll returns those items that exist, as last written.
func (c *Conversations) getAll(ctx context.Context, keys []itemKey) (map[itemKey]item, error) {
	asked := make(map[itemKey]bool, len(keys))
	var batch []item
	for _, key := range keys {
		// DynamoDB refuses a batch with an empty key or a repeat.
		if key.number != "" && !asked[key] {
			asked[key] = true
			batch = append(batch, key.attributes())
		}
	}
	items, err := c.table.batchGet(ctx, batch, true)
	if err != nil {
		return nil, err
	}
	stored := make(map[itemKey]item, len(items))
	for _, i := range items {
		stored[itemKey{number: text(i, attrTwilioNumber), item: text(i, attrItem)}] = i
	}
	return stored, nil
}

// TagUses reads the partition of all tags, page by page.
func (c *Conversations) TagUses(ctx context.Context) ([]conversation.TagUse, error) {
	items, err := c.query(ctx, itemRange{partition: string(conversation.TagsPartition), prefix: conversation.PrefixTag})
	if err != nil {
		return nil, err
	}
	uses := make([]conversation.TagUse, len(items))
	for i, stored := range items {
		if err := decode(stored, &uses[i]); err != nil {
			return nil, unreadable(text(stored, attrItem), err)
		}
	}
	return uses, nil
}

// ListConversations reads a range of the number's partition, see [conversation.Lister].
func (c *Conversations) ListConversations(
	ctx context.Context, number, after sms.PhoneNumber, limit int,
) ([]conversation.Conversation, error) {
	if number == "" {
		return nil, nil
	}
	wanted := itemRange{
		partition: string(number), prefix: conversation.PrefixConversation, limit: min(max(limit, 1), conversation.MaxList),
	}
	if after != "" {
		wanted.after = conversation.Item(after)
	}
	items, err := c.query(ctx, wanted)
	if err != nil {
		return nil, err
	}
	found := make([]conversation.Conversation, len(items))
	for i, stored := range items {
		if found[i], err = decodeConversation(stored, number, ""); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// ListPhones reads the number's partition page by page, see [conversation.Lister].
func (c *Conversations) ListPhones(ctx context.Context, number sms.PhoneNumber) ([]conversation.Phone, error) {
	if number == "" {
		return nil, nil
	}
	items, err := c.query(ctx, itemRange{partition: string(number), prefix: conversation.PrefixPhone})
	if err != nil {
		return nil, err
	}
	found := make([]conversation.Phone, len(items))
	for i, stored := range items {
		if found[i], err = decodePhone(stored, conversation.PhoneKey{}); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// itemRange is a range of one partition.
type itemRange struct {
	partition string
	// prefix is what the sort keys begin with; after is one that they come after, empty for all.
	prefix, after string
	// limit is how many items at most, 0 for all.
	limit int
}

// query returns the items of the range by their sort keys. It may miss the latest writes.
func (c *Conversations) query(ctx context.Context, r itemRange) ([]item, error) {
	input := &sdk.QueryInput{
		TableName:                 &c.table.name,
		KeyConditionExpression:    aws.String("#partition = :partition AND begins_with(#item, :prefix)"),
		ExpressionAttributeNames:  map[string]string{"#partition": attrTwilioNumber, "#item": attrItem},
		ExpressionAttributeValues: item{":partition": attribute(r.partition), ":prefix": attribute(r.prefix)},
	}
	if r.after != "" {
		input.ExclusiveStartKey = itemKey{number: r.partition, item: r.after}.attributes()
	}
	var found []item
	for {
		if r.limit > 0 {
			input.Limit = aws.Int32(int32(r.limit - len(found))) //nolint:gosec // at most conversation.MaxList
		}
		page, err := c.table.client.Query(ctx, input)
		if err != nil {
			return nil, reading("Query", err)
		}
		found = append(found, page.Items...)
		if len(page.LastEvaluatedKey) == 0 || r.limit > 0 && len(found) >= r.limit {
			return found, nil
		}
		input.ExclusiveStartKey = page.LastEvaluatedKey
	}
}

// decodeConversation reads an item, nil for one that is not stored.
func decodeConversation(stored item, number, customer sms.PhoneNumber) (conversation.Conversation, error) {
	found := conversation.Conversation{TwilioNumber: number, Customer: customer}
	if stored == nil {
		return found, nil
	}
	if err := decode(stored, &found); err != nil {
		return conversation.Conversation{}, unreadable(number.Mask(), err)
	}
	return found, nil
}

// decodePhone reads an item, nil for one that is not stored.
func decodePhone(stored item, key conversation.PhoneKey) (conversation.Phone, error) {
	if stored == nil {
		return conversation.Phone{PhoneKey: key}, nil
	}
	var found conversation.Phone
	if err := decode(stored, &found); err != nil {
		return conversation.Phone{}, unreadable("of phone "+key.Phone.Mask(), err)
	}
	return found, nil
}
