package audit_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// sealed seals versions as their writer does.
func sealed(t rapid.TB, stored []ledger.Record) []ledger.Record {
	t.Helper()
	var before ledger.Record
	for i := range stored {
		after, err := auditlog.Seal(before, stored[i])
		if err != nil {
			t.Fatal(err)
		}
		after.Version = int64(i + 1)
		stored[i], before = after, after
	}
	return stored
}

// TestSealIsTheEntrysHash: whatever the record, its writer and the stream come to the same hash, the one from the values at
// hand and the other from the images.
func TestSealIsTheEntrysHash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var secret secrets
		stored := make([]ledger.Record, 3)
		for i := range stored {
			stored[i] = *secret.record(t)
			stored[i].MessageSid = "SMabcdefabcdefabcdefabcdefabcdef00"
			// The writer's clock may be of another place; moments are what counts.
			stored[i].UpdatedAt = stored[i].UpdatedAt.In(time.FixedZone("", 3600))
		}
		stored = sealed(t, stored)
		s := newStage(nil)
		if failed := s.handle(t, append(changes(1, stored), ofMessage(4, &stored[2], nil))...); failed != "" {
			t.Fatalf("change %s is named: %s", failed, s.logged)
		}
		prev := ""
		for i, entry := range s.entries(t) {
			if entry.Unsealed || entry.Prev != prev || entry.Hash == "" || (i < 3 && entry.Hash != stored[i].Seal) {
				t.Errorf("entry %d: %+v, want it to follow %q", i, entry, prev)
			}
			prev = entry.Hash
		}
	})
}

// TestChangePastTheRelay is told as such, and the trail goes on.
func TestChangePastTheRelay(t *testing.T) {
	stored := sealed(t, life(1, noon))
	byHand := func(edit func(*ledger.Record)) *ledger.Record {
		r := stored[2]
		edit(&r)
		return &r
	}
	for name, after := range map[string]*ledger.Record{
		"the state":                   byHand(func(r *ledger.Record) { r.State = ledger.Failed }),
		"the state, with a version":   byHand(func(r *ledger.Record) { r.State, r.Version = ledger.Failed, 4 }),
		"the seal":                    byHand(func(r *ledger.Record) { r.Seal = stored[0].Seal }),
		"the seal, by taking it away": byHand(func(r *ledger.Record) { r.Seal = "" }),
	} {
		t.Run(name, func(t *testing.T) {
			got := newStage(nil).entry(t, ofMessage(4, &stored[2], after))
			if !got.Unsealed || got.Seal != after.Seal || got.Prev != stored[2].Seal || got.Hash == "" || got.Hash == after.Seal {
				t.Errorf("entry is %+v", got)
			}
		})
	}
	if got := newStage(nil).entry(t, ofMessage(1, nil, &stored[0])); got.Unsealed {
		t.Errorf("a change by the relay is told as one past it: %+v", got)
	}
}

// TestRecordsOfAnOlderVersion have no seal: their entries have no hash until the relay writes them, and a chain begins then.
func TestRecordsOfAnOlderVersion(t *testing.T) {
	stored := life(1, noon)
	after, err := auditlog.Seal(stored[1], stored[2])
	if err != nil {
		t.Fatal(err)
	}
	after.Version = 3
	s := newStage(nil)
	s.handle(t, append(changes(1, stored[:2]), ofMessage(3, &stored[1], &after))...)
	entries := s.entries(t)
	for _, old := range entries[:2] {
		if old.Hash != "" || old.Prev != "" || old.Unsealed {
			t.Errorf("entry of a record without a seal: %+v", old)
		}
	}
	if first := entries[2]; first.Hash != after.Seal || first.Prev != "" || first.Unsealed {
		t.Errorf("first entry of the chain: %+v", first)
	}
}
