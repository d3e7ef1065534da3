package relaytest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// fullPhone returns a phone that has everything a phone can have.
func fullPhone(key conversation.PhoneKey) conversation.Phone {
	at := conversationTime()
	return conversation.Phone{
		PhoneKey: key,
		View: conversation.View{
			Exchanges: []conversation.Exchange{
				{Customer: Customer, Tag: "A47", Name: "Ann Miller", SentAt: at, AnsweredAt: at.Add(time.Minute)},
				{SentAt: at.Add(-time.Hour)},
			},
			LastAt: at.Add(2 * time.Minute), LastTo: Customer, LastTag: "A47",
			Held: conversation.Held{
				MessageSids: []string{MessageSid(1), MessageSid(2)}, AskedAt: at.Add(3 * time.Minute), LastAt: at.Add(4 * time.Minute),
				Named: []conversation.Tag{"A47", "B73"}, Replaces: true,
			},
			Owner: Customer, OwnedSince: at.Add(-2 * time.Minute), Reassigned: true, Confirmed: true,
		},
		Sent:            []conversation.Sent{{MessageSid: MessageSid(3), Tag: "A47"}, {MessageSid: MessageSid(4)}},
		LastSids:        []string{MessageSid(5), MessageSid(6)},
		Removed:         at.Add(5 * time.Minute),
		Notices:         conversation.Bucket{Until: at.Add(6 * time.Minute)},
		AskedAt:         at.Add(8 * time.Minute),
		Hinted:          true,
		AutoReplyToldAt: at.Add(7 * time.Minute),
		Undo: conversation.Undo{
			Verb: conversation.VerbGive, Tag: "A47", Customer: Customer, MessageSid: MessageSid(7), At: at.Add(9 * time.Minute),
		},
		Untagged: []conversation.Said{{Digest: "digest", At: at.Add(8 * time.Minute)}},
	}
}

func destinationKey() conversation.PhoneKey {
	return conversation.PhoneKey{TwilioNumber: TwilioNumber, Phone: Destination}
}

func (c conversationTest) putPhone(wanted conversation.Phone) conversation.Phone {
	c.Helper()
	stored, err := c.PutPhone(c.Context(), wanted)
	wanted.Version++
	if err != nil || !cmp.Equal(stored, wanted) {
		c.Fatalf("PutPhone returned %+v, error %v; want %+v", stored, err, wanted)
	}
	return stored
}

