package ledger_test

import (
	"encoding/base64"
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func TestCursorComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := ledger.Record{
			MessageSid: rapid.StringN(1, 40, -1).Draw(t, "sid"),
			ReceivedAt: ledger.Stamp(time.UnixMilli(rapid.Int64Range(-62135596800000, 253402300799999).Draw(t, "ms"))),
		}
		c := ledger.CursorAt(r)
		got, err := ledger.ParseCursor(c.String())
		if err != nil || !got.ReceivedAt.Equal(r.ReceivedAt) || got.MessageSid != r.MessageSid {
			t.Errorf("ParseCursor of %+v = %+v, %v", c, got, err)
		}
		if got.ReceivedAt.Location() != time.UTC {
			t.Errorf("time in %v, want UTC", got.ReceivedAt.Location())
		}
	})
}

func TestZeroCursor(t *testing.T) {
	got, err := ledger.ParseCursor("")
	if err != nil || !got.IsZero() || got.String() != "" {
		t.Errorf("ParseCursor of nothing = %+v, %v", got, err)
	}
	for _, c := range []ledger.Cursor{{MessageSid: "SM1"}, {ReceivedAt: stamped}} {
		if c.IsZero() {
			t.Errorf("%+v is zero", c)
		}
	}
}

func TestCursorIsFitForURLs(t *testing.T) {
	text := ledger.CursorAt(relaytest.Record(1, noon)).String()
	want := "MjAyNi0xMS0yNFQxNzowMDowMC4xMjNaIFNNMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDE"
	if text != want {
		t.Errorf("cursor %q, want %q", text, want)
	}
}

func TestParseCursorRefuses(t *testing.T) {
	encode := base64.RawURLEncoding.EncodeToString
	for name, text := range map[string]string{
		"no base64":        "%%%",
		"padded base64":    base64.URLEncoding.EncodeToString([]byte("2026-11-24T17:00:00.123Z SM1")),
		"no time":          encode([]byte("noon SM1")),
		"no MessageSid":    encode([]byte("2026-11-24T17:00:00.123Z")),
		"empty MessageSid": encode([]byte("2026-11-24T17:00:00.123Z ")),
		"no milliseconds":  encode([]byte("2026-11-24T17:00:00Z SM1")),
		"another zone":     encode([]byte("2026-11-24T17:00:00.123+01:00 SM1")),
		"no such day":      encode([]byte("2026-02-30T17:00:00.123Z SM1")),
		"space before":     encode([]byte(" 2026-11-24T17:00:00.123Z SM1")),
		"nothing in it":    encode([]byte(" ")),
		"bytes":            encode([]byte{0xff, 0x00}),
	} {
		if got, err := ledger.ParseCursor(text); !errors.Is(err, ledger.ErrCursor) || !got.IsZero() {
			t.Errorf("ParseCursor of %s = %+v, %v; want ErrCursor", name, got, err)
		}
	}
}

func FuzzParseCursor(f *testing.F) {
	f.Add("")
	f.Add(ledger.CursorAt(relaytest.Record(1, noon)).String())
	f.Add(base64.RawURLEncoding.EncodeToString([]byte("0001-01-01T00:00:00.000Z  ")))
	f.Fuzz(func(t *testing.T, text string) {
		c, err := ledger.ParseCursor(text)
		if err != nil {
			if !errors.Is(err, ledger.ErrCursor) || !c.IsZero() {
				t.Errorf("ParseCursor(%q) = %+v, %v; want ErrCursor and nothing else", text, c, err)
			}
			return
		}
		again, err := ledger.ParseCursor(c.String())
		if err != nil || !again.ReceivedAt.Equal(c.ReceivedAt) || again.MessageSid != c.MessageSid {
			t.Errorf("%+v comes back as %+v, %v", c, again, err)
		}
	})
}

func TestSortKeyIsInOrderOfTime(t *testing.T) {
	anyTime := rapid.Custom(func(t *rapid.T) time.Time {
		zone := time.FixedZone("", rapid.IntRange(-14*3600, 14*3600).Draw(t, "zone"))
		return time.UnixMilli(rapid.Int64Range(-62135596800000, 253402300799999).Draw(t, "ms")).In(zone)
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyTime.Draw(t, "a"), anyTime.Draw(t, "b")
		ka, kb := ledger.SortKey(a), ledger.SortKey(b)
		if len(ka) != len("2006-01-02T15:04:05.000Z") {
			t.Errorf("SortKey of %v = %q", a, ka)
		}
		if (ka < kb) != a.Before(b) || (ka == kb) != a.Equal(b) {
			t.Errorf("%v and %v have the sort keys %q and %q", a, b, ka, kb)
		}
	})
}

func TestStamp(t *testing.T) {
	if got := ledger.Stamp(noon); got != stamped {
		t.Errorf("Stamp(%v) = %v, want %v", noon, got, stamped)
	}
	if got := ledger.Stamp(time.Time{}); !got.IsZero() {
		t.Errorf("Stamp of no time = %v", got)
	}
}

// raise is an edit that counts its calls and makes ExpiresAt at least want.
func raise(calls *int, want int64) func(ledger.Record) (ledger.Record, bool, error) {
	return func(r ledger.Record) (ledger.Record, bool, error) {
		*calls++
		if r.ExpiresAt >= want {
			return r, false, nil
		}
		r.ExpiresAt = want
		return r, true, nil
	}
}

