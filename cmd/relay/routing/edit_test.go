package routing_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// to is a change of the destination.
func to(p sms.PhoneNumber) func(route.Route, bool) (route.Route, error) {
	return routing.Settings{To: &p}.Change
}

// otherComes makes other the destination, which has yet to be verified, instead of phone, which left at noon.
func otherComes(r *route.Route) {
	r.DestinationCarrier, r.Verifications = other, []route.Verification{{Phone: other}, {Phone: phone, VerifiedAt: noon}}
}

func TestEdit(t *testing.T) {
	written := func(changes ...func(*route.Route)) route.Route {
		changes = append(changes, func(r *route.Route) {
			r.Version, r.UpdatedBy = 4, "anna"
			if r.LastUpdated.Equal(morning) {
				r.LastUpdated = noon
			}
		})
		return stored(changes...)
	}
	tests := []struct {
		name   string
		table  []route.Route
		change func(route.Route, bool) (route.Route, error)
		want   route.Route
		action routing.Action
	}{
		{"a new one is active", nil, to(phone), route.Route{
			TwilioNumber: number, DestinationCarrier: phone, Active: true, LastUpdated: noon,
			Version: 1, UpdatedBy: "anna", Verifications: []route.Verification{{Phone: phone}},
		}, routing.Added},
		{
			"a new one whose phone need not be verified", nil, routing.Settings{To: new(phone), VerifyPhones: new(new(false))}.Change,
			route.Route{
				TwilioNumber: number, DestinationCarrier: phone, Active: true, LastUpdated: noon, Version: 1, UpdatedBy: "anna",
				VerifyPhones: new(false),
			},
			routing.Added,
		},
		{
			"a new one that is not to be", nil, routing.Settings{To: new(phone), Active: new(false)}.Change,
			route.Route{
				TwilioNumber: number, DestinationCarrier: phone, LastUpdated: noon, Version: 1, UpdatedBy: "anna",
				Verifications: []route.Verification{{Phone: phone}},
			},
			routing.Added,
		},
		{
			"another destination",
			[]route.Route{stored()},
			to(other), written(otherComes),
			routing.Changed,
		},
		{
			"a destination that was one before",
			[]route.Route{stored(otherComes)},
			to(phone), written(func(r *route.Route) { r.Verifications = []route.Verification{{Phone: phone, VerifiedAt: noon}} }),
			routing.Changed,
		},
		{"the same destination", []route.Route{stored()}, to(phone), stored(), routing.Unchanged},
		{
			"every setting",
			[]route.Route{stored()},
			routing.Settings{
				Fallbacks: new([]sms.PhoneNumber), OnUncertain: new(route.Resend), DeliveryTimeout: new(route.Duration(time.Minute)),
				MaxAge: new(route.Duration(time.Hour)), PaceNumber: new("off"),
				AnswerWindow: new(route.Duration(2 * time.Hour)), HoldTime: new(route.Duration(5 * time.Minute)),
				Threads: new([]sms.PhoneNumber{thread}), Owner: new("+16195550123"),
			}.Change,
			written(func(r *route.Route) {
				r.FallbackCarriers, r.OnUncertain, r.DeliveryTimeout, r.MaxAge, r.PaceNumber = nil, route.Resend, route.Duration(time.Minute),
					route.Duration(time.Hour), "off"
				r.AnswerWindow, r.HoldTime, r.Threads = route.Duration(2*time.Hour), route.Duration(5*time.Minute), []sms.PhoneNumber{thread}
				r.Owner = "+16195550123"
				r.Verifications = []route.Verification{{Phone: fallback, VerifiedAt: noon}}
			}), routing.Changed,
		},
		{
			"without its threads",
			[]route.Route{stored(func(r *route.Route) { r.Threads = []sms.PhoneNumber{thread} })},
			routing.Settings{Threads: new([]sms.PhoneNumber)}.Change,
			written(func(r *route.Route) { r.FormerThreads = []route.FormerThread{{Number: thread, Until: noon}} }),
			routing.Changed,
		},
		{
			"the same threads",
			[]route.Route{stored(func(r *route.Route) { r.Threads = []sms.PhoneNumber{thread} })},
			routing.Settings{Threads: new([]sms.PhoneNumber{thread})}.Change,
			stored(func(r *route.Route) { r.Threads = []sms.PhoneNumber{thread} }), routing.Unchanged,
		},
		{
			"off",
			[]route.Route{stored()},
			routing.Switch(false), written(func(r *route.Route) { r.Active, r.OffSince = false, offAtNoon }),
			routing.Changed,
		},
		{"on", []route.Route{stored()}, routing.Switch(true), stored(), routing.Unchanged},
		{"removed", []route.Route{stored()}, anna().Remove, written(func(r *route.Route) {
			r.Active, r.Removed, r.OffSince = false, noon,
				offAtNoon
		}), routing.Removed},
		{"removed before", []route.Route{stored(removed)}, anna().Remove, stored(removed), routing.Unchanged},
		{
			"removed but active",
			[]route.Route{stored(removed, func(r *route.Route) { r.Active = true })},
			anna().Remove,
			written(func(r *route.Route) { removed(r); r.OffSince = offAtNoon }), routing.Changed,
		},
		{"off, of a removed one", []route.Route{stored(removed)}, routing.Switch(false), stored(removed), routing.Unchanged},
		{"on, of a removed one", []route.Route{stored(removed)}, routing.Switch(true), written(func(*route.Route) {}), routing.Changed},
		{
			"set, of a removed one",
			[]route.Route{stored(removed)},
			to(other), written(otherComes),
			routing.Changed,
		},
		{
			"who opted out stays so while it is a hop",
			[]route.Route{stored(func(r *route.Route) { r.OptedOut = []sms.PhoneNumber{phone, fallback} })},
			to(other),
			written(otherComes, func(r *route.Route) { r.OptedOut = []sms.PhoneNumber{fallback} }), routing.Changed,
		},
		{
			"the table's is of a time to come",
			[]route.Route{stored(func(r *route.Route) { r.LastUpdated = noon.Add(time.Hour) })},
			to(other),
			written(otherComes, func(r *route.Route) { r.LastUpdated = noon.Add(time.Hour + time.Second) }), routing.Changed,
		},
		{
			"out of use in spite of a loop",
			[]route.Route{stored(func(r *route.Route) { r.FallbackCarriers = []sms.PhoneNumber{number} })},
			routing.Switch(false), written(func(r *route.Route) {
				r.Active, r.OffSince, r.FallbackCarriers = false, offAtNoon, []sms.PhoneNumber{number}
			}), routing.Changed,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := relaytest.NewMemoryRoutes(tt.table...)
			done, err := routing.Edit{Number: number, Change: tt.change, Author: anna()}.Apply(t.Context(), table)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]route.Route{tt.want}, list(t, table)); diff != "" {
				t.Errorf("table (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.want, done.After); diff != "" || done.Action() != tt.action {
				t.Errorf("%s, want %s (-want +got):\n%s", done.Action(), tt.action, diff)
			}
		})
	}
}

