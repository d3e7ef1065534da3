package dynamo

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

var (
	_ conversation.Store   = (*Conversations)(nil)
	_ conversation.Lister  = (*Conversations)(nil)
	_ conversation.Actions = (*Conversations)(nil)
)

// Conversations keeps conversations, phones, tags and actions in a table of [ConversationsSchema]. It is safe for concurrent use.
type Conversations struct{ table table }

// NewConversations returns the conversations in the table of that name.
func NewConversations(cfg aws.Config, tableName string) *Conversations {
	return newConversations(sdk.NewFromConfig(cfg), tableName)
}

func newConversations(client api, tableName string) *Conversations {
	return &Conversations{table: table{client: client, name: tableName, key: attrTwilioNumber}}
}

// itemKey is the whole key of an item in the conversations' table.
type itemKey struct{ number, item string }

func conversationKey(number, customer sms.PhoneNumber) itemKey {
	return itemKey{number: string(number), item: conversation.Item(customer)}
}

func phoneKey(k conversation.PhoneKey) itemKey {
	return itemKey{number: string(k.TwilioNumber), item: k.Item()}
}

func tagKey(t conversation.TagUse) itemKey {
	return itemKey{number: string(conversation.TagsPartition), item: t.Item()}
}

func (k itemKey) attributes() item {
	return item{attrTwilioNumber: attribute(k.number), attrItem: attribute(k.item)}
}

// Get returns the conversation as last written, by a consistent read of one item.
func (c *Conversations) Get(ctx context.Context, number, customer sms.PhoneNumber) (conversation.Conversation, error) {
	stored, err := c.get(ctx, conversationKey(number, customer))
	if err != nil {
		return conversation.Conversation{}, err
	}
	return decodeConversation(stored, number, customer)
}

// GetPhone returns the phone as last written, by a consistent read of one item.
func (c *Conversations) GetPhone(ctx context.Context, key conversation.PhoneKey) (conversation.Phone, error) {
	stored, err := c.get(ctx, phoneKey(key))
	if err != nil {
		return conversation.Phone{}, err
	}
	return decodePhone(stored, key)
}

// get returns the item as last written, nil if there is none.
func (c *Conversations) get(ctx context.Context, key itemKey) (item, error) {
	if key.number == "" {
		// DynamoDB does not allow empty keys and would refuse the request.
		return nil, nil
	}
	return c.table.getItem(ctx, key.attributes())
}

// Put stores the conversation over the version that it was read with, with one conditional write.
func (c *Conversations) Put(ctx context.Context, wanted conversation.Conversation) (conversation.Conversation, error) {
	read := wanted.Version
	wanted.Version++
	if err := c.put(ctx, conversationKey(wanted.TwilioNumber, wanted.Customer), read, wanted); err != nil {
		return conversation.Conversation{}, err
	}
	return wanted, nil
}

// PutPhone stores the phone over the version that it was read with, with one conditional write.
func (c *Conversations) PutPhone(ctx context.Context, wanted conversation.Phone) (conversation.Phone, error) {
	read := wanted.Version
	wanted.Version++
	if err := c.put(ctx, phoneKey(wanted.PhoneKey), read, wanted); err != nil {
		return conversation.Phone{}, err
	}
	return wanted, nil
}

// PutTag stores the conversation and the use of its tag over the versions that they were read with, in one transaction.
func (c *Conversations) PutTag(
	ctx context.Context, wanted conversation.Conversation, use conversation.TagUse,
) (conversation.Conversation, error) {
	readConversation, readUse := wanted.Version, use.Version
	wanted.Version++
	use.Version++
	first, err := c.conditionalPut(conversationKey(wanted.TwilioNumber, wanted.Customer), readConversation, wanted)
	if err != nil {
		return conversation.Conversation{}, err
	}
	second, err := c.conditionalPut(tagKey(use), readUse, use)
	if err != nil {
		return conversation.Conversation{}, err
	}
	ok, err := c.table.putAll(ctx, first, second)
	switch {
	case err != nil:
		return conversation.Conversation{}, err
	case !ok:
		return conversation.Conversation{}, conversation.ErrConflict
	default:
		return wanted, nil
	}
}

// PutAction stores the action, with one conditional write.
func (c *Conversations) PutAction(ctx context.Context, a conversation.Action) error {
	err := c.put(ctx, itemKey{number: string(a.TwilioNumber), item: a.Item()}, 0, a)
	if errors.Is(err, conversation.ErrConflict) {
		return nil // It is the same action again.
	}
	return err
}

// put stores v at the key if the stored version is the one that was read, 0 if there was no item.
func (c *Conversations) put(ctx context.Context, key itemKey, read int64, v any) error {
	put, err := c.conditionalPut(key, read, v)
	if err != nil {
		return err
	}
	_, ok, err := c.table.put(ctx, put.wanted, put.condition)
	if err == nil && !ok {
		err = conversation.ErrConflict
	}
	return err
}

func (c *Conversations) conditionalPut(key itemKey, read int64, v any) (conditionalPut, error) {
	encoded, err := encode(v)
	if err != nil {
		return conditionalPut{}, unstorable(err)
	}
	encoded[attrTwilioNumber], encoded[attrItem] = attribute(key.number), attribute(key.item)
	condition := c.table.absent()
	if read > 0 {
		condition = atVersion(read)
	}
	return conditionalPut{wanted: encoded, condition: condition}, nil
}
