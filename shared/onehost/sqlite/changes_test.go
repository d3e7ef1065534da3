package sqlite

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func read(t *testing.T, db *DB, limit int) []Change {
	t.Helper()
	changes, err := db.Changes().Read(t.Context(), limit, 0)
	if err != nil {
		t.Fatal(err)
	}
	return changes
}

func create(t *testing.T, db *DB, r ledger.Record) ledger.Record {
	t.Helper()
	stored, err := db.Ledger().Create(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func item(t *testing.T, v any) json.RawMessage {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Each write leaves one change with the item before and after it, in the order of the writes; a write that was refused
// leaves none.
func TestEachWriteLeavesOneChange(t *testing.T) {
	clock := relaytest.NewClock(noon)
	db := openAt(t, filepath.Join(t.TempDir(), "relay.db"), clock.Now)
	l, routes := db.Ledger(), db.Routes()

	first := create(t, db, relaytest.Record(1, noon))
	if _, err := l.Create(t.Context(), relaytest.Record(1, noon)); !errors.Is(err, ledger.ErrExists) {
		t.Fatal(err)
	}
	clock.Advance(time.Second)
	edited := first
	edited.State = ledger.Dropped
	second, err := l.Update(t.Context(), edited)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Update(t.Context(), edited); !errors.Is(err, ledger.ErrConflict) {
		t.Fatal(err)
	}
	seeded, err := routes.Put(t.Context(), relaytest.Route())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := routes.Put(t.Context(), relaytest.Route()); !errors.Is(err, route.ErrConflict) {
		t.Fatal(err)
	}

	want := []Change{
		{SequenceNumber: "00000000000000000001", Table: "ledger", Key: first.MessageSid, At: noon, New: item(t, first)},
		{
			SequenceNumber: "00000000000000000002", Table: "ledger", Key: first.MessageSid, At: noon.Add(time.Second), Old: item(t, first),
			New: item(t, second),
		},
		{SequenceNumber: "00000000000000000003", Table: "routing", Key: "+18585550100", At: noon.Add(time.Second), New: item(t, seeded)},
	}
	if diff := cmp.Diff(want, read(t, db, 10)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestCheckpointPassesWhatIsDone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	db, err := Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 5 {
		create(t, db, relaytest.Record(n, noon))
	}
	keys := func(changes []Change) []string {
		var keys []string
		for _, c := range changes {
			keys = append(keys, c.Key)
		}
		return keys
	}
	changes := read(t, db, 3)
	if diff := cmp.Diff([]string{relaytest.MessageSid(0), relaytest.MessageSid(1), relaytest.MessageSid(2)}, keys(changes)); diff != "" {
		t.Errorf("first changes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(changes, read(t, db, 3)); diff != "" {
		t.Errorf("reading without a checkpoint (-first +second):\n%s", diff)
	}
	if err := db.Changes().Checkpoint(t.Context(), changes[1].SequenceNumber); err != nil {
		t.Fatal(err)
	}
	rest := read(t, db, 10)
	if diff := cmp.Diff([]string{relaytest.MessageSid(2), relaytest.MessageSid(3), relaytest.MessageSid(4)}, keys(rest)); diff != "" {
		t.Errorf("after the checkpoint (-want +got):\n%s", diff)
	}
	if err := db.Changes().Checkpoint(t.Context(), rest[2].SequenceNumber); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	db = openAt(t, path, time.Now)
	create(t, db, relaytest.Record(5, noon))
	if got := read(t, db, 10); len(got) != 1 || got[0].SequenceNumber <= rest[2].SequenceNumber {
		t.Errorf("after a restart with nothing left: %v, want one change with a greater sequence number", got)
	}
	for _, number := range []string{"", "x", "1.5", "999999999999999999999"} {
		if err := db.Changes().Checkpoint(t.Context(), number); err == nil || fault.Of(err).Kind != fault.Permanent {
			t.Errorf("Checkpoint(%q): error %v, want a permanent fault", number, err)
		}
	}
}

func TestReadWaitsForAChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		db := openNew(t)
		start := time.Now()
		if changes, err := db.Changes().Read(t.Context(), 10, 20*time.Second); len(changes) != 0 || err != nil {
			t.Errorf("read %v, error %v; want nothing", changes, err)
		}
		if waited := time.Since(start); waited != 20*time.Second {
			t.Errorf("waited %v, want 20 s", waited)
		}
		type answer struct {
			changes []Change
			err     error
		}
		answers := make(chan answer, 1)
		go func() {
			changes, err := db.Changes().Read(t.Context(), 10, time.Hour)
			answers <- answer{changes, err}
		}()
		synctest.Wait()
		time.Sleep(3 * time.Second)
		create(t, db, relaytest.Record(1, noon))
		if got := <-answers; got.err != nil || len(got.changes) != 1 {
			t.Errorf("read %v, error %v; want one change", got.changes, got.err)
		}
		if waited := time.Since(start); waited != 23*time.Second {
			t.Errorf("woken %v after the start, want 23 s", waited)
		}
	})
}

func TestExpire(t *testing.T) {
	clock := relaytest.NewClock(noon)
	db := openAt(t, filepath.Join(t.TempDir(), "relay.db"), clock.Now)
	for n, expiresAt := range []time.Time{noon.Add(-time.Hour), noon, noon.Add(time.Second), {}} {
		r := relaytest.Record(n, noon)
		if !expiresAt.IsZero() {
			r.ExpiresAt = expiresAt.Unix()
		}
		create(t, db, r)
	}
	send(t, db.Queue("main", QueueConfig{}), short("a", "old"))
	before := read(t, db, 10)
	if err := db.Changes().Checkpoint(t.Context(), before[3].SequenceNumber); err != nil {
		t.Fatal(err)
	}

	steadySince(t, db, noon.Add(-expirySteady))
	if removed, err := db.Expire(t.Context(), noon); removed != 2 || err != nil {
		t.Errorf("removed %d, error %v; want 2", removed, err)
	}
	changes := read(t, db, 10)
	if len(changes) != 2 || !changes[0].Expired || !changes[1].Expired || changes[0].New != nil ||
		changes[0].Key != relaytest.MessageSid(0) || string(changes[0].Old) != string(before[0].New) {
		t.Errorf("changes %+v, want the removal of the first two records, marked as expired", changes)
	}
	for n := range 4 {
		_, err := db.Ledger().Get(t.Context(), relaytest.MessageSid(n))
		if gone := errors.Is(err, ledger.ErrNotFound); gone != (n < 2) {
			t.Errorf("record %d: error %v", n, err)
		}
	}
	if removed, err := db.Expire(t.Context(), noon); removed != 0 || err != nil {
		t.Errorf("removed %d, error %v; want nothing left to remove", removed, err)
	}
	// The deduplication id, and the record that expires a second after noon.
	if removed, err := db.Expire(t.Context(), noon.Add(5*time.Minute)); removed != 2 || err != nil {
		t.Errorf("removed %d, error %v; want 2", removed, err)
	}
}

func TestExpireIsBounded(t *testing.T) {
	db := openNew(t)
	fillLedger(t, db.Ledger(), expireBatch+1, func(_ int, r *ledger.Record) { r.ExpiresAt = 1 })
	steadySince(t, db, noon.Add(-expiryCertain))
	for _, want := range []int{expireBatch, 1, 0} {
		if removed, err := db.Expire(t.Context(), noon); removed != want || err != nil {
			t.Errorf("removed %d, error %v; want %d", removed, err, want)
		}
	}
}

func TestWhatCannotBeReadIsPermanent(t *testing.T) {
	db := openNew(t)
	create(t, db, relaytest.Record(1, noon))
	if _, err := db.Routes().Put(t.Context(), relaytest.Route()); err != nil {
		t.Fatal(err)
	}
	for _, query := range []string{"UPDATE ledger SET record = '{'", "UPDATE routing SET route = '{'"} {
		if _, err := db.writer.exec(t.Context(), query); err != nil {
			t.Fatal(err)
		}
	}
	_, get := db.Ledger().Get(t.Context(), relaytest.MessageSid(1))
	_, exists := db.Ledger().Create(t.Context(), relaytest.Record(1, noon))
	_, list := db.Ledger().List(t.Context(), ledger.Query{})
	_, lookup := db.Routes().Lookup(t.Context(), relaytest.TwilioNumber)
	_, routes := db.Routes().List(t.Context())
	for name, err := range map[string]error{"Get": get, "Create": exists, "List": list, "Lookup": lookup, "List of routes": routes} {
		if err == nil || fault.Of(err).Kind != fault.Permanent {
			t.Errorf("%s: error %v, want a permanent fault", name, err)
		}
	}
}

// Of the conversations' table, each write of a conversation leaves one change; a phone, a tag, and a write that was refused leave none.
func TestConversationsLeaveChanges(t *testing.T) {
	db := openAt(t, filepath.Join(t.TempDir(), "relay.db"), relaytest.NewClock(noon).Now)
	store := db.Conversations()
	// A sender's name may have what separates the keys.
	customer := sms.PhoneNumber("Ann c#1")
	first, err := store.Put(t.Context(), conversation.Conversation{TwilioNumber: relaytest.TwilioNumber, Customer: customer, Name: "Ann"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.PutPhone(t.Context(), conversation.Phone{PhoneKey: conversation.PhoneKey{
		TwilioNumber: relaytest.TwilioNumber, Phone: relaytest.Destination,
	}}); err != nil {
		t.Fatal(err)
	}
	if _, err := store.Put(t.Context(), conversation.Conversation{TwilioNumber: relaytest.TwilioNumber, Customer: customer}); !errors.Is(
		err, conversation.ErrConflict) {
		t.Fatal(err)
	}
	tagged, use := first.Take(conversation.TagUse{Tag: "A47"}, noon)
	second, err := store.PutTag(t.Context(), tagged, use)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.PutTag(t.Context(), second, use); !errors.Is(err, conversation.ErrConflict) {
		t.Fatal(err)
	}
	key := "+18585550100 c#Ann c#1"
	want := []Change{
		{SequenceNumber: "00000000000000000001", Table: "conversations", Key: key, At: noon, New: item(t, first)},
		{SequenceNumber: "00000000000000000002", Table: "conversations", Key: key, At: noon, Old: item(t, first), New: item(t, second)},
	}
	changes := read(t, db, 10)
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if number, item := changes[0].ConversationKey(); number != "+18585550100" || item != conversation.Item(customer) {
		t.Errorf("the keys are %q and %q", number, item)
	}
}
