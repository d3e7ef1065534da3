package sqlite

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// searchedDay is when the texts of these tests come in, one each second.
func searchedDay() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }

// write puts texts into the ledger, the first the oldest, and their words into the index.
func write(t *testing.T, db *DB, bodies ...string) (sids []string) {
	t.Helper()
	for i, body := range bodies {
		r := relaytest.Record(i+1, searchedDay().Add(time.Duration(i)*time.Second))
		r.Body = body
		r.Customer = sms.PhoneNumber([]string{"+13125550147", "+13125550148"}[i%2])
		if _, err := db.Ledger().Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		sids = append(sids, r.MessageSid)
	}
	index(t, db)
	return sids
}

func index(t *testing.T, db *DB) {
	t.Helper()
	for isMore := true; isMore; {
		var err error
		if isMore, err = db.IndexWords(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// find returns what the texts say that are found.
func find(t *testing.T, db *DB, s ledger.Search) (bodies []string) {
	t.Helper()
	found, err := db.Ledger().Search(t.Context(), s)
	if err != nil {
		t.Fatalf("%v: %v", s.Words, err)
	}
	for _, r := range found.Records {
		bodies = append(bodies, r.Body)
	}
	return bodies
}

func TestSearch(t *testing.T) {
	db := openNew(t)
	const (
		cafe, gate, code = "See you at the Café, Zoë", "Which gate, 4 or 5?", "The GATE code is 4711"
		signs            = `say "OR" NEAR(gate*) words:x - it's co-op`
	)
	write(t, db, cafe, gate, code, signs, "")
	for _, tt := range []struct {
		typed string
		q     ledger.Query
		want  []string
	}{
		{typed: "gate", want: []string{signs, code, gate}},
		{typed: "cafe ZOE", want: []string{cafe}},
		{typed: "CAFÉ", want: []string{cafe}},
		{typed: "code gate", want: []string{code}},
		{typed: "gate cod", want: []string{code}},
		{typed: "gat", want: []string{signs, code, gate}},
		{typed: "ga"},
		{typed: "cod gate"},
		{typed: "471", want: []string{code}},
		{typed: "nothing"},
		// What has a meaning in the index's language has none here.
		{typed: "gate OR café"},
		{typed: "NEAR(gate code)"},
		{typed: "words:gate"},
		{typed: "people:13125550147"},
		{typed: "+13125550147"},
		{typed: "gate*", want: []string{signs, code, gate}},
		{typed: "-gate", want: []string{signs, code, gate}},
		{typed: "^which", want: []string{gate}},
		{typed: `words:x "OR"`, want: []string{signs}},
		{typed: "co-op", want: []string{signs}},
		{typed: "op-co"},
		{typed: "it's", want: []string{signs}},
		{typed: "gate\x00code", want: nil},
		{typed: "gate", q: ledger.Query{Number: "+13125550147"}, want: []string{code}},
		{typed: "gate", q: ledger.Query{Number: "+18585550100"}, want: []string{signs, code, gate}},
		{typed: "gate", q: ledger.Query{Number: "+1312555014"}},
		{typed: "gate", q: ledger.Query{Since: searchedDay().Add(2 * time.Second)}, want: []string{signs, code}},
		{typed: "gate", q: ledger.Query{Since: searchedDay().Add(time.Second), Until: searchedDay().Add(2 * time.Second)}, want: []string{gate}},
	} {
		if diff := cmp.Diff(tt.want, find(t, db, ledger.Search{Words: ledger.Words(tt.typed), Query: tt.q})); diff != "" {
			t.Errorf("%q %+v (-want +got):\n%s", tt.typed, tt.q, diff)
		}
	}
	of := func(customers ...ledger.Customer) ledger.Search {
		return ledger.Search{Words: []string{"gate"}, Customers: customers}
	}
	first, second := ledger.Customer{TwilioNumber: relaytest.TwilioNumber, Customer: "+13125550147"},
		ledger.Customer{TwilioNumber: relaytest.TwilioNumber, Customer: "+13125550148"}
	elsewhere := ledger.Customer{TwilioNumber: "+18585550199", Customer: "+13125550147"}
	for want, s := range map[string]ledger.Search{
		code: of(first), signs + gate: of(second), signs + code + gate: of(first, second), "": of(elsewhere),
	} {
		got := ""
		for _, body := range find(t, db, s) {
			got += body
		}
		if got != want {
			t.Errorf("of customers %v: found %q, want %q", s.Customers, got, want)
		}
	}
}

// Pages hold each text once, in the order of lists, whatever comes meanwhile; also texts of one millisecond.
func TestPagesOfASearch(t *testing.T) {
	db := openNew(t)
	var want []string
	for i := range 25 {
		r := relaytest.Record(i+1, searchedDay().Add(time.Duration(i/5)*time.Millisecond))
		r.Body = "the gate again"
		if _, err := db.Ledger().Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		want = append(want, r.MessageSid)
	}
	index(t, db)
	slices.Sort(want)
	var got []string
	s := ledger.Search{Words: []string{"gate"}, Query: ledger.Query{Limit: 7}}
	for page := 0; page == 0 || !s.Cursor.IsZero(); page++ {
		found, err := db.Ledger().Search(t.Context(), s)
		if err != nil || found.Count != 25+page {
			t.Fatalf("page %d: counted %d texts, error %v", page, found.Count, err)
		}
		for _, r := range found.Records {
			got = append(got, r.MessageSid)
		}
		s.Cursor = found.Next
		r := relaytest.Record(100+page, searchedDay().Add(time.Hour))
		r.Body = "another gate"
		if _, err := db.Ledger().Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		index(t, db)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("all pages (-want +got):\n%s", diff)
	}
	s.Cursor = ledger.Cursor{MessageSid: "SM"}
	if _, err := db.Ledger().Search(t.Context(), s); err != ledger.ErrCursor { //nolint:errorlint // it is the very one.
		t.Errorf("a cursor without a time: error %v", err)
	}
}

// TestWordsGoWithTheText: in the very transaction in which a text changes, expires or is forgotten, its old words go, and no file has them.
func TestWordsGoWithTheText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "relay.db")
	now := searchedDay()
	db := openAt(t, path, func() time.Time { return now })
	bodies := []string{"xylophone quartz", "zeppelin quartz", "marmalade quartz", "kaleidoscope quartz", "saxophone quartz"}
	for range 40 {
		bodies = append(bodies, "ordinary words of many others")
	}
	sids := write(t, db, bodies...)
	l := db.Ledger()
	change := func(sid string, edit func(r *ledger.Record)) {
		t.Helper()
		r, err := l.Get(t.Context(), sid)
		if err == nil {
			edit(&r)
			_, err = l.Update(t.Context(), r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	change(sids[0], func(r *ledger.Record) { r.Body = "" })
	change(sids[1], func(r *ledger.Record) { r.Answer.Words = "trombone quartz" })
	change(sids[2], func(r *ledger.Record) { r.Customer = "+13125550199" })
	change(sids[3], func(r *ledger.Record) { r.State = ledger.Delivered })
	if err := db.write(t.Context(), func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, "DELETE FROM ledger WHERE message_sid = ?", sids[4])
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if got := find(t, db, ledger.Search{Words: []string{"quartz"}}); !slices.Equal(got, bodies[3:4]) {
		t.Errorf("at once: found %q, want only the text that says what it did", got)
	}
	index(t, db)
	if got := find(t, db, ledger.Search{Words: []string{"quartz"}}); !slices.Equal(got, []string{bodies[3], bodies[2], bodies[1]}) {
		t.Errorf("a moment later: found %q", got)
	}
	if got := find(t, db, ledger.Search{Words: []string{"trombone"}}); len(got) != 1 {
		t.Errorf("an answer is not found by what the customer got: %q", got)
	}
	if got := find(t, db, ledger.Search{Words: []string{"quartz"}, Query: ledger.Query{Number: "+13125550199"}}); len(got) != 1 {
		t.Errorf("by the number that a text has now, %q were found", got)
	}
	checkGone(t, db, path, "xylophone", "saxophone")
	if findings, err := db.QuickCheck(t.Context()); err != nil || len(findings) > 0 {
		t.Errorf("findings %v, error %v", findings, err)
	}
}

// checkGone wants none of the words in the files of the database, once the audit log has the changes.
func checkGone(t *testing.T, db *DB, path string, words ...string) {
	t.Helper()
	if err := db.write(t.Context(), func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, "DELETE FROM changes")
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := Fold(t.Context(), path); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(content, []byte("kaleidoscope")) {
		t.Error("the file is without a word that it should have, too")
	}
	for _, word := range words {
		if bytes.Contains(bytes.ToLower(content), []byte(word)) || bytes.Contains(content, []byte(word[1:])) {
			t.Errorf("the file still has %q", word)
		}
	}
}

// TestWhatIsSearched: the index has what the ledger says it has.
func TestWhatIsSearched(t *testing.T) {
	db := openNew(t)
	edits := map[string]func(r *ledger.Record){
		"a text":           func(*ledger.Record) {},
		"by hand":          func(r *ledger.Record) { r.Manual = true },
		"an answer":        func(r *ledger.Record) { r.Answer = ledger.Answer{Phone: "+16195550123", Words: "at three"} },
		"an open answer":   func(r *ledger.Record) { r.Answer = ledger.Answer{Phone: "+16195550123"} },
		"a notice":         func(r *ledger.Record) { r.Notice = true },
		"to one phone":     func(r *ledger.Record) { r.ParentSid = "SM1" },
		"a second part":    func(r *ledger.Record) { r.SecondPart = true },
		"without words":    func(r *ledger.Record) { r.Body = "" },
		"no time at all":   func(r *ledger.Record) { r.ReceivedAt = time.Time{} },
		"a time far ahead": func(r *ledger.Record) { r.ReceivedAt = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
	}
	n := 0
	for name, edit := range edits {
		n++
		r := relaytest.Record(n, searchedDay())
		r.Body = "A47 at three"
		edit(&r)
		if _, err := db.Ledger().Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		index(t, db)
		found, err := db.Ledger().Search(t.Context(), ledger.Search{Words: []string{"three"}})
		isFound := slices.ContainsFunc(found.Records, func(other ledger.Record) bool { return other.MessageSid == r.MessageSid })
		if want := ledger.IsSearchable(r) && ledger.Said(r) != ""; isFound != want || err != nil || found.NotIndexed != 0 {
			t.Errorf("%s: found %t, want %t; %d not in the index, error %v", name, isFound, want, found.NotIndexed, err)
		}
	}
}

// A file of the last release is filled in steps that may be broken off; what the last release writes afterwards is found, too.
func TestTheIndexOfAnOldFile(t *testing.T) {
	all := releases(t)
	path := ofRelease(t, all[len(all)-1])
	db := openAt(t, path, time.Now)
	if err := db.write(t.Context(), func(ctx context.Context, t *tx) error {
		_, err := t.exec(ctx, `WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ?)
			INSERT INTO ledger SELECT 'SM' || printf('%032d', n), 1, 'sent', '+13125550147', '+18585550100', '2026-11-20T12:00:00.000Z', 0,
				json_object('MessageSid', 'SM' || printf('%032d', n), 'Version', 1, 'Customer', '+13125550147', 'TwilioNumber', '+18585550100',
					'ReceivedAt', '2026-11-20T12:00:00Z', 'Body', 'marmalade ' || n) FROM n`, 2*indexBatch)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	search := func() ledger.Found {
		t.Helper()
		found, err := db.Ledger().Search(t.Context(), ledger.Search{Words: []string{"marmalade"}})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	before := search()
	if isMore, err := db.IndexWords(t.Context()); !isMore || err != nil {
		t.Errorf("after one step, more %t, error %v", isMore, err)
	}
	during := search()
	if before.Count != 0 || during.Count != indexBatch || before.NotIndexed-during.NotIndexed != indexBatch {
		t.Errorf("found %d of %d, then %d of %d", before.Count, before.NotIndexed, during.Count, during.NotIndexed)
	}
	index(t, db)
	if after := search(); after.Count != 2*indexBatch || after.NotIndexed != 0 {
		t.Errorf("found %d, and %d are not in the index", after.Count, after.NotIndexed)
	}
	page, err := db.Ledger().List(t.Context(), ledger.Query{Limit: ledger.MaxLimit, Until: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range page.Records {
		words := ledger.Words(ledger.Said(r))
		if ledger.IsSearchable(r) && len(words) > 0 && len(find(t, db, ledger.Search{Words: words[:1]})) == 0 {
			t.Errorf("a text of the release is not found by %q", words[0])
		}
	}
}
