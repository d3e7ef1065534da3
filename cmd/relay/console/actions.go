package console

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// done is what was done, as the address of the page says that is shown then.
type done string

const (
	wasTaken     done = "taken"
	wasGiven     done = "given"
	isUncertain  done = "uncertain"
	wasAnswered  done = "answered"
	wasDone      done = "done"
	wasBlocked   done = "blocked"
	wasUnblocked done = "unblocked"
	wasNamed     done = "named"
	wasResumed   done = "resumed"
)

// words says what was done; empty for what is not known.
func (d done) words() string {
	return map[done]string{
		wasTaken: "You have the customer now.", wasGiven: "The customer is handed over.",
		isUncertain: "The relay has the order, and has not carried it out yet. Look again in a moment.",
		wasAnswered: "Your answer is on its way. The list below shows what becomes of it.",
		wasDone:     "Nothing more is to be done for the customer.", wasBlocked: "No text of the customer goes to a phone any more.",
		wasUnblocked: "The customer's texts go to the phones again, from the next one on.", wasNamed: "The name is kept.",
		wasResumed: "The texts that waited go on within three minutes.",
		wasResent:  "They are on the queue, and are sent again. The page of each text says what happens to it.",
		wasSettled: "The text is marked as sent.", wasGivenUp: "The text is left alone. Below you can still decide otherwise.",
		wasExamined: "The relay is being examined.",
		wasOrdered:  "The text is on the queue, and is sent again.", wasRedriven: "The letters are on their way back to the queue.",
		userAdded: "The user may sign in now.", userChanged: "The user is changed.", userRemoved: "The user is removed.",
		dutyChanged: "It is in force.", dutyUnchanged: "It was like this already: nothing is changed.",
		userSignedOut: "The user is signed out everywhere.", passwordSet: "The user has another password, and is signed out everywhere.",
	}[d]
}

// action does something about the customer whom a form names, and says what was done.
type action func(c *Console, v *visit) (done, error)

// about does what a form asks, and shows the page that the form is of. What speaks against it is said there, on the list or on the
// customer's page, which shows how things are now.
func (c *Console) about(do action) func(v *visit) error {
	return func(v *visit) error {
		what, err := do(c, v)
		refused, isRefusal := errors.AsType[webfiles.RefusalError](err)
		switch {
		case isRefusal && refused.Status < http.StatusInternalServerError && refused.Status != http.StatusNotFound:
			if list, isOf := v.list(); isOf {
				return c.showWaiting(v, questionOf(list.Query()), &refused)
			}
			return c.showCustomer(v, v.R.PostForm, shownBecause{refused: &refused, draft: v.R.PostForm.Get("body")})
		case err != nil:
			return err
		}
		v.GoTo(v.after(what))
		return nil
	}
}

// after returns where the browser goes when something is done: back to the list, or to the customer's page.
func (v *visit) after(what done) string {
	form := v.R.PostForm
	if list, isOf := v.list(); isOf {
		query := list.Query()
		query.Set("did", string(what))
		return Path + "?" + query.Encode()
	}
	return pathCustomer + "?" + url.Values{
		"number": {form.Get("number")}, "customer": {form.Get("customer")}, "did": {string(what)},
	}.Encode()
}

// list returns the list that a form is of; isOf is false if it is of another page.
func (v *visit) list() (list *url.URL, isOf bool) {
	list, err := url.Parse(v.R.PostForm.Get("back"))
	return list, err == nil && list.EscapedPath() == Path && list.Host == "" && list.Scheme == ""
}

// named returns whom a form is about.
func (v *visit) named() (number, customer sms.PhoneNumber) {
	return sms.PhoneNumber(v.R.PostForm.Get("number")), sms.PhoneNumber(v.R.PostForm.Get("customer"))
}

// take gives the customer to the person's own phone.
func (c *Console) take(v *visit) (done, error) {
	if v.person.Phone == "" {
		return "", webfiles.Refuse(http.StatusConflict, "You have no phone on duty here. An owner can say which one is yours.")
	}
	return c.giveTo(v, v.person.Phone, true, wasTaken)
}

// give hands the customer over to a phone.
func (c *Console) give(v *visit) (done, error) {
	return c.giveTo(v, v.R.PostForm.Get("phone"), false, wasGiven)
}

func (c *Console) giveTo(v *visit, phone string, isMine bool, what done) (done, error) {
	number, customer := v.named()
	status, err := v.api().send(http.MethodPost, operations.PathGive, operations.GiveRequest{
		TwilioNumber: number, Customer: customer, Phone: phone, From: sms.PhoneNumber(v.R.PostForm.Get("from")), Mine: isMine,
	})
	if status == http.StatusAccepted {
		what = isUncertain
	}
	return what, err
}

// finish ends the waiting of a customer whom somebody has seen to.
func (c *Console) finish(v *visit) (done, error) {
	number, customer := v.named()
	_, err := v.api().send(http.MethodPost, operations.PathDone, operations.DoneRequest{
		TwilioNumber: number, Customer: customer, NewestSid: v.R.PostForm.Get("newest"),
	})
	return wasDone, err
}

func (c *Console) block(v *visit) (done, error) {
	number, customer := v.named()
	_, err := v.api().send(http.MethodPut, operations.PathBlocks, operations.BlockRequest{TwilioNumber: number, Customer: customer})
	return wasBlocked, err
}

func (c *Console) unblock(v *visit) (done, error) {
	number, customer := v.named()
	return wasUnblocked, v.api().remove(operations.PathBlocks, url.Values{"number": {string(number)}, "customer": {string(customer)}})
}

// rename gives the customer a name, or takes it away.
func (c *Console) rename(v *visit) (done, error) {
	number, customer := v.named()
	name := strings.TrimSpace(v.R.PostForm.Get("name"))
	if name == "" {
		return wasNamed, v.api().remove(operations.PathContacts, url.Values{"number": {string(number)}, "customer": {string(customer)}})
	}
	_, err := v.api().send(http.MethodPut, operations.PathContacts, operations.ContactRequest{
		TwilioNumber: number, Customer: customer, Name: name,
	})
	return wasNamed, err
}

func (c *Console) resume(v *visit) (done, error) {
	number, customer := v.named()
	_, err := v.api().send(http.MethodPost, operations.PathResume, operations.ResumeRequest{TwilioNumber: number, Customer: customer})
	return wasResumed, err
}

// answer writes to the customer, with pictures if there are any. A form that is sent twice is one text.
func (c *Console) answer(v *visit) (done, error) {
	number, customer := v.named()
	pictures, err := v.pictures()
	if err != nil {
		return "", err
	}
	_, err = v.api().send(http.MethodPost, operations.PathReply, operations.ReplyRequest{
		TwilioNumber: number, Customer: customer, Body: strings.ReplaceAll(v.R.PostForm.Get("body"), "\r\n", "\n"),
		Pictures: pictures, SeenSid: v.R.PostForm.Get("newest"),
		IdempotencyKey: "console " + v.person.Name + " " + v.R.PostForm.Get("key"),
	})
	if refused, ok := errors.AsType[webfiles.RefusalError](err); ok && strings.HasPrefix(refused.Words, "Idempotency_key") {
		err = webfiles.Refuse(http.StatusConflict, "This form was sent before, with other words, and those are on their way. "+
			"To send these, too, press the button again.")
	}
	return wasAnswered, err
}
