package sqlite

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// body is about as long as the envelope of a text.
const body = `{"v":1,"kind":"inbound","relay_id":"SM00000000000000000000000000000001","received_at":"2026-11-24T12:00:00.123Z",` +
	`"message":{"MessageSid":"SM00000000000000000000000000000001","AccountSid":"AC00000000000000000000000000000001",` +
	`"From":"+18585550111","To":"+18585550100","Body":"Is the gate open? We are standing in front of it.","NumSegments":1}}`

func text(n, groups int) queue.Outgoing {
	return queue.Outgoing{Group: fmt.Sprintf("%032x", n%groups), DeduplicationID: fmt.Sprintf("SM%032x", n), Body: body}
}

// claim writes what a sender writes before and after its POST.
func claim(ctx context.Context, l *Ledger, n int) error {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Millisecond)
	r, err := relaytest.Record(n, now).Claim("claim", 0, relaytest.Destination, time.Minute, now)
	if err != nil {
		return err
	}
	if r, err = l.Create(ctx, r); err != nil {
		return err
	}
	r.State = ledger.Sent
	_, err = l.Update(ctx, r)
	return err
}

func BenchmarkClaim(b *testing.B) {
	b.Run("sequential", func(b *testing.B) {
		l := openNew(b).Ledger()
		n := 0
		for b.Loop() {
			n++
			if err := claim(b.Context(), l, n); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		l := openNew(b).Ledger()
		var n atomic.Int64
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := claim(b.Context(), l, int(n.Add(1))); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

func BenchmarkSend(b *testing.B) {
	b.Run("sequential", func(b *testing.B) {
		q := openNew(b).Queue("main", QueueConfig{})
		n := 0
		for b.Loop() {
			n++
			if err := q.Send(b.Context(), text(n, 1000)); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parallel", func(b *testing.B) {
		q := openNew(b).Queue("main", QueueConfig{})
		var n atomic.Int64
		b.SetParallelism(32)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if err := q.Send(b.Context(), text(int(n.Add(1)), 1000)); err != nil {
					b.Error(err)
				}
			}
		})
	})
}

// fill sends the messages as they would be sent, but many in a transaction.
func fill(tb testing.TB, q *Queue, messages, groups int) {
	tb.Helper()
	for n := 0; n < messages; n += 1000 {
		err := q.db.write(tb.Context(), func(ctx context.Context, t *tx) error {
			for i := n; i < min(n+1000, messages); i++ {
				m := text(i, groups)
				stored := message{messageID: fmt.Sprint(i), deduplicationID: m.DeduplicationID, body: m.Body}
				if err := q.send(ctx, t, stored, m); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkReceiveDelete takes ten messages and deletes them, with a few messages waiting and with very many. Each
// round sends ten others, outside of the measurement, so that the depth stays what it is.
func BenchmarkReceiveDelete(b *testing.B) {
	for _, depth := range []struct{ messages, groups int }{{100, 10}, {10_000, 1_000}, {100_000, 10_000}} {
		b.Run(fmt.Sprintf("%d messages in %d groups", depth.messages, depth.groups), func(b *testing.B) {
			q := openNew(b).Queue("main", QueueConfig{})
			fill(b, q, depth.messages, depth.groups)
			n := depth.messages
			for b.Loop() {
				receiveDelete(b, q)
				b.StopTimer()
				for range 10 {
					n++
					if err := q.Send(b.Context(), text(n, depth.groups)); err != nil {
						b.Fatal(err)
					}
				}
				b.StartTimer()
			}
		})
	}
}

func receiveDelete(b *testing.B, q *Queue) {
	b.Helper()
	got, err := q.Receive(b.Context(), 10, 0, time.Minute)
	if err != nil || len(got) == 0 {
		b.Fatalf("received %d messages, error %v", len(got), err)
	}
	handles := make([]string, len(got))
	for i, d := range got {
		handles[i] = d.ReceiptHandle
	}
	if err := q.Delete(b.Context(), handles); err != nil {
		b.Fatal(err)
	}
}

// fillLedger creates records, the first the oldest, many in a transaction. edit may change each before.
func fillLedger(tb testing.TB, l *Ledger, records int, edit func(n int, r *ledger.Record)) {
	tb.Helper()
	start := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for first := 1; first <= records; first += 1000 {
		err := l.db.write(tb.Context(), func(ctx context.Context, t *tx) error {
			for n := first; n < min(first+1000, records+1); n++ {
				r := relaytest.Record(n, start.Add(time.Duration(n)*time.Millisecond))
				r.Version = 1
				edit(n, &r)
				item, err := encodeRecord(r)
				if err != nil {
					return err
				}
				if _, err := t.createRecord(ctx, r, item); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
}

// BenchmarkList reads the pages an operator looks at most, of a ledger with many records.
func BenchmarkList(b *testing.B) {
	l := openNew(b).Ledger()
	fillLedger(b, l, 20_000, func(_ int, r *ledger.Record) { r.State = ledger.Delivered })
	for name, q := range map[string]ledger.Query{
		"all":    {Limit: 50},
		"state":  {Limit: 50, State: ledger.Delivered},
		"number": {Limit: 50, Number: relaytest.Customer},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if p, err := l.List(b.Context(), q); err != nil || len(p.Records) != 50 {
					b.Fatalf("%d records, error %v", len(p.Records), err)
				}
			}
		})
	}
}
