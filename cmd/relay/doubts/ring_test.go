package doubts

import (
	"errors"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// rung stores a text that went to several phones at the same time, and its records to each, in these states: "ringing" is a text whose own
// message still sends it, "-" a record that does not exist. It returns the record to the first phone.
func rung(t *testing.T, store *relaytest.MemoryLedger, parent, phones string) ledger.Record {
	t.Helper()
	now := time.Now()
	put := func(r ledger.Record) ledger.Record {
		stored, err := auditlog.Put(t.Context(), store, ledger.Record{}, r)
		if err != nil {
			t.Fatal(err)
		}
		return stored
	}
	r := relaytest.Record(1, now)
	r.State = ledger.State(parent)
	if parent == "ringing" {
		r.State, r.Reason = ledger.Queued, ledger.ReasonRing
	}
	states := strings.Fields(phones)
	for i := range states {
		r.Ring.Phones = append(r.Ring.Phones, sms.PhoneNumber("+1619555012"+string(rune('1'+i))))
	}
	r = put(r)
	var all []ledger.Record
	for i, state := range states {
		one := r.ToPhone(i, now)
		one.State = ledger.State(state)
		if state != "-" {
			one = put(one)
		}
		all = append(all, one)
	}
	return all[0]
}

// What becomes of a text when somebody has decided about the one to the first of its phones.
func TestADecisionSettlesTheRing(t *testing.T) {
	for _, tt := range []struct {
		parent, phones string
		want           ledger.State
		writes         int64
	}{
		{"uncertain", "sent undelivered", ledger.Sent, 1},
		{"uncertain", "sent uncertain", ledger.Sent, 1},
		{"uncertain", "uncertain undelivered", ledger.Uncertain, 0},
		{"uncertain", "sent sent failed", ledger.Sent, 1},
		{"uncertain", "undelivered failed", ledger.Undelivered, 1},
		{"sent", "sent uncertain", ledger.Sent, 0},
		{"delivered", "sent delivered", ledger.Delivered, 0},
		{"failed", "sent failed", ledger.Sent, 1},
		// The text's own message has to look at all of it again.
		{"ringing", "sent queued", ledger.Queued, 1},
		{"ringing", "sent -", ledger.Queued, 1},
		{"ringing", "sent undelivered", ledger.Sent, 1},
	} {
		store := &relaytest.MemoryLedger{}
		one := rung(t, store, tt.parent, tt.phones)
		if err := (Desk{Ledger: store, Now: time.Now}).settleRing(t.Context(), one); err != nil {
			t.Fatalf("%s with %s: %v", tt.parent, tt.phones, err)
		}
		got, err := store.Get(t.Context(), one.ParentSid)
		if err != nil {
			t.Fatal(err)
		}
		if got.State != tt.want || got.Version != 1+tt.writes {
			t.Errorf("%s with %s: %s after %d writes, want %s after %d", tt.parent, tt.phones, got.State, got.Version-1, tt.want, tt.writes)
		}
	}
}

// A text that is not one of a ring needs no look into the ledger.
func TestADecisionAboutOneTextSettlesNothing(t *testing.T) {
	store := &relaytest.MemoryLedger{Fault: func(op string) error {
		t.Errorf("%s", op)
		return nil
	}}
	alone := relaytest.Record(1, time.Now())
	stage := alone
	stage.MessageSid, stage.ParentSid = ledger.StageSid(alone.MessageSid, 1, 0), alone.MessageSid
	for _, r := range []ledger.Record{alone, stage} {
		if err := (Desk{Ledger: store, Now: time.Now}).settleRing(t.Context(), r); err != nil {
			t.Errorf("%s: %v", r.MessageSid, err)
		}
	}
}

// touch writes a record as somebody else does who changes nothing that matters here.
func touch(t *testing.T, store *relaytest.MemoryLedger, sid string) {
	t.Helper()
	r, err := store.Get(t.Context(), sid)
	if err == nil {
		r.UpdatedAt = r.UpdatedAt.Add(time.Second)
		_, err = auditlog.Put(t.Context(), store, r, r)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What cannot be read or written is said, and who writes the text at the same time is no hindrance.
func TestSettlingMeetsTroubleAndOthers(t *testing.T) {
	broken, counts := errors.New("broken"), map[string]int{}
	for _, tt := range []struct {
		name, op string
		nth      int
		err      error
		want     error
	}{
		{"the text cannot be read", "before Get", 1, broken, broken},
		{"one of its phones cannot be read", "before Get", 3, broken, broken},
		{"it cannot be written", "before Update", 1, broken, broken},
		{"somebody else writes it", "before Update", 1, nil, nil},
	} {
		store := &relaytest.MemoryLedger{}
		one := rung(t, store, "uncertain", "sent undelivered")
		clear(counts)
		store.Fault = func(op string) error {
			counts[op]++
			if op != tt.op || counts[op] != tt.nth {
				return nil
			}
			if tt.err == nil {
				touch(t, store, one.ParentSid)
			}
			return tt.err
		}
		if err := (Desk{Ledger: store, Now: time.Now}).settleRing(t.Context(), one); !errors.Is(err, tt.want) {
			t.Errorf("%s: error %v, want %v", tt.name, err, tt.want)
		}
		store.Fault = nil
		got, err := store.Get(t.Context(), one.ParentSid)
		want := ledger.Uncertain
		if tt.want == nil {
			want = ledger.Sent
		}
		if err != nil || got.State != want {
			t.Errorf("%s: %s, error %v; want %s", tt.name, got.State, err, want)
		}
	}
	orphan := ledger.Record{MessageSid: ledger.StageSid(relaytest.MessageSid(9), 0, 0), ParentSid: relaytest.MessageSid(9)}
	if err := (Desk{Ledger: &relaytest.MemoryLedger{}, Now: time.Now}).settleRing(t.Context(), orphan); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("of a text that is not there: %v", err)
	}
}
