package resend_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/resend"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

const phone = sms.PhoneNumber("+16195550123")

// step is one thing that happens to a text.
type step func(t *testing.T, r ledger.Record) ledger.Record

func must(edit func(r ledger.Record) (ledger.Record, error)) step {
	return func(t *testing.T, r ledger.Record) ledger.Record {
		t.Helper()
		edited, err := edit(r)
		if err != nil {
			t.Fatal(err)
		}
		return edited
	}
}

func drops(reason ledger.Reason) step {
	return must(func(r ledger.Record) (ledger.Record, error) { return r.Drop(reason, noon) })
}

var claims = must(func(r ledger.Record) (ledger.Record, error) { return r.Claim("claim", 0, phone, time.Minute, noon) })

func accepted(status sms.Status) step {
	return must(func(r ledger.Record) (ledger.Record, error) {
		r, _ = r.Accept(1, relaytest.MessageSid(900), status, noon)
		return r, nil
	})
}

func ends(kind fault.Kind, onward ledger.Onward) step {
	return must(func(r ledger.Record) (ledger.Record, error) {
		r, _, err := r.End(1, &fault.Error{Kind: kind, Err: errors.New("as in the test")}, onward, noon)
		return r, err
	})
}

var (
	refused = ends(fault.Permanent, ledger.Onward{To: ledger.Failed, Reason: ledger.ReasonRefused})
	busy    = ends(fault.Transient, ledger.Onward{To: ledger.Queued, NotBefore: noon})
	parked  = ends(fault.Unknown, ledger.Onward{To: ledger.Uncertain, Reason: ledger.ReasonUnknownOutcome})
	dies    = must(func(r ledger.Record) (ledger.Record, error) { return r.Die(ledger.ReasonAttemptsExhausted, noon) })
)

// TestForesee: of a text in each state is told what would come of an order, and something is ordered only if something comes of it.
func TestForesee(t *testing.T) {
	off := route.Route{TwilioNumber: relaytest.TwilioNumber, DestinationCarrier: phone, Version: 1}
	on := off
	on.Active = true
	for name, tt := range map[string]struct {
		steps  []step
		routes []route.Route
		want   resend.Outlook
		drop   ledger.Reason
	}{
		"failed":                        {[]step{claims, refused}, []route.Route{on}, resend.Again, ""},
		"undelivered":                   {[]step{claims, accepted(sms.StatusUndelivered)}, []route.Route{on}, resend.Again, ""},
		"dropped":                       {[]step{drops(ledger.ReasonInactive)}, []route.Route{on}, resend.Again, ""},
		"dropped, and too old long ago": {[]step{drops(ledger.ReasonExpired)}, []route.Route{on}, resend.Again, ""},
		"the route is off":              {[]step{drops(ledger.ReasonInactive)}, []route.Route{off}, resend.DroppedAgain, ledger.ReasonInactive},
		"there is no route":             {[]step{claims, refused}, nil, resend.DroppedAgain, ledger.ReasonNoRoute},
		"Twilio has it after all":       {[]step{claims, refused, accepted(sms.StatusSent)}, []route.Route{on}, resend.Settles, ""},
		"a keyword":                     {[]step{drops(ledger.ReasonKeyword)}, []route.Route{on}, resend.Answered, ""},
		"an opt-out":                    {[]step{drops(ledger.ReasonOptOut)}, []route.Route{on}, resend.Answered, ""},
		"a loop that is gone":           {[]step{drops(ledger.ReasonLoop)}, []route.Route{on}, resend.Again, ""},
		"an automatic reply of a phone": {
			[]step{byPhone(ledger.ReasonAutoReply)}, []route.Route{on}, resend.DroppedAgain, ledger.ReasonUnaddressed,
		},
		"without addresses": {[]step{nameless, gaveUp}, []route.Route{on}, resend.Unaddressed, ""},
		"uncertain":         {[]step{claims, parked}, []route.Route{on}, resend.InDoubt, ""},
		"sending":           {[]step{claims}, []route.Route{on}, resend.InHand, ""},
		"queued":            {[]step{claims, busy}, []route.Route{on}, resend.InHand, ""},
		"sent":              {[]step{claims, accepted(sms.StatusSent)}, []route.Route{on}, resend.Taken, ""},
		"delivered":         {[]step{claims, accepted(sms.StatusDelivered)}, []route.Route{on}, resend.Taken, ""},
		"dead":              {[]step{claims, busy, dies}, []route.Route{on}, resend.Dead, ""},
		"dropped after an earlier order": {
			[]step{drops(ledger.ReasonInactive), ordered, drops(ledger.ReasonInactive)},
			[]route.Route{on},
			resend.Again, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := relaytest.Record(1, noon.Add(-24*time.Hour))
			for _, happens := range tt.steps {
				r = happens(t, r)
			}
			texts, err := resend.Foresee(t.Context(), relaytest.NewMemoryRoutes(tt.routes...), []ledger.Record{r}, noon)
			if err != nil {
				t.Fatal(err)
			}
			got := texts[0]
			if got.Outlook != tt.want || got.Drop != tt.drop || (got.Outlook == resend.Again) != (got.To == phone && got.Segments == 1) {
				t.Errorf("%s, %s is foreseen as %s %s to %q in %d segments, want %s %s", r.State, r.Reason, got.Outlook, got.Drop, got.To,
					got.Segments, tt.want, tt.drop)
			}
			orders := relaytest.NewMemoryQueue(relaytest.QueueOptions{}, func() time.Time { return noon })
			ordered, err := resend.Order(t.Context(), orders, texts, ledger.Decision{By: "ada"})
			if want := map[bool]int{true: 1}[got.Outlook.Orders()]; err != nil || ordered != want {
				t.Errorf("%d ordered, error %v, want %d", ordered, err, want)
			}
			if got.Outlook.Meaning() == string(got.Outlook) {
				t.Errorf("%s has no words", got.Outlook)
			}
		})
	}
}

