package dynamo

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

var _ conversation.Store = (*Conversations)(nil)

// Conversations keeps the conversations in a table of [ConversationsSchema]. It is safe for concurrent use.
type Conversations struct{ table table }

// NewConversations returns the conversations in the table of that name.
func NewConversations(cfg aws.Config, tableName string) *Conversations {
	return newConversations(sdk.NewFromConfig(cfg), tableName)
}

func newConversations(client api, tableName string) *Conversations {
	return &Conversations{table: table{client: client, name: tableName, key: attrTwilioNumber}}
}

// Get returns the conversation as last written, by a consistent read of one item.
func (c *Conversations) Get(ctx context.Context, number, customer sms.PhoneNumber) (conversation.Conversation, error) {
	found := conversation.Conversation{TwilioNumber: number, Customer: customer}
	if number == "" {
		// DynamoDB does not allow empty keys and would refuse the request.
		return found, nil
	}
	stored, err := c.table.getItem(ctx, item{attrTwilioNumber: attribute(string(number)), attrItem: attribute(conversation.Item(customer))})
	if err != nil || stored == nil {
		return found, err
	}
	if err := decode(stored, &found); err != nil {
		return conversation.Conversation{}, unreadable(number.Mask(), err)
	}
	return found, nil
}

// Put stores the conversation over the version that it was read with, with one conditional write.
func (c *Conversations) Put(ctx context.Context, wanted conversation.Conversation) (conversation.Conversation, error) {
	condition := c.table.absent()
	if wanted.Version > 0 {
		condition = atVersion(wanted.Version)
	}
	wanted.Version++
	encoded, err := encode(wanted)
	if err != nil {
		return conversation.Conversation{}, unstorable(err)
	}
	encoded[attrItem] = attribute(conversation.Item(wanted.Customer))
	_, ok, err := c.table.put(ctx, encoded, condition)
	switch {
	case err != nil:
		return conversation.Conversation{}, err
	case !ok:
		return conversation.Conversation{}, conversation.ErrConflict
	default:
		return wanted, nil
	}
}
