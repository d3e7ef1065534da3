package console

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"
	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// pageSize is how many customers are on a page.
const pageSize = 50

// question is what somebody wants to see of those who wait: it is all in the page's URL.
type question struct {
	// Number is the number of the business; empty is all.
	Number sms.PhoneNumber
	// Only is which of them; empty is all.
	Only conversations.Only
	// After is the last one of the page before, as [conversations.CursorOf] writes it.
	After string
}

// label is what a choice among those who wait is called.
func label(o conversations.Only) string {
	switch o {
	case conversations.OnlyUnanswered:
		return "Unanswered"
	case conversations.OnlyFree:
		return "Nobody has them"
	case conversations.OnlyHeld:
		return "Held until the opening"
	default:
		return "All"
	}
}

// questionOf reads the question from a URL. What it does not know is no choice.
func questionOf(values url.Values) question {
	q := question{Number: sms.PhoneNumber(values.Get("number")), Only: conversations.Only(values.Get("only")), After: values.Get("after")}
	if !q.Only.IsKnown() {
		q.Only = ""
	}
	return q
}

// path returns the URL of the question.
func (q question) path() string {
	values := url.Values{}
	for name, value := range map[string]string{"number": string(q.Number), "only": string(q.Only), "after": q.After} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return Path
	}
	return Path + "?" + values.Encode()
}

// choice is a link that narrows what the page shows, and how many are behind it.
type choice struct {
	Label, Path string
	Count       int
	Chosen      bool
}

// list is the page: who waits, the choices, and the page after it.
type list struct {
	People         []conversations.Shown
	Numbers, Onlys []choice
	// Path is the page's own, First that of the first page, Next that of the next one, empty if this is the last.
	Path, First, Next string
	// IsLater says that others come before those on the page.
	IsLater bool
	// Did says what was done on the page before, Refused why nothing was, and About whom that is about.
	Did, Refused string
	About        conversations.Shown
	// Ways are the routes.
	Ways map[sms.PhoneNumber]route.Route
	Now  time.Time
}

// listOf answers the question from all who wait, who are in the order of [conversations.Urgency]. The counts of the one filter are of what
// the other filter leaves.
func listOf(all []conversations.Shown, numbers []sms.PhoneNumber, q question, now time.Time) list {
	l := list{Path: q.path(), First: question{Number: q.Number, Only: q.Only}.path(), Now: now}
	count := func(number sms.PhoneNumber, o conversations.Only) (n int) {
		for _, c := range all {
			if (number == "" || c.TwilioNumber == number) && o.Takes(c) {
				n++
			}
		}
		return n
	}
	for _, o := range conversations.Onlys() {
		l.Onlys = append(l.Onlys, choice{label(o), question{Number: q.Number, Only: o}.path(), count(q.Number, o), o == q.Only})
	}
	if len(numbers) > 1 {
		l.Numbers = append(l.Numbers, choice{"All numbers", question{Only: q.Only}.path(), count("", q.Only), q.Number == ""})
		for _, n := range numbers {
			l.Numbers = append(l.Numbers, choice{string(n), question{Number: n, Only: q.Only}.path(), count(n, q.Only), n == q.Number})
		}
	}
	_, l.IsLater = conversations.PlaceOf(q.After)
	var next string
	l.People, next = conversations.PageOf(all, func(c conversations.Shown) bool {
		return (q.Number == "" || c.TwilioNumber == q.Number) && q.Only.Takes(c)
	}, q.After, pageSize)
	if next != "" {
		l.Next = question{q.Number, q.Only, next}.path()
	}
	return l
}

// IsAbout reports whether what was refused is about somebody.
func (l list) IsAbout(c conversations.Shown) bool {
	return l.Refused != "" && c.TwilioNumber == l.About.TwilioNumber && sms.Same(c.Customer, l.About.Customer)
}

// IsElsewhere reports whether what was refused is about somebody who is not on the page.
func (l list) IsElsewhere() bool { return l.Refused != "" && !slices.ContainsFunc(l.People, l.IsAbout) }

// waiting shows who waits for an answer.
func (c *Console) waiting(v *visit) error {
	return c.showWaiting(v, questionOf(v.R.URL.Query()), nil)
}

// showWaiting shows who waits as things are now: after a refusal with why, next to whom it is about. Such a page does not change by itself.
func (c *Console) showWaiting(v *visit, q question, refused *webfiles.RefusalError) error {
	ctx := v.R.Context()
	live := v.live(q.path(), q.Number, "")
	routes, _, err := route.Readable(c.Relay.Routes.List(ctx))
	if err != nil {
		return err
	}
	numbers, ways := make([]sms.PhoneNumber, 0, len(routes)), map[sms.PhoneNumber]route.Route{}
	var all []conversations.Shown
	for _, r := range routes {
		numbers, ways[r.TwilioNumber] = append(numbers, r.TwilioNumber), r
		some, err := c.Relay.Customers(c.Now).Waiting(ctx, r.TwilioNumber)
		if err != nil {
			return err
		}
		all = append(all, some...)
	}
	slices.Sort(numbers)
	slices.SortFunc(all, conversations.Urgency)
	l := listOf(all, numbers, q, c.Now())
	l.Ways, l.Did = ways, done(v.R.URL.Query().Get("did")).words()
	f := v.frame("Who is waiting?")
	if refused == nil {
		f.Live = live
		return v.Show(http.StatusOK, waitingPage(f, l))
	}
	l.Refused = refused.Words
	l.About.TwilioNumber, l.About.Customer = v.named()
	return v.Show(refused.Status, waitingPage(f, l))
}

// nameOf is what a customer is called for people.
func nameOf(c conversations.Shown) string { return cmp.Or(c.Name, string(c.Customer)) }

// customerPath returns the URL of the page of a customer.
func customerPath(c conversations.Shown) string {
	return pathCustomer + "?" + url.Values{"number": {string(c.TwilioNumber)}, "customer": {string(c.Customer)}}.Encode()
}
