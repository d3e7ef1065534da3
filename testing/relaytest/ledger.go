package relaytest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// LedgerUnderTest is a ledger, empty when a test gets it.
type LedgerUnderTest struct {
	ledger.Store
	ledger.Lister

	// Slow: each request takes so long that not every combination of what lists show is tried. Another test of the adapter does that.
	Slow bool
}

// TestLedger holds a ledger against the contract of package ledger. open returns a new, empty ledger each time; it is
// called once a subtest, and subtests run side by side. Lists may lag writes. Records are received at times within 50
// days before now.
func TestLedger(t *testing.T, open func(t *testing.T) LedgerUnderTest) {
	t.Helper()
	for _, tt := range ledgerTests() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.run(ledgerTest{t, open(t)})
		})
	}
}

// ledgerCase is one subtest of the suite.
type ledgerCase struct {
	name string
	run  func(ledgerTest)
}

func ledgerTests() []ledgerCase {
	return []ledgerCase{
		{"create stores version 1", ledgerTest.createStores},
		{"create of an existing record returns it", ledgerTest.createExisting},
		{"update stores the next version", ledgerTest.updateStores},
		{"update of another version returns the stored record", ledgerTest.updateConflict},
		{"an unknown record is not found", ledgerTest.notFound},
		{"every field survives", ledgerTest.everyField},
		{"fields that are not set survive", ledgerTest.bareRecord},
		{"any text survives", ledgerTest.anyText},
		{"a record is the caller's own", ledgerTest.noAliasing},
		{"of many claims one wins", ledgerTest.manyClaims},
		{"of many changes to one version one wins", ledgerTest.manyUpdates},
		{"changes side by side all go through", ledgerTest.manyChanges},
		{"an ended context is a classified error", ledgerTest.endedContext},
		{"lists by every combination", ledgerTest.listCombinations},
		{"lists until a time", ledgerTest.listUntil},
		{"lists page by page", ledgerTest.listPages},
		{"lists are empty in an empty ledger", ledgerTest.listEmpty},
		{"a change of state moves a record between lists", ledgerTest.listFollowsState},
		{"new records do not disturb a list being paged", ledgerTest.listWhileGrowing},
		{"a cursor outlives its record", ledgerTest.cursorWithoutRecord},
		{"a cursor of no ledger is refused", ledgerTest.badCursor},
	}
}

// ledgerTest is one subtest with its ledger.
type ledgerTest struct {
	*testing.T
	LedgerUnderTest
}

// recently is a time that every adapter takes for the recent past, as the ledger keeps times.
func recently() time.Time { return ledger.Stamp(wallClock().Add(-time.Minute)) }

func (l ledgerTest) create(r ledger.Record) ledger.Record {
	l.Helper()
	stored, err := l.Create(l.Context(), r)
	if err != nil {
		l.Fatalf("Create(%s): %v", r.MessageSid, err)
	}
	return stored
}

func (l ledgerTest) update(r ledger.Record) ledger.Record {
	l.Helper()
	stored, err := l.Update(l.Context(), r)
	if err != nil {
		l.Fatalf("Update(%s): %v", r.MessageSid, err)
	}
	return stored
}

// holds checks that the ledger has exactly want.
func (l ledgerTest) holds(want ledger.Record) {
	l.Helper()
	got, err := l.Get(l.Context(), want.MessageSid)
	if err != nil {
		l.Fatalf("Get(%s): %v", want.MessageSid, err)
	}
	l.same("stored record", want, got)
}

