package auditlog

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// ConversationWriter is the part of a [conversation.Store] that the door needs.
type ConversationWriter interface {
	Put(ctx context.Context, c conversation.Conversation) (conversation.Conversation, error)
	PutTag(ctx context.Context, c conversation.Conversation, t conversation.TagUse) (conversation.Conversation, error)
}

// PutConversation stores wanted as the next version of before, sealed; before is as the store returned it. The errors are those of
// Put of [conversation.Store]. Production code writes conversations only through PutConversation and [PutTag]: relay audit verify
// reports a change without its seal as one that the relay did not make.
func PutConversation(ctx context.Context, store ConversationWriter, before, wanted conversation.Conversation, now time.Time) (
	conversation.Conversation, error,
) {
	sealed, err := SealConversation(before, wanted, now)
	if err != nil {
		return conversation.Conversation{}, err
	}
	return store.Put(ctx, sealed)
}

// ConversationChanger is the part of a [conversation.Store] that ChangeConversation needs.
type ConversationChanger interface {
	ConversationWriter
	Get(ctx context.Context, number, customer sms.PhoneNumber) (conversation.Conversation, error)
}

// maxConversationWrites is how often a change of a conversation is written while others change it, too.
const maxConversationWrites = 8

// ChangeConversation applies edit to what is stored of a customer, again as often as others change it meanwhile or the store does not say
// whether it was written, and returns what is stored then. isChanged is false if edit, at its last call, changed nothing. The error is
// conversation.ErrUnsettled if others never stop, or a *fault.Error.
func ChangeConversation(ctx context.Context, store ConversationChanger, number, customer sms.PhoneNumber, now func() time.Time,
	edit func(c conversation.Conversation) (edited conversation.Conversation, changed bool),
) (stored conversation.Conversation, isChanged bool, err error) {
	for range maxConversationWrites {
		c, err := store.Get(ctx, number, customer)
		if err != nil {
			return c, false, err
		}
		edited, isChanged := edit(c)
		if !isChanged {
			return c, false, nil
		}
		stored, err := PutConversation(ctx, store, c, edited, now())
		switch {
		case err == nil:
			return stored, true, nil
		case errors.Is(err, conversation.ErrConflict), fault.Of(err).Kind == fault.Unknown:
		default:
			return c, false, err
		}
	}
	return stored, false, conversation.ErrUnsettled
}

// PutTag is PutConversation, and stores the use of the tag in the same transaction. The errors are those of PutTag of
// [conversation.Store].
func PutTag(ctx context.Context, store ConversationWriter, before, wanted conversation.Conversation, use conversation.TagUse,
	now time.Time,
) (conversation.Conversation, error) {
	sealed, err := SealConversation(before, wanted, now)
	if err != nil {
		return conversation.Conversation{}, err
	}
	return store.PutTag(ctx, sealed, use)
}

// SealConversation returns after as it is stored at now as the next version of before: with its ID, UpdatedAt and seal. before has
// version 0 if nothing is stored yet. A conversation that comes from another relay brings its ID along.
func SealConversation(before, after conversation.Conversation, now time.Time) (conversation.Conversation, error) {
	after.Version, after.Seal, after.UpdatedAt = before.Version+1, "", ledger.Stamp(now)
	if before.ID != "" {
		after.ID = before.ID
	}
	if after.ID == "" {
		after.ID = rand.Text()
	}
	stored, change := &before, ChangeChanged
	if before.Version == 0 {
		stored, change = nil, ChangeCreated
	}
	entry := conversationEntry(stored, &after, change, Seen{})
	entry.Prev = before.Seal
	err := entry.hash()
	after.Version, after.Seal = before.Version, entry.Hash
	return after, err
}
