package console_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	// paintedTexts are texts of a number's past, ten of each customer; paintedWaiting of the customers wait.
	paintedTexts   = 1_000_000
	paintedWaiting = 200
	paintedTags    = 20_000
	paintedLooks   = 200
)

// counted counts the items that pages read.
type counted struct {
	*sqlite.Conversations

	reads atomic.Int64
}

func (c *counted) ListWaiting(ctx context.Context, number sms.PhoneNumber) ([]conversation.Conversation, error) {
	found, err := c.Conversations.ListWaiting(ctx, number)
	c.reads.Add(int64(len(found)))
	return found, err
}

func (c *counted) ListConversations(
	ctx context.Context, number, after sms.PhoneNumber, limit int,
) ([]conversation.Conversation, error) {
	found, err := c.Conversations.ListConversations(ctx, number, after, limit)
	c.reads.Add(int64(len(found)))
	return found, err
}

func (c *counted) ListPhones(ctx context.Context, number sms.PhoneNumber) ([]conversation.Phone, error) {
	found, err := c.Conversations.ListPhones(ctx, number)
	c.reads.Add(int64(len(found)))
	return found, err
}

func (c *counted) TagUses(ctx context.Context) ([]conversation.TagUse, error) {
	found, err := c.Conversations.TagUses(ctx)
	c.reads.Add(int64(len(found)))
	return found, err
}

func (c *counted) TagUsesOf(ctx context.Context, tags []conversation.Tag) ([]conversation.TagUse, error) {
	found, err := c.Conversations.TagUsesOf(ctx, tags)
	c.reads.Add(int64(len(found)))
	return found, err
}

// countedTexts counts the texts that pages read.
type countedTexts struct {
	*sqlite.Ledger

	to *counted
}

func (c countedTexts) List(ctx context.Context, q ledger.Query) (ledger.Page, error) {
	page, err := c.Ledger.List(ctx, q)
	c.to.reads.Add(int64(len(page.Records)))
	return page, err
}

// BenchmarkFirstPaint measures how long the first pages take of a relay with a past, by a browser that has no page yet. The 95th percentile
// is at most 100 ms, and what is read does not depend on the past.
func BenchmarkFirstPaint(b *testing.B) {
	for _, texts := range []int{paintedTexts / 100, paintedTexts} {
		s, store := pastOf(b, texts)
		for name, path := range map[string]string{
			"waiting": "/console", "customer": customerOf(paintedWaiting + 1), "waits": customerOf(1), "figures": "/console/figures?over=month",
		} {
			b.Run(fmt.Sprintf("%s/texts=%d", name, texts), func(b *testing.B) {
				var times []time.Duration
				browser, before := s.as(signin.Dispatcher), store.reads.Load()
				for b.Loop() {
					for range paintedLooks {
						began := time.Now()
						if answer := browser.do(http.MethodGet, path, nil); answer.Code != http.StatusOK {
							b.Fatalf("%s: %d %s", path, answer.Code, answer.Body)
						}
						times = append(times, time.Since(began))
					}
				}
				slices.Sort(times)
				b.ReportMetric(times[len(times)/2].Seconds()*1000, "ms-p50")
				b.ReportMetric(times[len(times)*95/100].Seconds()*1000, "ms-p95")
				b.ReportMetric(float64(store.reads.Load()-before)/float64(len(times)), "reads/page")
				b.ReportMetric(0, "ns/op")
			})
		}
	}
}

func paintedCustomer(n int) sms.PhoneNumber {
	return sms.PhoneNumber(fmt.Sprintf("+1%d55501%02d", 200+n/100, n%100))
}

func customerOf(n int) string {
	return "/console/customer?number=%2B18585550100&customer=%2B" + string(paintedCustomer(n)[1:])
}

// pastOf returns a stage whose number was texted so often before. It is the last day of a month: its figures are of many days.
func pastOf(b *testing.B, texts int) (*stage, *counted) {
	b.Helper()
	s := &stage{TB: b, folder: b.TempDir(), now: monday()}
	db, err := sqlite.Open(b.Context(), filepath.Join(s.folder, "relay.db"), s.clock)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	store := &counted{Conversations: db.Conversations()}
	s.relay = &target.Target{Routes: db.Routes(), Ledger: countedTexts{db.Ledger(), store}, Conversations: store}
	if _, err := route.Seed(b.Context(), db.Routes(), []route.Route{{
		TwilioNumber: business, DestinationCarrier: phone, FallbackCarriers: []sms.PhoneNumber{bos}, Active: true,
		AnswerTimeout: route.Duration(10 * time.Minute), LastUpdated: s.now,
	}}, s.now); err != nil {
		b.Fatal(err)
	}
	if _, err := s.users().Add(signin.User{Name: "the-dispatcher", Role: signin.Dispatcher}, password, s.now); err != nil {
		b.Fatal(err)
	}
	customers := texts / 10
	importTexts(b, db.Ledger(), texts, customers, s.now)
	var everybody sync.WaitGroup
	const hands = 64
	for hand := range hands {
		everybody.Go(func() {
			for n := hand; n < customers; n += hands {
				if err := putCustomer(b.Context(), db.Conversations(), n, s.now); err != nil {
					b.Error(err)
				}
			}
		})
	}
	everybody.Wait()
	s.open()
	if info, err := os.Stat(filepath.Join(s.folder, "relay.db")); err == nil {
		b.Logf("%d texts of %d customers have %d MB", texts, customers, info.Size()>>20)
	}
	return s, store
}

func importTexts(b *testing.B, l *sqlite.Ledger, texts, customers int, now time.Time) {
	b.Helper()
	const batch = 10_000
	for first := 0; first < texts; first += batch {
		records := make([]ledger.Record, 0, batch)
		for n := first; n < min(first+batch, texts); n++ {
			records = append(records, ledger.Record{
				MessageSid: sid(n), Version: 4, TwilioNumber: business, Customer: paintedCustomer(n % customers), Body: words,
				ReceivedAt: now.Add(-time.Duration(texts-n) * time.Second).UTC(), State: ledger.Delivered, Destination: phone,
			})
		}
		if _, err := l.Import(b.Context(), records); err != nil {
			b.Fatal(err)
		}
	}
}

// putCustomer has the nth customer wait, or be answered.
func putCustomer(ctx context.Context, store *sqlite.Conversations, n int, now time.Time) error {
	at := now.Add(-time.Duration(n+1) * time.Minute).UTC().Truncate(time.Millisecond)
	c := conversation.Conversation{
		TwilioNumber: business, Customer: paintedCustomer(n), ID: fmt.Sprint("ID", n), UpdatedAt: at, Name: fmt.Sprint("Customer ", n),
		Spell: conversation.Spell{
			MessageSid: sid(n), BeganAt: at, NewestSid: sid(n), NewestAt: at, Texts: 1, DueAt: now.Add(time.Minute),
			Phones: []sms.PhoneNumber{phone},
		},
		Seen: conversation.Seen{At: at.Add(time.Hour), How: conversation.SeenAnswered, Phone: phone},
	}
	if n < paintedWaiting {
		c.Seen.At = at.Add(-time.Hour)
	}
	if n >= paintedTags {
		_, err := store.Put(ctx, c)
		return err
	}
	c.Tag, c.TagUsedAt, c.TagVersion = conversation.Tag(fmt.Sprint("A", n)), at, 1
	_, err := store.PutTag(ctx, c, conversation.TagUse{
		Tag: c.Tag, Number: business, Customer: c.Customer, UsedAt: at,
	})
	return err
}
