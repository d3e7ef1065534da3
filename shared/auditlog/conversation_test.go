package auditlog_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	customerName = "Ann Miller"
	someID       = "AB3DEFGH2JKLMNOPQRSTUVWXYZ"
)

// stop is the customer's conversation after STOP.
func stop() conversation.Conversation {
	return conversation.Conversation{
		TwilioNumber: relaytest.TwilioNumber, Customer: relaytest.Customer,
		OptOut: conversation.OptOut{OptedOut: true, Word: "STOP", Since: noon, MessageSid: relaytest.MessageSid(1)},
	}
}

// drawConversation draws a conversation of any shape, whether the relay would make it or not.
func drawConversation(t *rapid.T) conversation.Conversation {
	at := func(label string) time.Time {
		moment := noon.Add(time.Duration(rapid.Int64Range(0, 1e15).Draw(t, label)))
		return moment.In(rapid.SampledFrom([]*time.Location{time.UTC, time.FixedZone("", 3600)}).Draw(t, label+" zone"))
	}
	c := conversation.Conversation{TwilioNumber: relaytest.TwilioNumber, Customer: relaytest.Customer}
	if rapid.Bool().Draw(t, "has a keyword") {
		c.OptOut = conversation.OptOut{
			OptedOut: rapid.Bool().Draw(t, "opted out"), Word: rapid.SampledFrom([]string{"STOP", "START", "ALTO"}).Draw(t, "word"),
			Since: at("since"), MessageSid: relaytest.MessageSid(rapid.IntRange(1, 3).Draw(t, "text")),
		}
	}
	c.Name = rapid.SampledFrom([]string{"", customerName, "Bob \u2028 <b>"}).Draw(t, "name")
	if rapid.Bool().Draw(t, "has a tag") {
		c.Tag, c.TagUsedAt, c.TagVersion = "A47", at("tag used"), rapid.Int64Range(1, 3).Draw(t, "tag version")
	}
	return c
}

// asStored returns a conversation as a store returns it, and the stream shows it: written as JSON and read again.
func asStored(t rapid.TB, c conversation.Conversation) conversation.Conversation {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var read conversation.Conversation
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	return read
}

// TestConversationsSealIsItsEntrysHash: the writer, from the values at hand, and the stream, from the images, come to the same hash.
func TestConversationsSealIsItsEntrysHash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var before conversation.Conversation
		for version := range int64(rapid.IntRange(1, 4).Draw(t, "writes")) {
			sealed, err := auditlog.SealConversation(before, drawConversation(t), noon.Add(123456789))
			if err != nil {
				t.Fatal(err)
			}
			if sealed.Version != version || sealed.ID == "" || before.ID != "" && sealed.ID != before.ID {
				t.Fatalf("sealed %+v over %+v", sealed, before)
			}
			sealed.Version++
			after, old, change := asStored(t, sealed), &before, auditlog.ChangeChanged
			if version == 0 {
				old, change = nil, auditlog.ChangeCreated
			}
			entry, err := auditlog.ConversationEntry(old, &after, change, auditlog.Seen{SequenceNumber: "7", At: noon})
			if err != nil || entry.Unsealed || entry.Hash != after.Seal || entry.Prev != before.Seal || !entry.Time.Equal(after.UpdatedAt) {
				t.Fatalf("entry %+v of %+v, error %v", entry, after, err)
			}
			before = after
		}
	})
}