func TestEditRefuses(t *testing.T) {
	looped := route.Route{TwilioNumber: second, DestinationCarrier: other, Threads: []sms.PhoneNumber{thread}, Version: 1}
	threads := func(threads ...sms.PhoneNumber) func(route.Route, bool) (route.Route, error) {
		return routing.Settings{Threads: &threads}.Change
	}
	tests := []struct {
		name string
		edit routing.Edit
		want error
	}{
		{
			"a new one without a destination",
			routing.Edit{Number: other, Change: routing.Settings{Active: new(true)}.Change},
			routing.ErrNoDestination,
		},
		{"what is not there", routing.Edit{Number: other, Change: routing.Switch(true)}, routing.ErrNoRoute},
		{"to remove what is not there", routing.Edit{Number: other, Change: anna().Remove}, routing.ErrNoRoute},
		{"a hop with a route", routing.Edit{Number: number, Change: to(second)}, route.ErrLoop},
		{"a route of a hop", routing.Edit{Number: other, Change: to("+16195550126")}, route.ErrLoop},
		{"a thread with a route", routing.Edit{Number: number, Change: threads(second)}, route.ErrLoop},
		{"a thread of another", routing.Edit{Number: number, Change: threads("+18585550111", thread)}, route.ErrLoop},
		{"a route of a thread", routing.Edit{Number: thread, Change: to("+16195550126")}, route.ErrLoop},
		{"a thread as a phone", routing.Edit{Number: number, Change: to(thread)}, route.ErrLoop},
		{"an older version", routing.Edit{Number: number, Change: to(other), Version: new(int64(2))}, route.ErrConflict},
		{"the version of a new one", routing.Edit{Number: number, Change: to(other), Version: new(int64(0))}, route.ErrConflict},
		{"a version of what is not there", routing.Edit{Number: "+18585550102", Change: to(phone), Version: new(int64(1))}, route.ErrConflict},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := relaytest.NewMemoryRoutes(stored(), looped)
			tt.edit.Author = anna()
			if _, err := tt.edit.Apply(t.Context(), table); !errors.Is(err, tt.want) {
				t.Errorf("error %v, want %v", err, tt.want)
			}
			if diff := cmp.Diff([]route.Route{stored(), looped}, list(t, table)); diff != "" {
				t.Errorf("table (-want +got):\n%s", diff)
			}
		})
	}
}

