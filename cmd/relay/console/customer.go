package console

import (
	"errors"
	"net/http"
	"net/url"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// textsShown is how many texts the page of a customer has.
const textsShown = 20

// details is the page of one customer.
type details struct {
	conversations.Details

	// HasWords says that the texts' words are there, MayAct that the person may see to customers.
	HasWords, MayAct bool
	Now              time.Time
}

// customer shows a customer, without the words of texts.
func (c *Console) customer(v *visit) error { return c.showCustomer(v, v.r.URL.Query(), "") }

// words shows a customer with the words. It is a form, and no link: each look goes on record.
func (c *Console) words(v *visit) error { return c.showCustomer(v, v.r.PostForm, v.person.Name) }

func (c *Console) showCustomer(v *visit, named url.Values, reader string) error {
	ctx := v.r.Context()
	number, customer := sms.PhoneNumber(named.Get("number")), sms.PhoneNumber(named.Get("customer"))
	kept, err := c.Relay.Conversations.Get(ctx, number, customer)
	if err != nil {
		return err
	}
	if kept.Version == 0 {
		return refusal{http.StatusNotFound, "Nothing is kept of this customer."}
	}
	all, err := c.Relay.Customers().Detail(ctx, kept, conversations.Wanted{Texts: textsShown, Reader: reader})
	if err != nil {
		return err
	}
	d := details{Details: all, HasWords: reader != "", MayAct: v.person.Role.Includes(signin.Dispatcher), Now: c.Now()}
	return v.show(http.StatusOK, customerPage(v.frame(nameOf(all.Shown)), d))
}

// done ends the waiting of a customer whom somebody has seen to.
func (c *Console) done(v *visit) error {
	form := v.r.PostForm
	_, err := c.Relay.Customers().Finish(v.r.Context(), sms.PhoneNumber(form.Get("number")), sms.PhoneNumber(form.Get("customer")),
		form.Get("newest"), v.person.Name)
	if errors.Is(err, conversations.ErrNewerText) {
		return refusal{http.StatusConflict, "The customer wrote again meanwhile. Go back, load the page again, and look at that text first."}
	}
	if err != nil {
		return err
	}
	v.goTo(Path)
	return nil
}
