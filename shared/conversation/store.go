package conversation

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// ErrConflict means that what is stored was changed since it was read.
var ErrConflict = errors.New("conversation was changed by someone else")

// ErrUnsettled means that others changed the same thing again and again.
var ErrUnsettled = errors.New("others changed it meanwhile each time")

// Store keeps conversations, phones and tags in one table. Its reads show what was last written, and each write is conditional on the
// version that was read. Errors other than ErrConflict are *fault.Error; an Unknown error means that the write may have happened; the
// next read shows it.
type Store interface {
	// Get returns the conversation, in the spelling it was last put in, or one of version 0 that has nothing but its key.
	Get(ctx context.Context, number, customer sms.PhoneNumber) (Conversation, error)
	// Put stores c as version c.Version+1 and returns it, if the stored version is c.Version (0: nothing is stored). Otherwise
	// the error is ErrConflict.
	Put(ctx context.Context, c Conversation) (Conversation, error)
	// GetPhone returns the phone, in the spelling it was last put in, or one of version 0 that has nothing but its key.
	GetPhone(ctx context.Context, key PhoneKey) (Phone, error)
	// PutPhone stores p as version p.Version+1 and returns it, on the same condition as Put.
	PutPhone(ctx context.Context, p Phone) (Phone, error)
	// Read returns a conversation and up to twenty phones, in the order of the keys, in one call, each as Get or GetPhone would. A key
	// may repeat.
	Read(ctx context.Context, number, customer sms.PhoneNumber, keys ...PhoneKey) (Conversation, []Phone, error)
	// PutTag stores c and t, each as its Version+1, and returns c. Both are written, or none: if either is stored in another version,
	// the error is ErrConflict.
	PutTag(ctx context.Context, c Conversation, t TagUse) (Conversation, error)
	// TagUses returns the uses of all tags that were ever given out, in any order. It may miss the latest writes.
	TagUses(ctx context.Context) ([]TagUse, error)
}

// Lister finds what is kept for people.
type Lister interface {
	// ListConversations returns at most limit conversations of the number (1 to [MaxList]), ordered by the bytes of [Item], that come
	// after the customer, who need not be stored; "" begins at the first. Fewer than limit are the last. It may miss the latest writes.
	ListConversations(ctx context.Context, number, after sms.PhoneNumber, limit int) ([]Conversation, error)
	// ListPhones returns all that is kept of phones of the number, ordered by the bytes of their [PhoneKey.Item]. It may miss the
	// latest writes.
	ListPhones(ctx context.Context, number sms.PhoneNumber) ([]Phone, error)
}

// MaxList is how many conversations one list has at most.
const MaxList = 1_000

// Each calls visit with each conversation of a number, in the order of the customers' numbers, until visit returns false.
func Each(ctx context.Context, store Lister, number, after sms.PhoneNumber, visit func(c Conversation) bool) error {
	for {
		page, err := store.ListConversations(ctx, number, after, MaxList)
		if err != nil {
			return fmt.Errorf("list the customers of %s: %w", number.Mask(), err)
		}
		for _, c := range page {
			if !visit(c) {
				return nil
			}
		}
		if len(page) < MaxList {
			return nil
		}
		after = page[len(page)-1].Customer
	}
}

// TagsPartition is where the table keeps the tags of all numbers together, in place of a Twilio number: numbers may share a phone, and
// no two customers that a phone can see have the same tag.
const TagsPartition sms.PhoneNumber = "*"

// The beginnings of the sort keys, which say what an item is.
const (
	PrefixConversation = "c#"
	PrefixTag          = "t#"
	PrefixPhone        = "p#"
	PrefixAction       = "a#"
)

// IsAudited reports whether the changes of the item with that sort key are in the audit log: those of conversations and of actions.
func IsAudited(item string) bool {
	return strings.HasPrefix(item, PrefixConversation) || strings.HasPrefix(item, PrefixAction)
}

// Item returns the sort key of a customer's item in the conversations' table, the same for each spelling of the number.
func Item(customer sms.PhoneNumber) string {
	canonical, _ := customer.Canonical()
	return PrefixConversation + string(canonical)
}

// Item returns the sort key of the tag's item.
func (t TagUse) Item() string { return PrefixTag + string(t.Tag) }

// Item returns the sort key of the phone's item, the same for each spelling of the phone.
func (k PhoneKey) Item() string {
	canonical, _ := k.Phone.Canonical()
	return PrefixPhone + string(k.Sender()) + "#" + string(canonical)
}