// TestEditAgainstOthers: who changed something else is no hindrance, who changed the same is not written over.
func TestEditAgainstOthers(t *testing.T) {
	bobs := func(change func(*route.Route)) route.Route {
		return stored(change, func(r *route.Route) { r.LastUpdated = noon.Add(-time.Second) })
	}
	tests := []struct {
		name   string
		theirs route.Route
		want   func(*route.Route)
	}{
		{
			"who opted out", bobs(func(r *route.Route) { r.OptedOut = []sms.PhoneNumber{fallback} }),
			func(r *route.Route) { r.OptedOut = []sms.PhoneNumber{fallback} },
		},
		{
			"another field", bobs(func(r *route.Route) { r.MaxAge = route.Duration(time.Hour) }),
			func(r *route.Route) { r.MaxAge = route.Duration(time.Hour) },
		},
		{"the same field", bobs(func(r *route.Route) { r.DestinationCarrier = "+16195550126" }), nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			table := relaytest.NewMemoryRoutes(stored())
			interfere(table, tt.theirs)
			_, err := routing.Edit{Number: number, Change: to(other), Author: anna()}.Apply(t.Context(), table)
			got := list(t, table)[0]
			if tt.want == nil {
				conflict, ok := errors.AsType[*routing.ConflictError](err)
				const text = "route of +18585550100 was changed by someone else: bob wrote it at 2026-11-24T11:59:59Z"
				if !ok || conflict.Error() != text || conflict.Stored.Version != 4 || got.Version != 4 {
					t.Errorf("error %v, version %d; want %s", err, got.Version, text)
				}
				return
			}
			want := stored(tt.want, otherComes, func(r *route.Route) {
				r.Version, r.UpdatedBy, r.LastUpdated = 5, "anna", noon
			})
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Errorf("error %v (-want +got):\n%s", err, diff)
			}
		})
	}
}

// interfere has someone else write before the first put.
func interfere(table *relaytest.MemoryRoutes, theirs route.Route) {
	table.Fault = func(op string) error {
		if op != "before Put" {
			return nil
		}
		table.Fault = nil
		_, err := table.Put(context.Background(), theirs)
		return err
	}
}

// TestEditGivesUp where others are quicker each time, and where the table fails.
func TestEditGivesUp(t *testing.T) {
	broken := errors.New("broken")
	for at, want := range map[string]error{"before Put": route.ErrConflict, "before List": broken, "after Put": broken} {
		table := relaytest.NewMemoryRoutes(stored())
		table.Fault = func(op string) error {
			if op == at {
				return want
			}
			return nil
		}
		if _, err := (routing.Edit{Number: number, Change: to(other), Author: anna()}).Apply(t.Context(), table); !errors.Is(err, want) {
			t.Errorf("%s: error %v, want %v", at, err, want)
		}
	}
}

// byHand is a table in which a route has no version.
type byHand struct {
	*relaytest.MemoryRoutes

	over int
}

