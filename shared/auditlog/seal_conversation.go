package auditlog

import (
	"context"
	"crypto/rand"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
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
// version 0 if nothing is stored yet.
func SealConversation(before, after conversation.Conversation, now time.Time) (conversation.Conversation, error) {
	after.Version, after.Seal, after.UpdatedAt = before.Version+1, "", ledger.Stamp(now)
	if after.ID = before.ID; after.ID == "" {
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
