package console

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/conversations"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
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
	Only only
	// After is the last one of the page before, as [cursorOf] writes it.
	After string
}

// only is a choice among those who wait.
type only string

const (
	onlyUnanswered only = "unanswered"
	onlyFree       only = "free"
	onlyHeld       only = "held"
)

// onlys lists the choices, the first is no choice.
func onlys() []only { return []only{"", onlyUnanswered, onlyFree, onlyHeld} }

func (o only) label() string {
	switch o {
	case onlyUnanswered:
		return "Unanswered"
	case onlyFree:
		return "Nobody has them"
	case onlyHeld:
		return "Held until the opening"
	default:
		return "All"
	}
}

// takes reports whether somebody who waits is among the choice.
func (o only) takes(c conversations.Shown) bool {
	switch o {
	case onlyUnanswered:
		return c.IsUnanswered()
	case onlyFree:
		return c.ClaimedBy() == ""
	case onlyHeld:
		return c.Held != nil
	default:
		return true
	}
}

// questionOf reads the question from a URL. What it does not know is no choice.
func questionOf(values url.Values) question {
	q := question{Number: sms.PhoneNumber(values.Get("number")), Only: only(values.Get("only")), After: values.Get("after")}
	if !slices.Contains(onlys(), q.Only) {
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

// cursorOf says where somebody is in the order of [conversations.Urgency].
func cursorOf(c conversations.Shown) string {
	return fmt.Sprintf("%t_%d_%s_%s", c.IsUnanswered(), c.Since().UnixNano(), string(c.TwilioNumber), string(c.Customer))
}

// placeOf reads a cursor: somebody who is in that place, and nothing else. ok is false for what is no cursor.
func placeOf(cursor string) (c conversations.Shown, ok bool) {
	parts := strings.Split(cursor, "_")
	if len(parts) != 4 {
		return c, false
	}
	unanswered, flagErr := strconv.ParseBool(parts[0])
	nanos, timeErr := strconv.ParseInt(parts[1], 10, 64)
	if flagErr != nil || timeErr != nil {
		return c, false
	}
	c = conversations.Shown{TwilioNumber: sms.PhoneNumber(parts[2]), Customer: sms.PhoneNumber(parts[3])}
	c.Waiting = &operations.Waiting{Since: time.Unix(0, nanos), Unanswered: unanswered}
	return c, true
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
	Now     time.Time
}

// listOf answers the question from all who wait, who are in the order of [conversations.Urgency]. The counts of the one filter are of what
// the other filter leaves.
func listOf(all []conversations.Shown, numbers []sms.PhoneNumber, q question, now time.Time) list {
	l := list{Path: q.path(), First: question{Number: q.Number, Only: q.Only}.path(), Now: now}
	count := func(number sms.PhoneNumber, o only) (n int) {
		for _, c := range all {
			if (number == "" || c.TwilioNumber == number) && o.takes(c) {
				n++
			}
		}
		return n
	}
	for _, o := range onlys() {
		l.Onlys = append(l.Onlys, choice{o.label(), question{Number: q.Number, Only: o}.path(), count(q.Number, o), o == q.Only})
	}
	if len(numbers) > 1 {
		l.Numbers = append(l.Numbers, choice{"All numbers", question{Only: q.Only}.path(), count("", q.Only), q.Number == ""})
		for _, n := range numbers {
			l.Numbers = append(l.Numbers, choice{string(n), question{Number: n, Only: q.Only}.path(), count(n, q.Only), n == q.Number})
		}
	}
	place, isLater := placeOf(q.After)
	l.IsLater = isLater
	for _, c := range all {
		if q.Number != "" && c.TwilioNumber != q.Number || !q.Only.takes(c) || isLater && conversations.Urgency(c, place) <= 0 {
			continue
		}
		if len(l.People) == pageSize {
			l.Next = question{q.Number, q.Only, cursorOf(l.People[pageSize-1])}.path()
			break
		}
		l.People = append(l.People, c)
	}
	return l
}

// waiting shows who waits for an answer.
func (c *Console) waiting(v *visit) error {
	ctx := v.r.Context()
	routes, _, err := route.Readable(c.Relay.Routes.List(ctx))
	if err != nil {
		return err
	}
	numbers := make([]sms.PhoneNumber, 0, len(routes))
	var all []conversations.Shown
	for _, r := range routes {
		numbers = append(numbers, r.TwilioNumber)
		around, err := conversations.Look(ctx, c.Relay, r.TwilioNumber)
		if err != nil {
			return err
		}
		some, err := conversations.Waiting(ctx, c.Relay, around, r.TwilioNumber)
		if err != nil {
			return err
		}
		all = append(all, some...)
	}
	slices.Sort(numbers)
	slices.SortFunc(all, conversations.Urgency)
	l := listOf(all, numbers, questionOf(v.r.URL.Query()), c.Now())
	return v.show(http.StatusOK, waitingPage(v.frame("Who is waiting?"), l))
}

// nameOf is what a customer is called for people.
func nameOf(c conversations.Shown) string { return cmp.Or(c.Name, string(c.Customer)) }

// customerPath returns the URL of the page of a customer.
func customerPath(c conversations.Shown) string {
	return pathCustomer + "?" + url.Values{"number": {string(c.TwilioNumber)}, "customer": {string(c.Customer)}}.Encode()
}
