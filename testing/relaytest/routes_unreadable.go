package relaytest

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Spoil writes something that is not of its form into an attribute, "Active" or "Threads", of a stored route.
type Spoil func(t *testing.T, r route.Route, attribute string)

// TestUnreadableRoute holds a routing table against what its contract says of a route that cannot be read. open returns a new, empty
// table each time.
func TestUnreadableRoute(t *testing.T, open func(t *testing.T) (route.Table, Spoil)) {
	t.Helper()
	for attribute, want := range map[string]route.Unreadable{
		"Active":  {TwilioNumber: numbered(11), Threads: []sms.PhoneNumber{numbered(30), numbered(31)}},
		"Threads": {TwilioNumber: numbered(11), AnyThread: true},
	} {
		t.Run(attribute, func(t *testing.T) {
			t.Parallel()
			table, spoil := open(t)
			r := routesTest{t, table}
			r.othersWork(spoil, attribute, want)
		})
	}
}

func (r routesTest) othersWork(spoil Spoil, attribute string, want route.Unreadable) {
	r.Helper()
	var all []route.Route
	for i := range 3 {
		given := Route()
		given.TwilioNumber = numbered(10 + i)
		if i == 1 {
			given.Threads = []sms.PhoneNumber{numbered(30), numbered(31)}
		}
		all = append(all, r.put(given))
	}
	spoil(r.T, all[1], attribute)
	listed, unreadable, err := route.Readable(r.List(r.Context()))
	if err != nil || len(unreadable) != 1 || unreadable[0].Err == nil {
		r.Fatalf("List: error %v, unreadable %+v, want one", err, unreadable)
	}
	if diff := cmp.Diff([]route.Route{all[0], all[2]}, listed); diff != "" {
		r.Errorf("List (-want +got):\n%s", diff)
	}
	got := unreadable[0]
	got.Err = nil
	if got.AnyThread {
		// What could be read of them does not matter.
		got.Threads = nil
	}
	if diff := cmp.Diff(want, got); diff != "" {
		r.Errorf("what cannot be read (-want +got):\n%s", diff)
	}
	if found, err := r.Lookup(r.Context(), numbered(10), numbered(11)); err == nil {
		r.Errorf("Lookup of a route that cannot be read: %v, want an error", found)
	}
	changed := all[2]
	changed.Active = false
	r.finds([]sms.PhoneNumber{numbered(10), numbered(12)}, all[0], r.put(changed))
}
