package route_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// hopLoop is a loop of ownNumber's route through the route of otherNumber: its number, or a thread of it.
func hopLoop(hop sms.PhoneNumber) route.LoopsError {
	return route.LoopsError{{Number: ownNumber, Hop: hop, Owner: otherNumber}}
}

func threadLoop(number, thread, owner sms.PhoneNumber) route.LoopsError {
	return route.LoopsError{{Number: number, Thread: thread, Owner: owner}}
}

// TestLoops finds those of what is put: a number belongs to one route, as its own or as a thread. The text shows no number whole.
func TestLoops(t *testing.T) {
	to := func(number, phone sms.PhoneNumber, threads ...sms.PhoneNumber) route.Route {
		r := threaded(number, threads...)
		r.DestinationCarrier = phone
		return r
	}
	gone := func(r route.Route) route.Route {
		r.Active, r.Removed = false, noon
		return r
	}
	first, second := to(ownNumber, otherNumber), threaded(otherNumber)
	for name, tt := range map[string]struct {
		table, put []route.Route
		want       route.LoopsError
	}{
		"none":                    {table: []route.Route{second}, put: []route.Route{second}},
		"there before":            {table: []route.Route{first, second}, put: []route.Route{second}},
		"its hop is there":        {table: []route.Route{second}, put: []route.Route{first}, want: hopLoop(otherNumber)},
		"it is a hop":             {table: []route.Route{first}, put: []route.Route{second}, want: hopLoop(otherNumber)},
		"both are new":            {put: []route.Route{second, first}, want: hopLoop(otherNumber)},
		"its hop was removed":     {table: []route.Route{gone(second)}, put: []route.Route{first}, want: hopLoop(otherNumber)},
		"threads of its own":      {put: []route.Route{threaded(ownNumber, threadA, threadB)}},
		"the same threads again":  {table: []route.Route{threaded(ownNumber, threadA)}, put: []route.Route{threaded(ownNumber, threadA)}},
		"thread of a removed one": {table: []route.Route{gone(threaded(otherNumber, threadA))}, put: []route.Route{threaded(ownNumber, threadA)}},
		"thread of another": {
			table: []route.Route{threaded(otherNumber, threadA)}, put: []route.Route{threaded(ownNumber, threadA)},
			want: threadLoop(ownNumber, threadA, otherNumber),
		},
		"thread of a removed one that comes back": {
			table: []route.Route{gone(threaded(otherNumber, threadA)), threaded(ownNumber, threadA)},
			put:   []route.Route{threaded(otherNumber, threadA)}, want: threadLoop(otherNumber, threadA, ownNumber),
		},
		"two share one, and a third is put": {
			table: []route.Route{threaded(otherNumber, threadA), threaded(ownNumber, threadA)}, put: []route.Route{threaded("+18585550102")},
		},
		"another's number as a thread": {
			table: []route.Route{second}, put: []route.Route{threaded(ownNumber, otherNumber)},
			want: threadLoop(ownNumber, otherNumber, otherNumber),
		},
		"a removed one's number as a thread": {
			table: []route.Route{gone(second)}, put: []route.Route{threaded(ownNumber, otherNumber)},
		},
		"it comes back": {
			table: []route.Route{gone(second), threaded(ownNumber, otherNumber)}, put: []route.Route{second},
			want: threadLoop(ownNumber, otherNumber, otherNumber),
		},
		"a thread gets a route": {
			table: []route.Route{threaded(ownNumber, threadA)}, put: []route.Route{threaded(threadA)},
			want: threadLoop(ownNumber, threadA, threadA),
		},
		"to a thread": {
			table: []route.Route{threaded(otherNumber, threadA)}, put: []route.Route{to(ownNumber, threadA)},
			want: hopLoop(threadA),
		},
		"a phone becomes a thread": {
			table: []route.Route{to(ownNumber, threadA)}, put: []route.Route{threaded(otherNumber, threadA)},
			want: hopLoop(threadA),
		},
	} {
		got := route.Loops(tt.table, tt.put...)
		if diff := cmp.Diff(tt.want, got); diff != "" || len(got) > 0 && strings.Contains(got.Error(), "8585550") {
			t.Errorf("%s: %v (-want +got):\n%s", name, got, diff)
		}
	}
}

// TestLoopsSaid: each kind is said in its own words, with whole numbers to whoever sees the table anyway.
func TestLoopsSaid(t *testing.T) {
	const round = ", and texts would go round in a loop"
	for _, tt := range []struct {
		loops route.LoopsError
		want  string
	}{
		{hopLoop(otherNumber), "+18585550101 cannot be a phone of +18585550100: it has a route of its own" + round},
		{hopLoop(threadA), "+18585550110 cannot be a phone of +18585550100: it is a thread of +18585550101" + round},
		{threadLoop(ownNumber, otherNumber, otherNumber), "+18585550101 cannot be a thread of +18585550100: it has a route of its own"},
		{threadLoop(ownNumber, threadA, otherNumber), "+18585550110 cannot be a thread of +18585550100: it is a thread of +18585550101"},
	} {
		if got := tt.loops.Problems(func(n sms.PhoneNumber) string { return string(n) }); got != tt.want {
			t.Errorf("said %q, want %q", got, tt.want)
		}
	}
}