func (l ledgerTest) same(what string, want, got ledger.Record) {
	l.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
		l.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func (l ledgerTest) createStores() {
	r := claimed(1, "claim")
	want := r
	want.Version = 1
	l.same("returned record", want, l.create(r))
	l.holds(want)
}

func (l ledgerTest) createExisting() {
	first := l.create(claimed(1, "first"))
	got, err := l.Create(l.Context(), claimed(1, "second"))
	if !errors.Is(err, ledger.ErrExists) {
		l.Errorf("second Create: error %v, want ErrExists", err)
	}
	l.same("returned record", first, got)
	l.holds(first)
}

func (l ledgerTest) updateStores() {
	r := l.create(claimed(1, "claim"))
	for version := int64(2); version <= 4; version++ {
		r.ExpiresAt++
		want := r
		want.Version = version
		r = l.update(r)
		l.same("returned record", want, r)
		l.holds(want)
	}
}

func (l ledgerTest) updateConflict() {
	old := l.create(claimed(1, "claim"))
	stored := l.update(old)
	for _, version := range []int64{0, 1, 3} {
		attempt := stored
		attempt.Version, attempt.Body = version, "should not be written"
		got, err := l.Update(l.Context(), attempt)
		if !errors.Is(err, ledger.ErrConflict) {
			l.Errorf("Update of version %d where 2 is stored: error %v, want ErrConflict", version, err)
		}
		l.same("returned record", stored, got)
	}
	l.holds(stored)
}

func (l ledgerTest) notFound() {
	r := claimed(1, "claim")
	if _, err := l.Get(l.Context(), r.MessageSid); !errors.Is(err, ledger.ErrNotFound) {
		l.Errorf("Get: error %v, want ErrNotFound", err)
	}
	for _, version := range []int64{0, 1} {
		r.Version = version
		if _, err := l.Update(l.Context(), r); !errors.Is(err, ledger.ErrNotFound) {
			l.Errorf("Update of version %d: error %v, want ErrNotFound", version, err)
		}
	}
	if _, err := l.Get(l.Context(), r.MessageSid); !errors.Is(err, ledger.ErrNotFound) {
		l.Errorf("Get after Update: error %v, want ErrNotFound", err)
	}
}

func (l ledgerTest) everyField() {
	r := full()
	for _, v := range []any{r, r.Attempts[0], r.Attempts[1], r.Folded, r.Folded.Phones[0], r.Media[0], r.Media[1], r.Answer} {
		l.allSet(v)
	}
	want := r
	want.Version = 1
	l.same("returned record", want, l.create(r))
	l.holds(want)
	got, err := l.Get(l.Context(), r.MessageSid)
	if err != nil {
		l.Fatalf("Get: %v", err)
	}
	for name, at := range map[string]time.Time{
		"ReceivedAt": got.ReceivedAt, "LeaseUntil": got.LeaseUntil,
		"StartedAt": got.Attempts[0].StartedAt,
	} {
		if at.Location() != time.UTC {
			l.Errorf("%s came back in %v, want UTC", name, at.Location())
		}
	}
}

// allSet fails if the suite itself forgot a field, a new one most likely. Version is the ledger's own to set.
func (l ledgerTest) allSet(v any) {
	l.Helper()
	value := reflect.ValueOf(v)
	for i := range value.NumField() {
		if name := value.Type().Field(i).Name; name != "Version" && value.Field(i).IsZero() {
			l.Errorf("%T.%s is not set by the suite: set it in full()", v, name)
		}
	}
}

func (l ledgerTest) bareRecord() {
	at := recently()
	for i, r := range []ledger.Record{
		{State: ledger.Dropped, TwilioNumber: TwilioNumber, ReceivedAt: at, UpdatedAt: at},
		{State: ledger.Failed, Reason: ledger.ReasonNoAddress, ReceivedAt: at, UpdatedAt: at},
		{State: ledger.Failed, Reason: ledger.ReasonNoAddress, Customer: Customer, ReceivedAt: at, UpdatedAt: at},
		{State: ledger.Sending, TwilioNumber: TwilioNumber, ReceivedAt: at, UpdatedAt: at, Media: []sms.Media{}, Attempts: []ledger.Attempt{}},
		{
			State: ledger.Sending, TwilioNumber: TwilioNumber, ReceivedAt: at, UpdatedAt: at, Media: []sms.Media{{URL: "u"}},
			Attempts: []ledger.Attempt{{Number: 1, StartedAt: at}},
		},
	} {
		r.MessageSid = fmt.Sprintf("SM%032x", i)
		want := r
		want.Version = 1
		l.same("returned record", want, l.create(r))
		l.holds(want)
	}
}

func (l ledgerTest) anyText() {
	for i, body := range []string{
		" padded\r\n\t", "nul \x00, control \x01 \x7f", "\uFFFE \uFFFF \uFEFF", `"quoted" \u0041 'and' -- ; DROP`,
		"\U0001F469\u200D\U0001F4BB", longText(),
	} {
		r := claimed(i, "claim")
		r.Body = body
		want := r
		want.Version = 1
		l.create(r)
		l.holds(want)
	}
}

// longText is the most that Twilio delivers in one text, in its widest characters.
func longText() string {
	text := make([]rune, sms.MaxBody)
	for i := range text {
		text[i] = '\U0001F600'
	}
	return string(text)
}

func (l ledgerTest) noAliasing() {
	r := full()
	stored := l.create(r)
	want := stored
	want.Attempts, want.Media = slices.Clone(stored.Attempts), slices.Clone(stored.Media)
	r.Attempts[0].Error, r.Media[0].URL = "changed in what was given", "changed"
	stored.Attempts[0].Error, stored.Media[0].URL = "changed in what was returned", "changed"
	got, err := l.Get(l.Context(), r.MessageSid)
	if err != nil {
		l.Fatalf("Get: %v", err)
	}
	got.Attempts[1].Error = "changed in what was read"
	l.holds(want)
}

// atOnce runs write n times side by side and returns what came of each.
func atOnce(n int, write func(i int) (ledger.Record, error)) (records []ledger.Record, errs []error) {
	records, errs = make([]ledger.Record, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { records[i], errs[i] = write(i) })
	}
	wg.Wait()
	return records, errs
}

