package dynamo_test

import (
	"testing"

	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestConversationsOnFake runs the store's suite against the fake.
func TestConversationsOnFake(t *testing.T) {
	t.Parallel()
	relaytest.TestConversations(t, func(*testing.T) conversation.Store {
		return dynamo.NewConversations(newFake(dynamo.ConversationsSchema()).config(), "qdn-sms-conversations")
	})
}

// TestConversationsConformance runs the store's suite against DynamoDB Local.
func TestConversationsConformance(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, nil)
	relaytest.TestConversations(t, func(t *testing.T) conversation.Store {
		t.Helper()
		return dynamo.NewConversations(e.config, e.createTable(t, dynamo.ConversationsSchema()))
	})
}

// A put whose answer was lost, and whose repeat finds its own write, went through.
func TestConversationPutWithALostAnswer(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.ConversationsSchema())
	f.fault = func(operation string, n int, apply func() reply) reply {
		if result := apply(); operation != "PutItem" || n > 1 {
			return result
		}
		return reply{err: lost()}
	}
	store := dynamo.NewConversations(f.config(), "qdn-sms-conversations")
	wanted := conversation.Conversation{
		TwilioNumber: relaytest.TwilioNumber, Customer: relaytest.Customer,
		OptOut: conversation.OptOut{OptedOut: true, Word: "STOP"},
	}
	if c, err := store.Put(t.Context(), wanted); err != nil || c.Version != 1 {
		t.Errorf("Put returned %+v, error %v; want version 1", c, err)
	}
}
