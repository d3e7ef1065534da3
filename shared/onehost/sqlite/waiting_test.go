package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// putAll puts conversations, many at once.
func putAll(t *testing.T, db *DB, all []conversation.Conversation) {
	t.Helper()
	err := db.write(t.Context(), func(ctx context.Context, tx *tx) error {
		for i := range all {
			put, err := putOfConversation(&all[i])
			if err != nil {
				return err
			}
			if _, err := tx.putItems(ctx, []itemPut{put}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// anyConversation is one whose customer waits, or does not, often by milliseconds.
func anyConversation(n int, now time.Time) conversation.Conversation {
	around := func() time.Time {
		return now.Add(time.Duration(rand.IntN(10)-5) * time.Millisecond).Truncate(time.Millisecond)
	}
	c := conversation.Conversation{
		TwilioNumber: relaytest.TwilioNumber, Customer: sms.PhoneNumber(fmt.Sprintf("+1%d55501%02d", 200+n/100, n%100)), Name: "'\"\u2028",
	}
	if n%3 > 0 {
		c.Spell = conversation.Spell{MessageSid: relaytest.MessageSid(n), NewestSid: relaytest.MessageSid(n), BeganAt: now, NewestAt: around()}
	}
	if n%5 > 0 {
		c.Seen = conversation.Seen{At: around().Add(5 * time.Second), How: conversation.SeenAnswered}
	}
	if n%11 == 0 {
		c.Closed = conversation.Closed{Texts: []conversation.ClosedText{{MessageSid: relaytest.MessageSid(n), Version: 1}}, Since: now}
	}
	return c
}

// TestListWaiting finds all who wait, and nobody else: the index goes by the same milliseconds as the relay.
func TestListWaiting(t *testing.T) {
	t.Parallel()
	db := openNew(t)
	var all, want []conversation.Conversation
	for n := range 1000 {
		all = append(all, anyConversation(n, time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)))
	}
	putAll(t, db, all)
	for _, c := range all {
		if !c.WaitsSince().IsZero() {
			want = append(want, c)
		}
	}
	got, err := db.Conversations().ListWaiting(t.Context(), relaytest.TwilioNumber)
	if err != nil || len(want) < 100 || len(want) > 900 {
		t.Fatalf("%d of %d wait, error %v", len(want), len(all), err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("who waits (-want +got):\n%s", diff)
	}
}

// TestListWaitingReadsNobodyElse: those who waited once cost nothing.
func TestListWaitingReadsNobodyElse(t *testing.T) {
	t.Parallel()
	db, now := openNew(t), time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	var all []conversation.Conversation
	for n := range 10_000 {
		c := anyConversation(1, now)
		c.Customer, c.Seen = sms.PhoneNumber(fmt.Sprintf("+1%d55501%02d", 200+n/100, n%100)), conversation.Seen{}
		if n >= 20 {
			c.Seen.At = now.Add(time.Hour)
		}
		all = append(all, c)
	}
	putAll(t, db, all)
	counter := countSteps(t, db)
	before := counter.steps()
	got, err := db.Conversations().ListWaiting(t.Context(), relaytest.TwilioNumber)
	if steps := counter.steps() - before; err != nil || len(got) != 20 || steps > 20*20 {
		t.Errorf("%d wait, found in %d steps, error %v", len(got), steps, err)
	}
}