// TestWhatAConversationsEntrySays: what changed, and never whose numbers or which name.
func TestWhatAConversationsEntrySays(t *testing.T) {
	stored := stop()
	stored.Version, stored.ID, stored.UpdatedAt, stored.Name = 3, someID, noon, customerName
	stored.Tag, stored.TagUsedAt, stored.TagVersion = "A47", noon, 1
	with := func(edit func(*conversation.Conversation)) *conversation.Conversation {
		c := stored
		c.Version = 4
		edit(&c)
		return &c
	}
	said := auditlog.Conversation{OptedOut: true, Word: "STOP", MessageSid: relaytest.MessageSid(1), Tag: "A47", Named: true}
	saying := func(edit func(*auditlog.Conversation)) auditlog.Conversation {
		c := said
		edit(&c)
		return c
	}
	for _, tt := range []struct {
		name          string
		before, after *conversation.Conversation
		change        string
		want          auditlog.Conversation
	}{
		{"created", nil, with(func(*conversation.Conversation) {}), auditlog.ChangeCreated, saying(func(c *auditlog.Conversation) {
			c.Changed = []string{"opt_out", "name", "tag"}
		})},
		{"opted in", &stored, with(func(c *conversation.Conversation) {
			c.OptOut = conversation.OptOut{Word: "START", Since: noon, MessageSid: relaytest.MessageSid(2)}
		}), auditlog.ChangeChanged, saying(func(c *auditlog.Conversation) {
			c.OptedOut, c.Word, c.MessageSid, c.Changed = false, "START", relaytest.MessageSid(2), []string{"opt_out"}
		})},
		{
			"another name", &stored, with(func(c *conversation.Conversation) { c.Name = "Bob" }), auditlog.ChangeChanged,
			saying(func(c *auditlog.Conversation) { c.Changed = []string{"name"} }),
		},
		{
			"no name", &stored, with(func(c *conversation.Conversation) { c.Name = "" }), auditlog.ChangeChanged,
			saying(func(c *auditlog.Conversation) { c.Named, c.Changed = false, []string{"name"} }),
		},
		{
			"another tag", &stored, with(func(c *conversation.Conversation) { c.Tag, c.TagVersion = "B73", 5 }), auditlog.ChangeChanged,
			saying(func(c *auditlog.Conversation) { c.Tag, c.Changed = "B73", []string{"tag"} }),
		},
		{"the tag was used", &stored, with(func(c *conversation.Conversation) {
			c.TagUsedAt, c.TagVersion = noon.Add(time.Hour), 2
		}), auditlog.ChangeChanged, saying(func(c *auditlog.Conversation) { c.Changed = []string{"tag_used"} })},
		{"nothing that is shown", &stored, with(func(*conversation.Conversation) {}), auditlog.ChangeChanged, said},
		{"removed", &stored, nil, auditlog.ChangeRemoved, said},
	} {
		t.Run(tt.name, func(t *testing.T) {
			entry, err := auditlog.ConversationEntry(tt.before, tt.after, tt.change, auditlog.Seen{SequenceNumber: "7", At: noon})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tt.want, entry.Conversation); diff != "" {
				t.Errorf("conversation (-want +got):\n%s", diff)
			}
			line, err := entry.Line()
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"Ann", "Miller", "Bob", strings.TrimPrefix(string(relaytest.Customer), "+1")[:6]} {
				if strings.Contains(string(line.Text), secret) {
					t.Errorf("the line shows %s: %s", secret, line.Text)
				}
			}
			if entry.TwilioNumber != relaytest.TwilioNumber.Mask() || entry.Customer != relaytest.Customer.Mask() || entry.MessageSid != "" {
				t.Errorf("entry %+v", entry)
			}
		})
	}
}

// TestConversationsWithTheSameDigits have the same masked numbers: their entries have different ids all the same.
func TestConversationsWithTheSameDigits(t *testing.T) {
	ids := map[string]bool{}
	for _, customer := range []sms.PhoneNumber{"+13125550147", "+17735550147"} {
		c := stop()
		c.Customer = customer
		sealed, err := auditlog.SealConversation(conversation.Conversation{}, c, noon)
		if err != nil {
			t.Fatal(err)
		}
		sealed.Version = 1
		entry, err := auditlog.ConversationEntry(nil, &sealed, auditlog.ChangeCreated, auditlog.Seen{})
		if err != nil || entry.Customer != "***0147" || ids[entry.ID] {
			t.Errorf("entry %+v, error %v", entry, err)
		}
		ids[entry.ID] = true
	}
}