// oneWins checks that all but one of the writes ended with lost, and that all returned what the winner wrote.
func (l ledgerTest) oneWins(records []ledger.Record, errs []error, lost error) {
	l.Helper()
	winner := -1
	for i, err := range errs {
		switch {
		case err == nil && winner < 0:
			winner = i
		case err == nil:
			l.Errorf("writes %d and %d both won", winner, i)
		case !errors.Is(err, lost):
			l.Errorf("write %d: error %v, want %v", i, err, lost)
		}
	}
	if winner < 0 {
		l.Fatal("no write won")
	}
	for i, r := range records {
		l.same(fmt.Sprintf("returned to writer %d", i), records[winner], r)
	}
	l.holds(records[winner])
}

func (l ledgerTest) manyClaims() {
	at := recently()
	records, errs := atOnce(16, func(i int) (ledger.Record, error) {
		r, err := Record(1, at).Claim(fmt.Sprintf("claim %d", i), 0, Destination, time.Minute, at)
		if err != nil {
			return r, err
		}
		return l.Create(l.Context(), r)
	})
	l.oneWins(records, errs, ledger.ErrExists)
}

func (l ledgerTest) manyUpdates() {
	stored := l.create(claimed(1, "claim"))
	records, errs := atOnce(16, func(i int) (ledger.Record, error) {
		r := stored
		r.Body = fmt.Sprintf("written by %d", i)
		return l.Update(l.Context(), r)
	})
	l.oneWins(records, errs, ledger.ErrConflict)
}

func (l ledgerTest) manyChanges() {
	// One less than the conflicts after which ledger.Change gives up.
	const writers = 9
	stored := l.create(claimed(1, "claim"))
	_, errs := atOnce(writers, func(int) (ledger.Record, error) {
		return ledger.Change(l.Context(), l, stored, func(r ledger.Record) (ledger.Record, bool, error) {
			r.ExpiresAt++
			return r, true, nil
		})
	})
	if err := errors.Join(errs...); err != nil {
		l.Errorf("Change: %v", err)
	}
	stored.Version += writers
	stored.ExpiresAt += writers
	l.holds(stored)
}

func (l ledgerTest) endedContext() {
	ctx, cancel := context.WithCancel(l.Context())
	cancel()
	r := claimed(1, "claim")
	_, created := l.Create(ctx, r)
	_, updated := l.Update(ctx, r)
	_, got := l.Get(ctx, r.MessageSid)
	_, listed := l.List(ctx, ledger.Query{Limit: 1})
	for operation, err := range map[string]error{"Create": created, "Update": updated, "Get": got, "List": listed} {
		classified, ok := errors.AsType[*fault.Error](err)
		if !ok || classified.Kind != fault.Transient && classified.Kind != fault.Unknown {
			l.Errorf("%s with an ended context: error %v, want a transient or unknown *fault.Error", operation, err)
		}
	}
}

// claimed is a record at its first attempt, as a sender creates it.
func claimed(n int, claimID string) ledger.Record {
	at := recently().Truncate(time.Minute)
	r, err := Record(n, at).Claim(claimID, 0, Destination, time.Minute, at)
	if err != nil {
		panic(err) // a new record may always be claimed
	}
	return r
}
