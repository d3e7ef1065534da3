package relaytest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// TestConversations holds a store against the contract of package conversation. open returns a new, empty store each time; it is
// called once a subtest, and subtests run side by side.
func TestConversations(t *testing.T, open func(t *testing.T) conversation.Store) {
	t.Helper()
	for _, tt := range []struct {
		name string
		run  func(conversationTest)
	}{
		{"a conversation that nobody stored has version 0", conversationTest.absent},
		{"what was put is got", conversationTest.roundTrip},
		{"each customer and each number for itself", conversationTest.keys},
		{"a put over another version is a conflict", conversationTest.conflict},
		{"of puts side by side one goes through", conversationTest.sideBySide},
		{"an ended context is a classified error", conversationTest.endedContext},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(conversationTest{t, open(t)})
		})
	}
}

// conversationTest is one subtest with its store.
type conversationTest struct {
	*testing.T
	conversation.Store
}

func optedOut(customer sms.PhoneNumber) conversation.Conversation {
	return conversation.Conversation{TwilioNumber: TwilioNumber, Customer: customer, OptOut: conversation.OptOut{
		OptedOut: true, Word: "CANCEL", Since: time.Date(2026, 11, 24, 12, 0, 0, 123_000_000, time.UTC), MessageSid: MessageSid(1),
	}}
}

func (c conversationTest) put(wanted conversation.Conversation) conversation.Conversation {
	c.Helper()
	stored, err := c.Put(c.Context(), wanted)
	wanted.Version++
	if err != nil || !cmp.Equal(stored, wanted) {
		c.Fatalf("Put returned %+v, error %v; want %+v", stored, err, wanted)
	}
	return stored
}

func (c conversationTest) isStored(want conversation.Conversation) {
	c.Helper()
	got, err := c.Get(c.Context(), want.TwilioNumber, want.Customer)
	if err != nil {
		c.Fatalf("Get: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		c.Errorf("conversation (-want +got):\n%s", diff)
	}
}

func (c conversationTest) absent() {
	c.isStored(conversation.Conversation{TwilioNumber: TwilioNumber, Customer: Customer})
}

func (c conversationTest) roundTrip() {
	out := c.put(optedOut(Customer))
	c.isStored(out)
	out.OptOut = conversation.OptOut{Word: "YES", Since: out.OptOut.Since.Add(time.Second), MessageSid: MessageSid(2)}
	in := c.put(out)
	c.isStored(in)
}

func (c conversationTest) keys() {
	for _, customer := range []sms.PhoneNumber{Customer, "24365", "QuickDump", "whatsapp:" + Customer, `o'Neill "ops" ü.#$[0]`} {
		out := c.put(optedOut(customer))
		c.isStored(out)
		c.isStored(conversation.Conversation{TwilioNumber: Destination, Customer: customer})
	}
}

func (c conversationTest) conflict() {
	first := c.put(optedOut(Customer))
	for _, version := range []int64{0, 2} {
		wrong := optedOut(Customer)
		wrong.Version, wrong.OptOut.Word = version, "STOP"
		if _, err := c.Put(c.Context(), wrong); !errors.Is(err, conversation.ErrConflict) {
			c.Errorf("Put over version %d: error %v, want ErrConflict", version, err)
		}
	}
	missing := optedOut(Fallback)
	missing.Version = 1
	if _, err := c.Put(c.Context(), missing); !errors.Is(err, conversation.ErrConflict) {
		c.Errorf("Put over what is not there: error %v, want ErrConflict", err)
	}
	c.isStored(first)
}

func (c conversationTest) sideBySide() {
	const writers = 8
	results := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			wanted := optedOut(Customer)
			wanted.OptOut.MessageSid = MessageSid(i)
			_, results[i] = c.Put(c.Context(), wanted)
		})
	}
	wg.Wait()
	written := 0
	for _, err := range results {
		switch {
		case err == nil:
			written++
		case !errors.Is(err, conversation.ErrConflict):
			c.Errorf("Put: %v", err)
		}
	}
	if written != 1 {
		c.Errorf("%d of %d puts went through, want 1", written, writers)
	}
}

func (c conversationTest) endedContext() {
	ctx, cancel := context.WithCancel(c.Context())
	cancel()
	_, getErr := c.Get(ctx, TwilioNumber, Customer)
	_, putErr := c.Put(ctx, optedOut(Customer))
	for what, err := range map[string]error{"Get": getErr, "Put": putErr} {
		classified, ok := errors.AsType[*fault.Error](err)
		if !ok || classified.Kind != fault.Transient && (what == "Get" || classified.Kind != fault.Unknown) {
			c.Errorf("%s with an ended context: error %v, want a transient *fault.Error (or an unknown one of a write)", what, err)
		}
	}
}