// byPhone makes the text one that a phone on duty wrote, and that was for nobody.
func byPhone(reason ledger.Reason) step {
	return must(func(r ledger.Record) (ledger.Record, error) {
		return r.Dismiss(ledger.Answer{Phone: r.Customer, Verdict: ledger.AnswerDropped}, reason, noon)
	})
}

var (
	nameless = must(func(r ledger.Record) (ledger.Record, error) { r.Customer = ""; return r, nil })
	gaveUp   = must(func(r ledger.Record) (ledger.Record, error) { return r.GiveUp(noon) })
)

var ordered = must(func(r ledger.Record) (ledger.Record, error) {
	r, _, err := r.Resend(r.Order(ledger.Decision{By: "ada"}), noon)
	return r, err
})

// full is a queue that accepts so many messages.
type full struct{ left int }

func (f *full) Send(context.Context, queue.Outgoing) error {
	if f.left == 0 {
		return errors.New("full")
	}
	f.left--
	return nil
}

// TestOrderStopsAtTheFirstThatIsNotTaken: the oldest texts are ordered first, and how many were is told.
func TestOrderStopsAtTheFirstThatIsNotTaken(t *testing.T) {
	var records []ledger.Record
	for n := range 3 {
		records = append(records, drops(ledger.ReasonExpired)(t, relaytest.Record(n+1, noon.Add(-time.Duration(n)*time.Hour))))
	}
	routes := relaytest.NewMemoryRoutes(route.Route{TwilioNumber: relaytest.TwilioNumber, DestinationCarrier: phone, Active: true, Version: 1})
	texts, err := resend.Foresee(t.Context(), routes, records, noon)
	if err != nil || texts[0].Record.MessageSid != relaytest.MessageSid(3) {
		t.Fatalf("texts %+v, error %v", texts, err)
	}
	if n, err := resend.Order(t.Context(), &full{left: 2}, texts, ledger.Decision{By: "ada"}); n != 2 || err == nil {
		t.Errorf("%d ordered, error %v, want 2 and an error", n, err)
	}
}