// hasPhone checks what is stored at the key.
func (c conversationTest) hasPhone(key conversation.PhoneKey, want conversation.Phone) {
	c.Helper()
	got, err := c.GetPhone(c.Context(), key)
	if err != nil {
		c.Fatalf("GetPhone: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		c.Errorf("phone (-want +got):\n%s", diff)
	}
}

func (c conversationTest) absentPhone() {
	for _, key := range []conversation.PhoneKey{
		destinationKey(), {TwilioNumber: TwilioNumber, SendingNumber: fictional(1), Phone: Destination}, {Phone: Destination},
	} {
		c.hasPhone(key, conversation.Phone{PhoneKey: key})
	}
}

func (c conversationTest) phoneRoundTrip() {
	p := c.putPhone(fullPhone(destinationKey()))
	c.hasPhone(destinationKey(), p)
	// What the caller does with his own afterwards is not stored.
	p.Exchanges[0].Name, p.Held.Named[0] = "Bob", "C19"
	want := fullPhone(destinationKey())
	want.Version = 1
	c.hasPhone(destinationKey(), want)
	empty := c.putPhone(conversation.Phone{PhoneKey: destinationKey(), Version: p.Version})
	c.hasPhone(destinationKey(), empty)
}

func (c conversationTest) phoneKeys() {
	keys := []conversation.PhoneKey{
		destinationKey(),
		{TwilioNumber: TwilioNumber, SendingNumber: fictional(1), Phone: Destination},
		{TwilioNumber: fictional(1), Phone: Destination},
		{TwilioNumber: fictional(2), SendingNumber: fictional(1), Phone: Destination},
		{TwilioNumber: TwilioNumber, Phone: Fallback},
		{TwilioNumber: TwilioNumber, Phone: `o'Neill "ops" ü.#$[0]`},
	}
	var want []conversation.Phone
	for i, key := range keys {
		p := fullPhone(key)
		p.LastSids = []string{MessageSid(100 + i)}
		want = append(want, c.putPhone(p))
	}
	for i, key := range keys {
		c.hasPhone(key, want[i])
	}
	// A phone is no customer, and a customer no phone.
	c.isStored(conversation.Conversation{TwilioNumber: TwilioNumber, Customer: Destination})
}

func (c conversationTest) phoneSpellings() {
	first := c.putPhone(fullPhone(conversation.PhoneKey{TwilioNumber: TwilioNumber, Phone: britishSpelled}))
	c.hasPhone(conversation.PhoneKey{TwilioNumber: TwilioNumber, Phone: britishPhone}, first)
	// The texts come from the number itself, whether that is said or not.
	c.hasPhone(conversation.PhoneKey{TwilioNumber: TwilioNumber, SendingNumber: TwilioNumber, Phone: britishPhone}, first)
}

func (c conversationTest) phoneConflict() {
	first := c.putPhone(fullPhone(destinationKey()))
	for _, version := range []int64{0, 2} {
		wrong := conversation.Phone{PhoneKey: destinationKey(), Version: version}
		if _, err := c.PutPhone(c.Context(), wrong); !errors.Is(err, conversation.ErrConflict) {
			c.Errorf("PutPhone over version %d: error %v, want ErrConflict", version, err)
		}
	}
	missing := conversation.PhoneKey{TwilioNumber: TwilioNumber, Phone: Fallback}
	if _, err := c.PutPhone(c.Context(), conversation.Phone{PhoneKey: missing, Version: 1}); !errors.Is(err, conversation.ErrConflict) {
		c.Errorf("PutPhone over what is not there: error %v, want ErrConflict", err)
	}
	c.hasPhone(destinationKey(), first)
	c.hasPhone(missing, conversation.Phone{PhoneKey: missing})
}

func (c conversationTest) phoneSideBySide() {
	c.oneWins(func(i int) error {
		_, err := c.PutPhone(c.Context(), conversation.Phone{PhoneKey: destinationKey(), LastSids: []string{MessageSid(i)}})
		return err
	})
}

// reads checks what one read returns.
func (c conversationTest) reads(
	keys []conversation.PhoneKey, want conversation.Conversation, wantPhones []conversation.Phone,
) {
	c.Helper()
	got, phones, err := c.Read(c.Context(), TwilioNumber, Customer, keys...)
	if err != nil {
		c.Fatalf("Read: %v", err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		c.Errorf("conversation (-want +got):\n%s", diff)
	}
	if len(phones) != len(wantPhones) {
		c.Fatalf("%d phones, want %d", len(phones), len(wantPhones))
	}
	for i := range phones {
		if diff := cmp.Diff(wantPhones[i], phones[i]); diff != "" {
			c.Errorf("phone %d (-want +got):\n%s", i, diff)
		}
	}
}

// The keys are not in the order of the table, some are not stored, and some name the same phone.
func (c conversationTest) read() {
	const phones = 20
	var keys []conversation.PhoneKey
	var want []conversation.Phone
	for i := range phones {
		key := conversation.PhoneKey{TwilioNumber: TwilioNumber, Phone: fictional(phones - i)}
		p := conversation.Phone{PhoneKey: key}
		if i%3 != 0 {
			p = c.putPhone(fullPhone(key))
		}
		keys, want = append(keys, key), append(want, p)
	}
	customer := c.put(optedOut(Customer))
	c.reads(keys, customer, want)
	c.reads(keys[:1], customer, want[:1])
	c.reads(nil, customer, nil)
	british := c.putPhone(fullPhone(conversation.PhoneKey{TwilioNumber: TwilioNumber, Phone: britishPhone}))
	spelled := conversation.PhoneKey{TwilioNumber: TwilioNumber, Phone: britishSpelled}
	c.reads([]conversation.PhoneKey{british.PhoneKey, keys[1], spelled, british.PhoneKey}, customer,
		[]conversation.Phone{british, want[1], british, british})
}

func (c conversationTest) readAbsent() {
	stored := c.putPhone(fullPhone(destinationKey()))
	nobody := conversation.PhoneKey{TwilioNumber: TwilioNumber, Phone: Fallback}
	nowhere := conversation.PhoneKey{Phone: Fallback}
	c.reads([]conversation.PhoneKey{nobody, destinationKey(), nowhere},
		conversation.Conversation{TwilioNumber: TwilioNumber, Customer: Customer},
		[]conversation.Phone{{PhoneKey: nobody}, stored, {PhoneKey: nowhere}})
}

func (c conversationTest) readLast() {
	for range 5 {
		customer, phones, err := c.Read(c.Context(), TwilioNumber, Customer, destinationKey())
		if err != nil {
			c.Fatalf("Read: %v", err)
		}
		c.put(customer)
		c.putPhone(phones[0])
	}
	customer, phones, err := c.Read(c.Context(), TwilioNumber, Customer, destinationKey())
	if err != nil || customer.Version != 5 || phones[0].Version != 5 {
		c.Errorf("Read returned versions %d and %d, error %v; want 5", customer.Version, phones[0].Version, err)
	}
}

// Phones of other numbers, customers and tags are not in the list. It may lag.
func (c conversationTest) action() {
	key := conversation.PhoneKey{TwilioNumber: TwilioNumber, Phone: Destination}
	action := conversation.NewAction(conversation.DeedResume, key, Customer, "ann", conversationTime())
	c.put(optedOut(Customer))
	c.putPhone(fullPhone(key))
	for range 2 {
		if err := c.PutAction(c.Context(), action); err != nil {
			c.Fatalf("PutAction: %v", err)
		}
	}
	eventually(c.T, func() string {
		conversations, err := c.ListConversations(c.Context(), TwilioNumber, "", 10)
		phones, phonesErr := c.ListPhones(c.Context(), TwilioNumber)
		if len(conversations) != 1 || len(phones) != 1 || err != nil || phonesErr != nil {
			return fmt.Sprintf("listed are %d conversations and %d phones, errors %v and %v; want one of each", len(conversations),
				len(phones), err, phonesErr)
		}
		return ""
	})
}

func (c conversationTest) listPhones() {
	var want []conversation.Phone
	for _, number := range []sms.PhoneNumber{TwilioNumber, fictional(1)} {
		for _, phone := range []sms.PhoneNumber{fictional(7), "24365", britishSpelled, fictional(3), `o'Neill "ops" ü.#$[0]`} {
			for _, sender := range []sms.PhoneNumber{"", fictional(2)} {
				p := c.putPhone(fullPhone(conversation.PhoneKey{TwilioNumber: number, SendingNumber: sender, Phone: phone}))
				if number == TwilioNumber {
					want = append(want, p)
				}
			}
		}
	}
	slices.SortFunc(want, func(a, b conversation.Phone) int { return strings.Compare(a.Item(), b.Item()) })
	c.put(optedOut(Customer))
	c.giveTag(conversation.Conversation{TwilioNumber: TwilioNumber, Customer: Fallback}, conversation.TagUse{Tag: "A47"}, conversationTime())
	for number, want := range map[sms.PhoneNumber][]conversation.Phone{TwilioNumber: want, fictional(3): nil, "": nil} {
		eventually(c.T, func() string {
			got, err := c.ListPhones(c.Context(), number)
			if err != nil {
				c.Fatalf("ListPhones: %v", err)
			}
			return cmp.Diff(want, got, cmpopts.EquateEmpty())
		})
	}
}