// TestIDsOfAConversationsEntries: each change has one of its own, also those that the relay did not make.
func TestIDsOfAConversationsEntries(t *testing.T) {
	old, sealed := stop(), stop()
	old.Version = 2
	sealed.Version, sealed.ID, sealed.Seal, sealed.UpdatedAt = 3, someID, strings.Repeat("ab", 32), noon
	byHand, stripped := sealed, sealed
	byHand.Name, stripped.ID, stripped.Seal = customerName, "", ""
	later := noon.Add(90 * 24 * time.Hour)
	for _, tt := range []struct {
		name          string
		before, after *conversation.Conversation
		change        string
		want          string
		unsealed      bool
		at            time.Time
	}{
		{"adopted", &old, &sealed, auditlog.ChangeChanged, "conversation:" + someID + ".3", true, noon},
		{"changed by hand", &sealed, &byHand, auditlog.ChangeChanged, "conversation:" + someID + ".3@7", true, later},
		{"its ID taken away", &sealed, &stripped, auditlog.ChangeChanged, "conversation:" + someID + ".3@7", true, later},
		{"removed", &sealed, nil, auditlog.ChangeRemoved, "conversation:" + someID + ".3.removed", false, later},
		{"of an older version", nil, &old, auditlog.ChangeCreated, "conversation:***0100.***0111.2@7", false, later},
		{"of an older version, removed", &old, nil, auditlog.ChangeRemoved, "conversation:***0100.***0111.2.removed@7", false, later},
	} {
		t.Run(tt.name, func(t *testing.T) {
			entry, err := auditlog.ConversationEntry(tt.before, tt.after, tt.change, auditlog.Seen{SequenceNumber: "7", At: later})
			if err != nil || entry.ID != tt.want || entry.Unsealed != tt.unsealed || !entry.Time.Equal(tt.at) {
				t.Errorf("entry %+v, error %v; want id %s of %v", entry, err, tt.want, tt.at)
			}
			if (entry.Reason == auditlog.ReasonAdopted) != (tt.name == "adopted") {
				t.Errorf("reason %q", entry.Reason)
			}
		})
	}
}

// doorstep is a store that keeps what it is given.
type doorstep struct {
	put conversation.Conversation
	use conversation.TagUse
}

func (d *doorstep) Put(_ context.Context, c conversation.Conversation) (conversation.Conversation, error) {
	d.put = c
	c.Version++
	return c, nil
}

func (d *doorstep) PutTag(ctx context.Context, c conversation.Conversation, t conversation.TagUse) (conversation.Conversation, error) {
	d.use = t
	return d.Put(ctx, c)
}

// TestBothWaysThroughTheDoorSeal: a tag is written with its conversation.
func TestBothWaysThroughTheDoorSeal(t *testing.T) {
	use := conversation.TagUse{Tag: "A47", Version: 4}
	for name, write := range map[string]func(*doorstep, conversation.Conversation) (conversation.Conversation, error){
		"a conversation": func(d *doorstep, before conversation.Conversation) (conversation.Conversation, error) {
			return auditlog.PutConversation(t.Context(), d, before, stop(), noon)
		},
		"a tag": func(d *doorstep, before conversation.Conversation) (conversation.Conversation, error) {
			return auditlog.PutTag(t.Context(), d, before, stop(), use, noon)
		},
	} {
		t.Run(name, func(t *testing.T) {
			var d doorstep
			first, err := write(&d, conversation.Conversation{})
			if err != nil || first.Version != 1 || len(first.Seal) != 64 || len(first.ID) != 26 || !first.UpdatedAt.Equal(noon) {
				t.Fatalf("stored %+v, error %v", first, err)
			}
			second, err := write(&d, first)
			if err != nil || second.Version != 2 || second.Seal == first.Seal || second.ID != first.ID {
				t.Errorf("stored %+v after %+v, error %v", second, first, err)
			}
			if name == "a tag" && d.use != use {
				t.Errorf("the tag's use is %+v", d.use)
			}
		})
	}
}