// PutUnversioned counts what goes over a route without a version.
func (b *byHand) PutUnversioned(ctx context.Context, r route.Route) (route.Route, error) {
	b.over++
	return b.Put(ctx, r)
}

// TestEditOfAHandWrittenRoute: it has no version, and gets one; a new route is put as ever.
func TestEditOfAHandWrittenRoute(t *testing.T) {
	table := &byHand{MemoryRoutes: relaytest.NewMemoryRoutes(stored(func(r *route.Route) { r.Version = 0 }))}
	for want, n := range []sms.PhoneNumber{second, number, number} {
		done, err := routing.Edit{Number: n, Change: to([]sms.PhoneNumber{phone, other, phone}[want]), Author: anna()}.Apply(t.Context(), table)
		if err != nil || done.After.Version == 0 || table.over != min(want, 1) {
			t.Errorf("edit %d: version %d, error %v, %d over one without a version", want, done.After.Version, err, table.over)
		}
	}
}

// TestDropWaiting: with it, nothing says since when the route is off, and so nothing that came before is sent. Said later, it is a
// change of its own.
func TestDropWaiting(t *testing.T) {
	off := routing.Edit{Number: number, Change: routing.Switch(false), Author: anna()}
	dropping := off
	dropping.DropWaiting = true
	table := relaytest.NewMemoryRoutes(stored())
	if done, err := dropping.Apply(t.Context(), table); err != nil || !done.After.OffSince.IsZero() || done.After.Active {
		t.Errorf("off at once: %+v, %v", done.After, err)
	}
	table = relaytest.NewMemoryRoutes(stored())
	if done, err := off.Apply(t.Context(), table); err != nil || !done.After.OffSince.Equal(offAtNoon) {
		t.Errorf("off: %+v, %v", done.After, err)
	}
	if done, err := off.Apply(t.Context(), table); err != nil || done.Action() != routing.Unchanged {
		t.Errorf("off again: %s, %v", done.Action(), err)
	}
	done, err := dropping.Apply(t.Context(), table)
	if err != nil || done.Action() != routing.Changed || !done.After.OffSince.IsZero() || len(done.Differences) != 1 ||
		done.Differences[0].Field != "OffSince" {
		t.Errorf("off before, and now dropping: %s %+v, %v", done.Action(), done.Differences, err)
	}
	if done, err := dropping.Apply(t.Context(), table); err != nil || done.Action() != routing.Unchanged {
		t.Errorf("dropping again: %s, %v", done.Action(), err)
	}
}

// ahead is a table whose clock is ahead of anna's.
type ahead struct{ route.Table }

func (ahead) Ahead() time.Duration { return 3 * time.Minute }

// TestOffByTheTablesClock: the machine at which somebody types may be minutes slow, and texts of these minutes were accepted all the
// same.
func TestOffByTheTablesClock(t *testing.T) {
	table := relaytest.NewMemoryRoutes(stored())
	done, err := routing.Edit{Number: number, Change: routing.Switch(false), Author: anna()}.Apply(t.Context(), ahead{table})
	if want := offAtNoon.Add(3 * time.Minute); err != nil || !done.After.OffSince.Equal(want) {
		t.Errorf("off since %v, want %v; error %v", done.After.OffSince, want, err)
	}
}

// A stored route that cannot be read is named, and in the way of no other number.
func TestEditBesideAnUnreadableRoute(t *testing.T) {
	broken := stored(func(r *route.Route) { r.TwilioNumber = "+18585550109" })
	table := relaytest.NewMemoryRoutes(stored(), broken)
	table.Spoil(t, broken, "Active")
	edit := routing.Edit{Number: number, Change: to(other), Author: anna()}
	done, err := edit.Apply(t.Context(), table)
	if err != nil || done.After.DestinationCarrier != other || len(done.Unreadable) != 1 || done.Unreadable[0].TwilioNumber != "+18585550109" {
		t.Errorf("edited %+v, error %v", done, err)
	}
	edit.Number = "+18585550109"
	if done, err := edit.Apply(t.Context(), table); err == nil || !strings.Contains(err.Error(), "0109") {
		t.Errorf("the one that cannot be read: edited %+v, error %v", done, err)
	}
}
