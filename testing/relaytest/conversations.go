package relaytest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// ConversationsUnderTest is a store with its lists.
type ConversationsUnderTest interface {
	conversation.Store
	conversation.Lister
	conversation.Actions
}

// TestConversations holds a store against the contracts of package conversation. open returns a new, empty store each time; it is
// called once a subtest, and subtests run side by side.
func TestConversations(t *testing.T, open func(t *testing.T) ConversationsUnderTest) {
	t.Helper()
	for _, tt := range []struct {
		name string
		run  func(conversationTest)
	}{
		{"a conversation that nobody stored has version 0", conversationTest.absent},
		{"what was put is got", conversationTest.roundTrip},
		{"each customer and each number for itself", conversationTest.keys},
		{"one customer in each spelling", conversationTest.spellings},
		{"a put over another version is a conflict", conversationTest.conflict},
		{"of puts side by side one goes through", conversationTest.sideBySide},
		{"a phone that nobody stored has version 0", conversationTest.absentPhone},
		{"a phone is got as it was put", conversationTest.phoneRoundTrip},
		{"each phone and each sender for itself", conversationTest.phoneKeys},
		{"one phone in each spelling", conversationTest.phoneSpellings},
		{"a put of a phone over another version is a conflict", conversationTest.phoneConflict},
		{"of puts of a phone side by side one goes through", conversationTest.phoneSideBySide},
		{"a read has the order of its keys", conversationTest.read},
		{"a read of what is not there", conversationTest.readAbsent},
		{"a read shows the last write", conversationTest.readLast},
		{"a tag is put with its conversation", conversationTest.putTag},
		{"a tag goes on to another customer", conversationTest.passTag},
		{"a tag of another version changes nothing", conversationTest.tagConflict},
		{"a conversation of another version changes no tag", conversationTest.tagOfConflict},
		{"of customers side by side one gets the tag", conversationTest.tagSideBySide},
		{"the uses of all numbers' tags", conversationTest.tagUses},
		{"a list in order and in parts", conversationTest.list},
		{"a list of one number's conversations alone", conversationTest.listAlone},
		{"a list has a limit", conversationTest.listLimit},
		{"a list of one number's phones alone", conversationTest.listPhones},
		{"an action may come twice, and is in no list", conversationTest.action},
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
	ConversationsUnderTest
}

// conversationTime is when things happen in these tests.
func conversationTime() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 123_000_000, time.UTC) }

