package sqlite

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// What is imported is there as it was made, found by lists, and no news to anyone.
func TestImport(t *testing.T) {
	db := openNew(t)
	l := db.Ledger()
	if empty, err := l.Empty(t.Context()); err != nil || !empty {
		t.Fatalf("new ledger: empty %v, error %v", empty, err)
	}
	records := ofOneMoment(10)
	records[3].Version, records[3].State = 7, ledger.Dead
	if added, err := l.Import(t.Context(), records[:6]); err != nil || added != 6 {
		t.Fatalf("added %d, error %v; want 6", added, err)
	}
	if added, err := l.Import(t.Context(), records); err != nil || added != 4 {
		t.Fatalf("added %d more, error %v; want the 4 that were not there", added, err)
	}
	if empty, err := l.Empty(t.Context()); err != nil || empty {
		t.Errorf("filled ledger: empty %v, error %v", empty, err)
	}
	for i, r := range records {
		got, err := l.Get(t.Context(), r.MessageSid)
		if diff := cmp.Diff(r, got); err != nil || diff != "" {
			t.Errorf("record %d, error %v (-imported +stored):\n%s", i, err, diff)
		}
	}
	page, err := l.List(t.Context(), ledger.Query{State: ledger.Dead, Number: relaytest.Customer, Limit: 10})
	if err != nil || len(page.Records) != 1 {
		t.Errorf("%d dead texts, error %v; want 1", len(page.Records), err)
	}
	if changes, err := db.Changes().Read(t.Context(), 1, 0); err != nil || len(changes) != 0 {
		t.Errorf("change stream: %d changes, error %v; want none", len(changes), err)
	}
}

// A record goes on from the version it was imported with, and that is a change like any other.
func TestImportedRecordsGoOn(t *testing.T) {
	db := openNew(t)
	l := db.Ledger()
	records := ofOneMoment(1)
	records[0].Version = 7
	if _, err := l.Import(t.Context(), records); err != nil {
		t.Fatal(err)
	}
	updated, err := l.Update(t.Context(), records[0])
	if err != nil || updated.Version != 8 {
		t.Fatalf("updated to version %d, error %v; want 8", updated.Version, err)
	}
	if changes, err := db.Changes().Read(t.Context(), 10, 0); err != nil || len(changes) != 1 || changes[0].Old == nil {
		t.Errorf("changes %v, error %v; want the update's", changes, err)
	}
}

// An import adds nothing if it contains something that no ledger stores.
func TestImportRefusesWhatWasNeverStored(t *testing.T) {
	l := openNew(t).Ledger()
	for name, edit := range map[string]func(*ledger.Record){
		"no version":    func(r *ledger.Record) { r.Version = 0 },
		"no MessageSid": func(r *ledger.Record) { r.MessageSid = "" },
	} {
		t.Run(name, func(t *testing.T) {
			records := ofOneMoment(3)
			edit(&records[2])
			if added, err := l.Import(t.Context(), records); added != 0 || fault.Of(err).Kind != fault.Permanent {
				t.Errorf("added %d, error %v; want a permanent fault", added, err)
			}
			if empty, err := l.Empty(t.Context()); err != nil || !empty {
				t.Errorf("empty %v, error %v", empty, err)
			}
		})
	}
}