func stored(t *testing.T, l *relaytest.MemoryLedger) ledger.Record {
	t.Helper()
	r, err := l.Create(t.Context(), reach(t, ledger.Sending))
	if err != nil {
		t.Fatalf("Create: %v", err)
	}
	return r
}

// overtaken lets someone else write the record before each of the first n updates.
func overtaken(t *testing.T, l *relaytest.MemoryLedger, n int, expires int64) {
	t.Helper()
	busy := false
	l.Fault = func(op string) error {
		if op != "before Update" || busy || n == 0 {
			return nil
		}
		busy, n = true, n-1
		defer func() { busy = false }()
		r, err := l.Get(t.Context(), relaytest.MessageSid(1))
		if err != nil {
			return err
		}
		r.ExpiresAt = expires
		_, err = l.Update(t.Context(), r)
		return err
	}
}

func TestChange(t *testing.T) {
	l := &relaytest.MemoryLedger{}
	r := stored(t, l)
	calls := 0
	got, err := ledger.Change(t.Context(), l, r, raise(&calls, 7))
	if err != nil || got.Version != 2 || got.ExpiresAt != 7 || calls != 1 {
		t.Errorf("Change = version %d, %d, error %v after %d edits; want version 2, 7 after 1", got.Version, got.ExpiresAt, err, calls)
	}
}

func TestChangeOfNothing(t *testing.T) {
	l := &relaytest.MemoryLedger{}
	r := stored(t, l)
	calls := 0
	got, err := ledger.Change(t.Context(), l, r, raise(&calls, 0))
	same(t, "returned record", r, got)
	if err != nil || len(l.Changes()) != 1 {
		t.Errorf("Change of nothing: error %v, %d writes in all; want only the one before", err, len(l.Changes()))
	}
}

func TestChangeAgainOnTheNewerRecord(t *testing.T) {
	l := &relaytest.MemoryLedger{}
	r := stored(t, l)
	overtaken(t, l, 3, 5)
	calls := 0
	got, err := ledger.Change(t.Context(), l, r, raise(&calls, 7))
	if err != nil || got.Version != 5 || got.ExpiresAt != 7 || calls != 4 {
		t.Errorf("Change = version %d, %d, error %v after %d edits; want version 5, 7 after 4", got.Version, got.ExpiresAt, err, calls)
	}
}

// TestChangeThatSomeoneElseMade ends with what is stored, which is newer than what the caller had.
func TestChangeThatSomeoneElseMade(t *testing.T) {
	l := &relaytest.MemoryLedger{}
	r := stored(t, l)
	overtaken(t, l, 1, 9)
	calls := 0
	got, err := ledger.Change(t.Context(), l, r, raise(&calls, 7))
	if err != nil || got.Version != 2 || got.ExpiresAt != 9 || calls != 2 {
		t.Errorf("Change = version %d, %d, error %v after %d edits; want the other's version 2, 9 after 2", got.Version,
			got.ExpiresAt, err, calls)
	}
}

func TestChangeGivesUp(t *testing.T) {
	l := &relaytest.MemoryLedger{}
	r := stored(t, l)
	overtaken(t, l, 1000, 5)
	calls := 0
	got, err := ledger.Change(t.Context(), l, r, raise(&calls, 7))
	if !errors.Is(err, ledger.ErrConflict) || calls != 10 {
		t.Errorf("Change: error %v after %d edits, want ErrConflict after 10", err, calls)
	}
	if got.Version != 11 || got.ExpiresAt != 5 {
		t.Errorf("returned version %d, %d; want the newest, 11, 5", got.Version, got.ExpiresAt)
	}
}

func TestChangeReturnsErrors(t *testing.T) {
	unknown := &fault.Error{Kind: fault.Unknown}
	l := &relaytest.MemoryLedger{}
	r := stored(t, l)
	refused := &ledger.TransitionError{From: ledger.Sending, To: ledger.Dead}
	got, err := ledger.Change(t.Context(), l, r, func(r ledger.Record) (ledger.Record, bool, error) { return r, true, refused })
	same(t, "record returned with the error of edit", r, got)
	if !errors.Is(err, refused) || len(l.Changes()) != 1 {
		t.Errorf("Change: error %v, %d writes; want the error of edit and no write", err, len(l.Changes()))
	}
	l.Fault = func(op string) error {
		if op == "after Update" {
			return unknown
		}
		return nil
	}
	calls := 0
	if _, err := ledger.Change(t.Context(), l, r, raise(&calls, 7)); fault.Of(err) != unknown || calls != 1 {
		t.Errorf("Change: error %v after %d edits, want that of Update after 1", err, calls)
	}
	r.MessageSid = "SM9"
	l.Fault = nil
	if _, err := ledger.Change(t.Context(), l, r, raise(&calls, 7)); !errors.Is(err, ledger.ErrNotFound) {
		t.Errorf("Change of a record that is gone: error %v, want ErrNotFound", err)
	}
}

// TestKept: a record is kept longer, never shorter, and one that is kept for ever stays so.
func TestKept(t *testing.T) {
	for _, tt := range []struct{ before, until, want int64 }{{100, 200, 200}, {200, 100, 200}, {0, 100, 0}} {
		if got := (ledger.Record{ExpiresAt: tt.before}).Kept(time.Unix(tt.until, 0)).ExpiresAt; got != tt.want {
			t.Errorf("kept until %d, then %d: until %d, want %d", tt.before, tt.until, got, tt.want)
		}
	}
}