func optedOut(customer sms.PhoneNumber) conversation.Conversation {
	return conversation.Conversation{TwilioNumber: TwilioNumber, Customer: customer, OptOut: conversation.OptOut{
		OptedOut: true, Word: "CANCEL", Since: conversationTime(), MessageSid: MessageSid(1),
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

// isStored checks that the conversation is stored as it is.
func (c conversationTest) isStored(want conversation.Conversation) {
	c.Helper()
	c.isStoredAt(want.TwilioNumber, want.Customer, want)
}

func (c conversationTest) isStoredAt(number, customer sms.PhoneNumber, want conversation.Conversation) {
	c.Helper()
	got, err := c.Get(c.Context(), number, customer)
	if err != nil {
		c.Fatalf("Get: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		c.Errorf("conversation (-want +got):\n%s", diff)
	}
}

func (c conversationTest) absent() {
	c.isStored(conversation.Conversation{TwilioNumber: TwilioNumber, Customer: Customer})
	c.isStored(conversation.Conversation{Customer: Customer})
}

func (c conversationTest) roundTrip() {
	out := optedOut(Customer)
	out.Name, out.Tag, out.TagUsedAt, out.TagVersion, out.Seal = "Ann Miller", "A47", conversationTime().Add(time.Hour), 3, "seal"
	out.Spell = conversation.Spell{
		MessageSid: MessageSid(3), BeganAt: conversationTime(), NewestSid: MessageSid(4), NewestAt: conversationTime().Add(time.Minute), Texts: 2,
		Phones: []sms.PhoneNumber{Destination}, Step: 3, Before: 1, Stage: conversation.StageOwner, StagePhones: []sms.PhoneNumber{Fallback},
		DueAt: conversationTime().Add(time.Hour), OwnerTold: 1, UnansweredAt: conversationTime().Add(time.Second),
	}
	out.Seen = conversation.Seen{At: conversationTime(), How: conversation.SeenDone, Phone: Destination, By: "ann", MessageSid: MessageSid(5)}
	out.Claim = conversation.Claim{
		Phone: Fallback, Since: conversationTime(), MessageSid: MessageSid(6), ActedAt: conversationTime().Add(time.Second),
		EndedAt: conversationTime().Add(time.Minute),
	}
	out.Blocked = conversation.Blocked{On: true, By: "ann", Phone: Destination, Since: conversationTime()}
	out.Written = conversation.Written{
		At: conversationTime(), AutoAt: conversationTime().Add(-time.Hour), AutoCause: MessageSid(7),
	}
	out.Closed = conversation.Closed{
		Texts: []conversation.ClosedText{{MessageSid: MessageSid(8), Version: 1}, {MessageSid: MessageSid(9), Version: 3}},
		Since: conversationTime(), Until: conversationTime().Add(time.Hour), IsSet: true,
	}
	out = c.put(out)
	c.isStored(out)
	out.Blocked.On = false
	out.OptOut = conversation.OptOut{Word: "YES", Since: out.OptOut.Since.Add(time.Second), MessageSid: MessageSid(2)}
	out.Name = ""
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

// The numbers of the tests' customers and phones in the United Kingdom, without and with the zero that is dialled at home. Ofcom
// keeps them for films.
const (
	britishPhone   sms.PhoneNumber = "+447700900123"
	britishSpelled sms.PhoneNumber = "+4407700900123"
)

func (c conversationTest) spellings() {
	first := c.put(optedOut(britishSpelled))
	c.isStoredAt(TwilioNumber, britishPhone, first)
	second := first
	second.Customer = britishPhone
	second = c.put(second)
	c.isStoredAt(TwilioNumber, britishSpelled, second)
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
	c.isStored(conversation.Conversation{TwilioNumber: TwilioNumber, Customer: Fallback})
}

func (c conversationTest) sideBySide() {
	c.oneWins(func(i int) error {
		wanted := optedOut(Customer)
		wanted.OptOut.MessageSid = MessageSid(i)
		_, err := c.Put(c.Context(), wanted)
		return err
	})
}

// oneWins writes from several goroutines. One write goes through; the others are conflicts, or had no effect because the store was
// busy with another.
func (c conversationTest) oneWins(write func(i int) error) {
	c.Helper()
	const writers = 8
	results := make([]error, writers)
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() { results[i] = write(i) })
	}
	wg.Wait()
	written := 0
	for _, err := range results {
		switch {
		case err == nil:
			written++
		case errors.Is(err, conversation.ErrConflict):
		case fault.Of(err).Kind != fault.Transient:
			c.Errorf("write: %v", err)
		}
	}
	if written != 1 {
		c.Errorf("%d of %d writes went through, want 1", written, writers)
	}
}

func (c conversationTest) endedContext() {
	ctx, cancel := context.WithCancel(c.Context())
	cancel()
	key := conversation.PhoneKey{TwilioNumber: TwilioNumber, Phone: Destination}
	reads, writes := map[string]error{}, map[string]error{}
	_, reads["Get"] = c.Get(ctx, TwilioNumber, Customer)
	_, reads["GetPhone"] = c.GetPhone(ctx, key)
	_, _, reads["Read"] = c.Read(ctx, TwilioNumber, Customer, key)
	_, reads["TagUses"] = c.TagUses(ctx)
	_, reads["ListConversations"] = c.ListConversations(ctx, TwilioNumber, "", 1)
	_, reads["ListPhones"] = c.ListPhones(ctx, TwilioNumber)
	_, writes["Put"] = c.Put(ctx, optedOut(Customer))
	_, writes["PutPhone"] = c.PutPhone(ctx, conversation.Phone{PhoneKey: key})
	writes["PutAction"] = c.PutAction(ctx, conversation.NewAction(conversation.DeedRemove, key, "", "ann", conversationTime()))
	_, writes["PutTag"] = c.PutTag(ctx, optedOut(Fallback), conversation.TagUse{Tag: "A47"})
	for name, err := range reads {
		if classified, ok := errors.AsType[*fault.Error](err); !ok || classified.Kind != fault.Transient {
			c.Errorf("%s with an ended context: error %v, want a transient *fault.Error", name, err)
		}
	}
	for name, err := range writes {
		classified, ok := errors.AsType[*fault.Error](err)
		if !ok || classified.Kind != fault.Transient && classified.Kind != fault.Unknown {
			c.Errorf("%s with an ended context: error %v, want a *fault.Error that is transient or unknown", name, err)
		}
	}
}

// fictional returns the fictional number +1 858 555 01xx.
func fictional(i int) sms.PhoneNumber { return sms.PhoneNumber(fmt.Sprintf("+185855501%02d", i)) }
