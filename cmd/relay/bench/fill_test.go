package bench_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/bench"
	"quickdumpnow.com/smsrelay/cmd/relay/workload"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// memory is a ledger that fails after some batches, if told to.
type memory struct {
	mu        sync.Mutex
	records   map[string]ledger.Record
	batches   int
	failAfter int
}

var errFull = errors.New("disk is full")

func (m *memory) Empty(context.Context) (bool, error) { return len(m.records) == 0, nil }

func (m *memory) Import(_ context.Context, records []ledger.Record) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.batches++; m.failAfter > 0 && m.batches > m.failAfter {
		return 0, errFull
	}
	added := 0
	for _, r := range records {
		if _, there := m.records[r.MessageSid]; !there {
			m.records[r.MessageSid] = r
			added++
		}
	}
	return added, nil
}

func fill(texts int) bench.Fill {
	return bench.Fill{
		Texts: workload.Config{Seed: 1, Texts: texts, Days: 3, Until: time.Now(), Retention: 30 * 24 * time.Hour},
		Batch: 100, Writers: 3,
	}
}

func TestFill(t *testing.T) {
	into := &memory{records: map[string]ledger.Record{}}
	f := fill(1_234)
	var mu sync.Mutex
	most := 0
	f.Progress = func(stored int) {
		mu.Lock()
		defer mu.Unlock()
		most = max(most, stored)
	}
	stored, err := f.Run(t.Context(), into)
	if err != nil || stored != 1_234 || len(into.records) != 1_234 || most != 1_234 || into.batches != 13 {
		t.Errorf("stored %d, %d there, progress up to %d in %d batches, error %v", stored, len(into.records), most, into.batches, err)
	}
	if stored, err := f.Run(t.Context(), into); !errors.Is(err, bench.ErrNotEmpty) || stored != 0 {
		t.Errorf("filled again: stored %d, error %v; want ErrNotEmpty", stored, err)
	}
	f.Force = true
	if stored, err := f.Run(t.Context(), into); err != nil || stored != 0 {
		t.Errorf("filled again by force: stored %d, error %v; want none, they are all there", stored, err)
	}
}

func TestFillStopsAtAFailure(t *testing.T) {
	into := &memory{records: map[string]ledger.Record{}, failAfter: 2}
	stored, err := fill(100_000).Run(t.Context(), into)
	if !errors.Is(err, errFull) || stored != 200 {
		t.Errorf("stored %d, error %v; want the two batches before the disk was full", stored, err)
	}
	if into.batches > 20 {
		t.Errorf("%d batches were tried after a failure", into.batches)
	}
}

func TestFillStopsWhenItIsTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	into := &memory{records: map[string]ledger.Record{}}
	f := fill(100_000)
	f.Progress = func(int) { cancel() }
	if _, err := f.Run(ctx, into); !errors.Is(err, context.Canceled) || len(into.records) > 1_000 {
		t.Errorf("%d records, error %v; want an early end", len(into.records), err)
	}
}

func TestFillChecksItsTexts(t *testing.T) {
	if _, err := fill(0).Run(t.Context(), &memory{}); err == nil {
		t.Error("no texts are filled in")
	}
}
