package dynamo_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const conversationsTable = "qdn-sms-conversations"

func conversationsOn(f *fakeDynamo) *dynamo.Conversations {
	return dynamo.NewConversations(f.config(), conversationsTable)
}

// TestConversationsOnFake runs the store's suite against the fake.
func TestConversationsOnFake(t *testing.T) {
	t.Parallel()
	relaytest.TestConversations(t, func(*testing.T) relaytest.ConversationsUnderTest {
		return conversationsOn(newFake(dynamo.ConversationsSchema()))
	})
}

// TestConversationsOnFakeInParts does the same with a fake that answers little at a time.
func TestConversationsOnFakeInParts(t *testing.T) {
	t.Parallel()
	relaytest.TestConversations(t, func(*testing.T) relaytest.ConversationsUnderTest {
		f := newFake(dynamo.ConversationsSchema())
		f.pageSize, f.batchSize = 2, 6
		return conversationsOn(f)
	})
}

// TestConversationsConformance runs the store's suite against DynamoDB Local.
func TestConversationsConformance(t *testing.T) {
	t.Parallel()
	e := newEmulator(t, nil)
	relaytest.TestConversations(t, func(t *testing.T) relaytest.ConversationsUnderTest {
		t.Helper()
		return dynamo.NewConversations(e.config, e.createTable(t, dynamo.ConversationsSchema()))
	})
}

func tagged() (conversation.Conversation, conversation.TagUse) {
	c := conversation.Conversation{TwilioNumber: relaytest.TwilioNumber, Customer: relaytest.Customer}
	return c.Take(conversation.TagUse{Tag: "A47"}, time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))
}

func phoneOnDuty() conversation.PhoneKey {
	return conversation.PhoneKey{TwilioNumber: relaytest.TwilioNumber, Phone: relaytest.Destination}
}

// A write whose answer was lost, and whose repeat finds its own write, went through.
func TestConversationWriteWithALostAnswer(t *testing.T) {
	t.Parallel()
	put := func(t *testing.T, s conversation.Store) (int64, error) {
		t.Helper()
		c, err := s.Put(t.Context(), conversation.Conversation{TwilioNumber: relaytest.TwilioNumber, Customer: relaytest.Customer})
		return c.Version, err
	}
	putPhone := func(t *testing.T, s conversation.Store) (int64, error) {
		t.Helper()
		p, err := s.PutPhone(t.Context(), conversation.Phone{PhoneKey: phoneOnDuty()})
		return p.Version, err
	}
	putTag := func(t *testing.T, s conversation.Store) (int64, error) {
		t.Helper()
		customer, use := tagged()
		c, err := s.PutTag(t.Context(), customer, use)
		return c.Version, err
	}
	for _, tt := range []struct {
		name, operation string
		forgetsTokens   bool
		write           func(*testing.T, conversation.Store) (int64, error)
	}{
		{"conversation", "PutItem", false, put},
		{"phone", "PutItem", false, putPhone},
		{"tag", "TransactWriteItems", false, putTag},
		{"tag, and the token was forgotten", "TransactWriteItems", true, putTag},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFake(dynamo.ConversationsSchema())
			f.forgetsTokens = tt.forgetsTokens
			f.fault = func(operation string, n int, apply func() reply) reply {
				if result := apply(); operation != tt.operation || n > 1 {
					return result
				}
				return reply{err: lost()}
			}
			if version, err := tt.write(t, conversationsOn(f)); err != nil || version != 1 {
				t.Errorf("version %d, error %v; want version 1", version, err)
			}
			if f.calls[tt.operation] != 2 {
				t.Errorf("%d calls, want 2", f.calls[tt.operation])
			}
		})
	}
}

