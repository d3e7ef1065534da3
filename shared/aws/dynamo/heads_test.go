package dynamo_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// headsOf keeps 25 records in a ledger and reads their heads back.
func headsOf(t *testing.T, l *dynamo.Ledger) {
	t.Helper()
	want := map[string]ledger.Record{}
	for n := range 25 {
		r := claimed(t, n, "claim")
		r.Seal = fmt.Sprintf("5ea1%d", n)
		stored, err := l.Create(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		want[r.MessageSid] = ledger.Record{
			MessageSid: r.MessageSid, Version: stored.Version, Seal: r.Seal, ReceivedAt: r.ReceivedAt,
			UpdatedAt: r.UpdatedAt,
		}
	}
	got := map[string]ledger.Record{}
	if err := l.EachHead(t.Context(), func(r ledger.Record) { got[r.MessageSid] = r }); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("heads (-want +got):\n%s", diff)
	}
}

// TestHeadsHoldNoText, however many pages they come in.
func TestHeadsHoldNoText(t *testing.T) {
	t.Parallel()
	f := newFake(dynamo.LedgerSchema())
	f.pageSize = 7
	headsOf(t, ledgerOn(f, time.Now))
	f.fault = func(string, int, func() reply) reply { return refuse(400, "AccessDeniedException") }
	err := ledgerOn(f, time.Now).EachHead(t.Context(), func(ledger.Record) {})
	if refused, ok := errors.AsType[*fault.Error](err); !ok || refused.Kind != fault.Fatal {
		t.Errorf("error %v, want a fatal one", err)
	}
}

// TestHeadsOnEmulator asks a real table.
func TestHeadsOnEmulator(t *testing.T) {
	t.Parallel()
	headsOf(t, newEmulator(t, nil).ledger(t))
}
