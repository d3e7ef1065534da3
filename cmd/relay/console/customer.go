package console

import (
	"crypto/rand"
	"net/http"
	"net/url"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"
	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// textsShown is how many texts the page of a customer has.
const textsShown = 20

// details is the page of one customer.
type details struct {
	conversations.Details
	hands

	// HasWords says that the texts' words are there.
	HasWords bool
	// Did says what was done, Refused why nothing was, and Draft is what was to be written then.
	Did, Refused, Draft string
	// HasPictures: pictures can go with an answer.
	HasPictures bool
	// Key is the same for each time that the page's answer is sent.
	Key string
	Now time.Time
}

// IsPaused reports whether texts wait because so many went back and forth.
func (d details) IsPaused() bool {
	return slices.ContainsFunc(d.Details.Phones, func(p conversations.Phone) bool { return !p.PausedUntil.IsZero() })
}

// MayBeAnswered reports whether Twilio would let a text through to the customer.
func (d details) MayBeAnswered() bool {
	problem, _ := d.Customer.Problem()
	return problem == "" && (d.OptOut == nil || !d.OptOut.OptedOut)
}

// shownBecause is why a customer's page is shown, if not for itself.
type shownBecause struct {
	// reader is who reads the words; empty shows none.
	reader string
	// refused is why something was not done, nil if nothing was to be.
	refused *webfiles.RefusalError
	draft   string
	// isLive: the page is kept up to date. What somebody reads, or has written, stays.
	isLive bool
}

// customer shows a customer, without the words of texts.
func (c *Console) customer(v *visit) error {
	return c.showCustomer(v, v.R.URL.Query(), shownBecause{isLive: true})
}

// words shows a customer with the words. It is a form, and no link: each look goes on record.
func (c *Console) words(v *visit) error {
	return c.showCustomer(v, v.R.PostForm, shownBecause{reader: v.person.Name})
}

func (c *Console) showCustomer(v *visit, named url.Values, why shownBecause) error {
	ctx := v.R.Context()
	number, customer := sms.PhoneNumber(named.Get("number")), sms.PhoneNumber(named.Get("customer"))
	live := v.live(customerPath(conversations.Shown{TwilioNumber: number, Customer: customer}), number, customer)
	kept, err := c.Relay.Conversations.Get(ctx, number, customer)
	if err != nil {
		return err
	}
	if kept.Version == 0 {
		return webfiles.Refuse(http.StatusNotFound, "Nothing is kept of this customer.")
	}
	all, err := c.Relay.Customers(c.Now).Detail(ctx, kept, conversations.Wanted{Texts: textsShown, Reader: why.reader})
	if err != nil {
		return err
	}
	routes, err := c.Relay.Routes.Lookup(ctx, number.Spellings()...)
	if err != nil {
		return err
	}
	way, _ := route.Find(routes, number)
	d := details{
		Details: all, hands: handsOf(way, all.Shown, v.person, c.Now()), HasWords: why.reader != "",
		Did: done(v.R.URL.Query().Get("did")).words(), Draft: why.draft, Key: rand.Text(), Now: c.Now(),
		HasPictures: c.API.Pictures != nil,
	}
	status := http.StatusOK
	if why.refused != nil {
		status, d.Did, d.Refused = why.refused.Status, "", why.refused.Words
	}
	f := v.frame(nameOf(all.Shown))
	if why.isLive {
		f.Live = live
	}
	return v.Show(status, customerPage(f, d))
}
