package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// Which phones get a text at the same time.
func TestRing(t *testing.T) {
	const fourth, fifth, sixth = sms.PhoneNumber("+18585550144"), sms.PhoneNumber("+18585550145"), sms.PhoneNumber("+18585550146")
	rings := relaytest.Route()
	rings.Ring, rings.FallbackCarriers = route.RingAll, []sms.PhoneNumber{relaytest.Fallback, fourth}
	all := rings.Hops()
	for name, tt := range map[string]struct {
		edit func(*route.Route, *plan.Question)
		want []sms.PhoneNumber
	}{
		"all":               {func(*route.Route, *plan.Question) {}, all},
		"in turn":           {func(r *route.Route, _ *plan.Question) { r.Ring = route.RingInTurn }, nil},
		"one has opted out": {func(r *route.Route, _ *plan.Question) { r.OptedOut = all[:1] }, all[1:]},
		"one is left":       {func(r *route.Route, _ *plan.Question) { r.OptedOut = all[:2] }, nil},
		"none is left":      {func(r *route.Route, _ *plan.Question) { r.OptedOut = all }, nil},
		"six": {func(r *route.Route, _ *plan.Question) {
			r.FallbackCarriers = append(r.FallbackCarriers, stranger, fifth, sixth)
		}, []sms.PhoneNumber{all[0], all[1], all[2], stranger, fifth}},
		"a phone has the customer": {func(_ *route.Route, q *plan.Question) { q.First = fourth }, nil},
		"another phone has him":    {func(_ *route.Route, q *plan.Question) { q.First = sixth }, all},
		"an operator's":            {func(_ *route.Route, q *plan.Question) { q.Text.Manual = true }, nil},
		"to one phone":             {func(_ *route.Route, q *plan.Question) { q.Text.Destination = fourth }, nil},
		"one was tried": {func(_ *route.Route, q *plan.Question) {
			q.Text.Attempts = []ledger.Attempt{{Number: 1, To: all[0]}}
		}, nil},
		"it rang":                   {func(_ *route.Route, q *plan.Question) { q.Text.Ring.Phones = all }, nil},
		"an operator sent it again": {func(_ *route.Route, q *plan.Question) { q.Text.RedrivenAt = noon }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			way, q := rings, plan.Question{Text: relaytest.Record(1, noon), Now: noon}
			tt.edit(&way, &q)
			q.Routes = map[sms.PhoneNumber]route.Route{way.TwilioNumber: way}
			if diff := cmp.Diff(tt.want, plan.Of(q).Ring); diff != "" {
				t.Errorf("at the same time (-want +got):\n%s", diff)
			}
		})
	}
	// Once it rang, its phones are closed, and the next one is tried.
	q := plan.Question{Text: relaytest.Record(1, noon), Routes: map[sms.PhoneNumber]route.Route{rings.TwilioNumber: rings}, Now: noon}
	q.Text.Ring.Phones = all[:2]
	if p := plan.Of(q); p.To != fourth {
		t.Errorf("it goes on to %s", string(p.To))
	}
}
