package relaytest

import (
	"cmp"
	"errors"
	"slices"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// giveTag gives the customer the tag of use, and returns both as they are stored then.
func (c conversationTest) giveTag(
	customer conversation.Conversation, use conversation.TagUse, at time.Time,
) (conversation.Conversation, conversation.TagUse) {
	c.Helper()
	wanted, wantedUse := customer.Take(use, at)
	stored, err := c.PutTag(c.Context(), wanted, wantedUse)
	wanted.Version++
	wantedUse.Version++
	if err != nil || !gocmp.Equal(stored, wanted) {
		c.Fatalf("PutTag returned %+v, error %v; want %+v", stored, err, wanted)
	}
	return stored, wantedUse
}

// hasTags checks the uses of all tags. They may lag.
func (c conversationTest) hasTags(want ...conversation.TagUse) {
	c.Helper()
	sorted := func(uses []conversation.TagUse) []conversation.TagUse {
		return slices.SortedFunc(slices.Values(uses), func(a, b conversation.TagUse) int { return cmp.Compare(a.Tag, b.Tag) })
	}
	eventually(c.T, func() string {
		got, err := c.TagUses(c.Context())
		if err != nil {
			c.Fatalf("TagUses: %v", err)
		}
		return gocmp.Diff(sorted(want), sorted(got))
	})
}

func (c conversationTest) putTag() {
	c.hasTags()
	first, use := c.giveTag(optedOut(Customer), conversation.TagUse{Tag: "A47"}, conversationTime())
	c.isStored(first)
	c.hasTags(use)
	if kept := first.KeptTag(); !gocmp.Equal(kept, use) {
		c.Errorf("the customer's tag is kept as %+v, want %+v", kept, use)
	}
	second, use := c.giveTag(first, first.KeptTag(), conversationTime().Add(time.Hour))
	c.isStored(second)
	c.hasTags(use)
}

func (c conversationTest) passTag() {
	first, use := c.giveTag(optedOut(Customer), conversation.TagUse{Tag: "A47"}, conversationTime())
	other := conversation.Conversation{TwilioNumber: fictional(1), Customer: Fallback}
	second, used := c.giveTag(other, use, conversationTime().Add(time.Hour))
	c.isStored(first)
	c.isStored(second)
	c.hasTags(used)
	wanted, kept := first.Take(first.KeptTag(), conversationTime().Add(2*time.Hour))
	c.refusesTag(wanted, kept)
	c.isStored(first)
	c.hasTags(used)
}

func (c conversationTest) refusesTag(customer conversation.Conversation, use conversation.TagUse) {
	c.Helper()
	if _, err := c.PutTag(c.Context(), customer, use); !errors.Is(err, conversation.ErrConflict) {
		c.Errorf("PutTag over versions %d and %d: error %v, want ErrConflict", customer.Version, use.Version, err)
	}
}

func (c conversationTest) tagConflict() {
	first, use := c.giveTag(optedOut(Customer), conversation.TagUse{Tag: "A47"}, conversationTime())
	stored := c.put(optedOut(Fallback))
	for _, customer := range []conversation.Conversation{stored, {TwilioNumber: TwilioNumber, Customer: fictional(1)}} {
		for _, version := range []int64{0, 2} {
			c.refusesTag(customer.Take(conversation.TagUse{Tag: "A47", Version: version}, conversationTime()))
		}
		c.refusesTag(customer.Take(conversation.TagUse{Tag: "B73", Version: 1}, conversationTime()))
		c.isStored(customer)
	}
	c.isStored(first)
	c.hasTags(use)
}

func (c conversationTest) tagOfConflict() {
	first, use := c.giveTag(optedOut(Customer), conversation.TagUse{Tag: "A47"}, conversationTime())
	for _, version := range []int64{0, 2} {
		wrong := conversation.Conversation{TwilioNumber: TwilioNumber, Customer: Customer, Version: version}
		c.refusesTag(wrong.Take(use, conversationTime()))
		c.refusesTag(wrong.Take(conversation.TagUse{Tag: "B73"}, conversationTime()))
	}
	missing := conversation.Conversation{TwilioNumber: TwilioNumber, Customer: Fallback, Version: 1}
	c.refusesTag(missing.Take(conversation.TagUse{Tag: "B73"}, conversationTime()))
	c.isStored(first)
	c.isStored(conversation.Conversation{TwilioNumber: TwilioNumber, Customer: Fallback})
	c.hasTags(use)
}

func (c conversationTest) tagSideBySide() {
	c.oneWins(func(i int) error {
		customer := conversation.Conversation{TwilioNumber: TwilioNumber, Customer: fictional(i)}
		_, err := c.PutTag(c.Context(), customer, conversation.TagUse{Tag: "A47", Number: TwilioNumber, Customer: fictional(i)})
		return err
	})
	uses, err := c.TagUses(c.Context())
	if err != nil || len(uses) != 1 {
		c.Fatalf("uses %+v, error %v; want one", uses, err)
	}
	for i := range 8 {
		customer, err := c.Get(c.Context(), TwilioNumber, fictional(i))
		if err != nil || (customer.Version == 1) != (fictional(i) == uses[0].Customer) {
			c.Errorf("customer %d has version %d, error %v; the tag is of %s", i, customer.Version, err, uses[0].Customer)
		}
	}
}

// Other items of the numbers, and of the tags' partition, are no tags.
func (c conversationTest) tagUses() {
	var want []conversation.TagUse
	i := 0
	for tag := range conversation.Tags(1) {
		if i == 30 {
			break
		}
		customer := conversation.Conversation{TwilioNumber: fictional(i % 3), Customer: fictional(i)}
		_, use := c.giveTag(customer, conversation.TagUse{Tag: tag}, conversationTime().Add(time.Duration(i)*time.Minute))
		want = append(want, use)
		i++
	}
	c.putPhone(fullPhone(destinationKey()))
	c.putPhone(fullPhone(conversation.PhoneKey{TwilioNumber: conversation.TagsPartition, Phone: Destination}))
	odd := optedOut(Customer)
	odd.TwilioNumber = conversation.TagsPartition
	c.put(odd)
	c.hasTags(want...)
}

// lists checks one list. It may lag.
func (c conversationTest) lists(number, after sms.PhoneNumber, limit int, want []conversation.Conversation) {
	c.Helper()
	eventually(c.T, func() string {
		got, err := c.ListConversations(c.Context(), number, after, limit)
		if err != nil {
			c.Fatalf("ListConversations: %v", err)
		}
		if len(got) == 0 && len(want) == 0 {
			return ""
		}
		return gocmp.Diff(want, got)
	})
}

// listed stores conversations and returns them in the order of lists.
func (c conversationTest) listed(number sms.PhoneNumber) []conversation.Conversation {
	c.Helper()
	var all []conversation.Conversation
	for _, customer := range []sms.PhoneNumber{
		fictional(7), "QuickDump", britishSpelled, fictional(3), "24365", `ü "ops"`, "whatsapp:" + Customer, fictional(5), "",
	} {
		one := optedOut(customer)
		one.TwilioNumber = number
		all = append(all, c.put(one))
	}
	slices.SortFunc(all, func(a, b conversation.Conversation) int {
		return cmp.Compare(conversation.Item(a.Customer), conversation.Item(b.Customer))
	})
	return all
}

func (c conversationTest) list() {
	all := c.listed(TwilioNumber)
	c.lists(TwilioNumber, "", len(all)+1, all)
	for limit := 1; limit <= len(all); limit++ {
		c.lists(TwilioNumber, "", limit, all[:limit])
	}
	for i, last := range all[1:] {
		c.lists(TwilioNumber, last.Customer, 2, all[i+2:min(i+4, len(all))])
	}
	// Another spelling of the last, and one that nobody stored.
	at := slices.IndexFunc(all, func(one conversation.Conversation) bool { return one.Customer == britishSpelled })
	c.lists(TwilioNumber, britishPhone, conversation.MaxList, all[at+1:])
	at = slices.IndexFunc(all, func(one conversation.Conversation) bool { return one.Customer == fictional(5) })
	c.lists(TwilioNumber, fictional(4), conversation.MaxList, all[at:])
}

func (c conversationTest) listAlone() {
	all := c.listed(TwilioNumber)
	c.listed(fictional(1))
	c.putPhone(fullPhone(destinationKey()))
	c.giveTag(conversation.Conversation{TwilioNumber: fictional(2), Customer: Customer}, conversation.TagUse{Tag: "A47"}, conversationTime())
	c.lists(TwilioNumber, "", conversation.MaxList, all)
	c.lists(fictional(3), "", conversation.MaxList, nil)
	c.lists("", "", conversation.MaxList, nil)
	c.lists(conversation.TagsPartition, "", conversation.MaxList, nil)
}

func (c conversationTest) listLimit() {
	all := c.listed(TwilioNumber)
	c.lists(TwilioNumber, "", 0, all[:1])
	c.lists(TwilioNumber, "", -1, all[:1])
	c.lists(TwilioNumber, "", 2*conversation.MaxList, all)
}
