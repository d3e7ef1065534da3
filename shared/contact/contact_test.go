package contact_test

import (
	"context"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/contact"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// busyStore lets someone else give the customer a tag just before the first write.
type busyStore struct {
	*relaytest.MemoryConversations

	isDone bool
}

func (s *busyStore) Put(ctx context.Context, c conversation.Conversation) (conversation.Conversation, error) {
	if !s.isDone {
		s.isDone = true
		stored, err := s.Get(ctx, c.TwilioNumber, c.Customer)
		if err != nil {
			return stored, err
		}
		if _, err := s.PutTag(ctx, conversation.Conversation{
			TwilioNumber: c.TwilioNumber, Customer: c.Customer, Version: stored.Version, ID: "id", Tag: "A05", TagVersion: 1,
		}, conversation.TagUse{Tag: "A05", Number: c.TwilioNumber, Customer: c.Customer}); err != nil {
			return conversation.Conversation{}, err
		}
	}
	return s.MemoryConversations.Put(ctx, c)
}

// A name is written next to what someone else writes about the customer in the same moment.
func TestANameLeavesTheTagOfOthers(t *testing.T) {
	t.Parallel()
	store := &busyStore{MemoryConversations: &relaytest.MemoryConversations{}}
	n := contact.Naming{Store: store, By: "ann", Now: time.Now}
	s, err := n.Apply(t.Context(), contact.Wanted{Number: relaytest.TwilioNumber, Customer: relaytest.Customer, Name: "Ann"})
	if err != nil || s.Change != contact.Added || s.After.Name != "Ann" || s.After.Tag != "A05" {
		t.Errorf("it was %s: %+v, error %v; want it added next to the tag", s.Change, s.After, err)
	}
	c, err := store.Get(t.Context(), relaytest.TwilioNumber, relaytest.Customer)
	if err != nil || c.Name != "Ann" || c.Tag != "A05" || c.Seal == "" || c.NamedBy != "ann" {
		t.Errorf("stored is %+v, error %v", c, err)
	}
}

// A block is written next to what someone else writes, once, and the list has it.
func TestABlockLeavesTheTagOfOthers(t *testing.T) {
	t.Parallel()
	store := &busyStore{MemoryConversations: &relaytest.MemoryConversations{}}
	b := contact.Blocking{Store: store, By: "ann", Now: time.Now}
	for i, step := range []struct {
		blocked bool
		change  contact.Change
	}{{true, contact.WasBlocked}, {true, contact.Unchanged}, {false, contact.WasUnblocked}, {false, contact.Unchanged}} {
		s, err := b.Apply(t.Context(), relaytest.TwilioNumber, relaytest.Customer, step.blocked)
		if err != nil || s.Change != step.change || s.After.Blocked.On != step.blocked || s.After.Tag != "A05" || s.After.Blocked.By != "ann" {
			t.Errorf("step %d was %s: %+v, error %v", i, s.Change, s.After, err)
		}
		found, more, err := contact.ListBlocked(t.Context(), store, relaytest.TwilioNumber, "", 10)
		if err != nil || more || (len(found) == 1) != step.blocked {
			t.Errorf("step %d: blocked are %+v, error %v", i, found, err)
		}
	}
	c, err := store.Get(t.Context(), relaytest.TwilioNumber, relaytest.Customer)
	if err != nil || c.Version != 3 || c.Seal == "" {
		t.Errorf("stored is %+v, error %v", c, err)
	}
}