// After a lost answer, somebody else's write of the same items is a conflict, and so is one of a single item.
func TestTagOfSomebodyElseAfterALostAnswer(t *testing.T) {
	t.Parallel()
	customer, use := tagged()
	other := conversation.Conversation{TwilioNumber: relaytest.TwilioNumber, Customer: relaytest.Fallback}
	for name, write := range map[string]func(*testing.T, conversation.Store){
		"the conversation": func(t *testing.T, s conversation.Store) {
			t.Helper()
			if _, err := s.Put(t.Context(), customer); err != nil {
				t.Error(err)
			}
		},
		"the tag": func(t *testing.T, s conversation.Store) {
			t.Helper()
			if _, err := s.PutTag(t.Context(), other, use); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake(dynamo.ConversationsSchema())
			write(t, conversationsOn(f))
			first := f.calls["TransactWriteItems"] + 1
			f.fault = func(operation string, n int, apply func() reply) reply {
				if operation == "TransactWriteItems" && n == first {
					return reply{err: lost()}
				}
				return apply()
			}
			if _, err := conversationsOn(f).PutTag(t.Context(), customer, use); !errors.Is(err, conversation.ErrConflict) {
				t.Errorf("PutTag: error %v, want ErrConflict", err)
			}
		})
	}
}

func TestTransactionGivenUp(t *testing.T) {
	t.Parallel()
	const none = "None"
	for _, tt := range []struct {
		codes []string
		want  fault.Kind
	}{
		{[]string{none, "TransactionConflict"}, fault.Transient},
		{[]string{"ThrottlingError", none}, fault.Throttled},
		{[]string{none, "ProvisionedThroughputExceeded"}, fault.Throttled},
		{[]string{"ValidationError", none}, fault.Permanent},
		{[]string{none, "ItemCollectionSizeLimitExceeded"}, fault.Permanent},
		{[]string{none, "SomethingNew"}, fault.Transient},
		{[]string{none, none}, fault.Transient},
		{nil, fault.Transient},
	} {
		t.Run(strings.Join(tt.codes, " "), func(t *testing.T) {
			t.Parallel()
			f := newFake(dynamo.ConversationsSchema())
			f.fault = func(string, int, func() reply) reply { return answer(nil, canceled(reasonsOf(tt.codes)...)) }
			customer, use := tagged()
			_, err := conversationsOn(f).PutTag(t.Context(), customer, use)
			failed, ok := errors.AsType[*fault.Error](err)
			if !ok || failed.Kind != tt.want {
				t.Fatalf("PutTag: error %v, want a *fault.Error that is %s", err, tt.want)
			}
			for _, code := range tt.codes {
				if strings.Contains(err.Error(), code) != (code != none) {
					t.Errorf("error %q should name the reasons", err)
				}
			}
			if strings.Contains(err.Error(), "Hello") {
				t.Errorf("error %q has what was sent", err)
			}
			if f.calls["TransactWriteItems"] != 1 {
				t.Errorf("%d calls, want 1", f.calls["TransactWriteItems"])
			}
		})
	}
}

func reasonsOf(codes []string) []reason {
	reasons := make([]reason, len(codes))
	for i, code := range codes {
		reasons[i] = reason{Code: code, Message: "Hello is what was sent"}
	}
	return reasons
}

// After a lost answer, a transaction that is given up may still have been written by its first attempt.
func TestTransactionGivenUpAfterALostAnswer(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.ConversationsSchema())
	f.fault = func(_ string, n int, _ func() reply) reply {
		if n == 1 {
			return reply{err: lost()}
		}
		return answer(nil, canceled(reasonsOf([]string{"TransactionConflict", "None"})...))
	}
	customer, use := tagged()
	if _, err := conversationsOn(f).PutTag(t.Context(), customer, use); fault.Of(err).Kind != fault.Unknown {
		t.Errorf("PutTag: error %v, want an unknown one", err)
	}
}

// A conversation and its phones cost one request, whatever repeats.
func TestConversationReadIsOneRequest(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.ConversationsSchema())
	second := phoneOnDuty()
	second.Phone = relaytest.Fallback
	keys := []conversation.PhoneKey{phoneOnDuty(), second, phoneOnDuty()}
	if _, _, err := conversationsOn(f).Read(t.Context(), relaytest.TwilioNumber, relaytest.Customer, keys...); err != nil {
		t.Fatal(err)
	}
	if want := map[string]int{"BatchGetItem": 1}; !cmp.Equal(f.calls, want) {
		t.Errorf("calls %v, want %v", f.calls, want)
	}
}

// DynamoDB answers a part of a batch, and the rest after pauses; a table that stays busy is a throttled error.
func TestConversationReadLeftUnprocessed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake(dynamo.ConversationsSchema())
		s := conversationsOn(f)
		stored, err := s.PutPhone(t.Context(), conversation.Phone{PhoneKey: phoneOnDuty()})
		if err != nil {
			t.Fatal(err)
		}
		f.batchSize = 1
		_, phones, err := s.Read(t.Context(), relaytest.TwilioNumber, relaytest.Customer, phoneOnDuty())
		if err != nil || !cmp.Equal(phones, []conversation.Phone{stored}) || f.calls["BatchGetItem"] != 2 {
			t.Errorf("Read returned %+v, error %v, in %d calls", phones, err, f.calls["BatchGetItem"])
		}
		f.batchSize = -1
		_, _, err = s.Read(t.Context(), relaytest.TwilioNumber, relaytest.Customer, phoneOnDuty())
		if fault.Of(err).Kind != fault.Throttled {
			t.Errorf("Read of a busy table: error %v, want a throttled one", err)
		}
	})
}

// An item written by hand is named with a masked number, and nothing that it holds.
func TestConversationItemUnreadable(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.ConversationsSchema())
	const name = `"Name":{"L":[{"S":"Ann Miller"}]}`
	for _, key := range []string{
		fmt.Sprintf(`"TwilioNumber":{"S":%q},"Item":{"S":"c#%s"}`, relaytest.TwilioNumber, relaytest.Customer),
		fmt.Sprintf(`"TwilioNumber":{"S":%q},"Item":{"S":"p#%s#%s"},"LastSids":{"N":"1"}`,
			relaytest.TwilioNumber, relaytest.TwilioNumber, relaytest.Destination),
		`"TwilioNumber":{"S":"*"},"Item":{"S":"t#A47"},"Tag":{"N":"47"}`,
	} {
		f.store(t, "{"+key+","+name+"}")
	}
	s := conversationsOn(f)
	failures := map[string]error{}
	_, failures["Get"] = s.Get(t.Context(), relaytest.TwilioNumber, relaytest.Customer)
	_, failures["GetPhone"] = s.GetPhone(t.Context(), phoneOnDuty())
	_, _, failures["Read"] = s.Read(t.Context(), relaytest.TwilioNumber, relaytest.Customer)
	_, _, failures["Read of a phone"] = s.Read(t.Context(), relaytest.TwilioNumber, relaytest.Fallback, phoneOnDuty())
	_, failures["TagUses"] = s.TagUses(t.Context())
	_, failures["ListConversations"] = s.ListConversations(t.Context(), relaytest.TwilioNumber, "", 1)
	_, failures["ListPhones"] = s.ListPhones(t.Context(), relaytest.TwilioNumber)
	for operation, err := range failures {
		if fault.Of(err).Kind != fault.Fatal {
			t.Errorf("%s: error %v, want a fatal one", operation, err)
			continue
		}
		for _, secret := range []string{"Ann", string(relaytest.TwilioNumber), string(relaytest.Customer), string(relaytest.Destination)} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: error %q has %q", operation, err, secret)
			}
		}
	}
}

// The attributes of a phone that has next to nothing, and of a tag.
func TestConversationItems(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.ConversationsSchema())
	s := conversationsOn(f)
	wrote := conversation.Phone{PhoneKey: phoneOnDuty(), LastSids: []string{relaytest.MessageSid(1)}}
	if _, err := s.PutPhone(t.Context(), wrote); err != nil {
		t.Fatal(err)
	}
	customer, use := tagged()
	if _, err := s.PutTag(t.Context(), customer, use); err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{
		"p#": {"Item", "LastSids", "Phone", "TwilioNumber", "Version"},
		"t#": {"Customer", "Item", "Number", "Tag", "TwilioNumber", "UsedAt", "Version"},
		"c#": {"Customer", "Item", "Tag", "TagUsedAt", "TagVersion", "TwilioNumber", "Version"},
	}
	for _, stored := range f.items {
		kind := stored.text("Item")[:2]
		if diff := cmp.Diff(want[kind], slices.Sorted(maps.Keys(stored))); diff != "" {
			t.Errorf("attributes of %s (-want +got):\n%s", kind, diff)
		}
	}
	if len(f.items) != len(want) {
		t.Errorf("%d items, want %d", len(f.items), len(want))
	}
}
