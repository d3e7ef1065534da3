package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"

	"quickdumpnow.com/smsrelay/cmd/relay/checkup"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	// lostFor is how far back texts that reached nobody are looked for, as relay doctor does.
	lostFor = 24 * time.Hour
	// needsShown is how many of a kind are on the page, maxNeeds how many are read.
	needsShown = 50
	maxNeeds   = 1000
	// countedFor is how long the count in the navigation stays as it is.
	countedFor = 15 * time.Second
)

// What was done about a text.
const (
	wasResent   done = "resent"
	wasSettled  done = "settled"
	wasGivenUp  done = "given-up"
	wasOrdered  done = "ordered"
	wasRedriven done = "redriven"
)

// needs is the page of what needs somebody.
type needs struct {
	// Lost are the texts that reached nobody, with what would happen to each if it were sent again.
	Lost operations.Resending
	// Doubts are uncertain texts, and GivenUp those that somebody decided to leave alone.
	Doubts, GivenUp []ledger.Record
	Dead            operations.DeadLetters
	Unanswered      []conversations.Shown
	OptedOut        []optedOut
	// Failed is what the last examination found.
	Failed []checkup.Finding
	// Examined says when that was; empty where the relay cannot be examined.
	Examined string
	// MoreLost is how many more texts reached nobody.
	MoreLost int
	Count    int

	Did, Refused, Because string
	Now                   time.Time
}

// optedOut is a phone on duty that gets no texts of a number, because its person said so.
type optedOut struct {
	Number, Phone sms.PhoneNumber
	Name          string
}

// IsMoving reports whether dead letters are being moved.
func (n needs) IsMoving() bool { return n.Dead.Run != nil && n.Dead.Run.EndedAt.IsZero() }

// CostOf says what segments cost, about.
func costOf(segments int) string {
	return fmt.Sprintf("%s, about %.2f US dollars at list price", cli.Plural(segments, "segment"), float64(segments)*cli.ListPrice)
}

// doubtOf returns the attempt of an uncertain text that nobody knows the outcome of.
func doubtOf(r ledger.Record) ledger.Attempt {
	for i := len(r.Attempts) - 1; i >= 0; i-- {
		if r.Attempts[i].Unknown() {
			return r.Attempts[i]
		}
	}
	return ledger.Attempt{}
}

func (c *Console) needPages() map[string]page {
	return map[string]page{
		"GET " + pathNeeds:      {signin.Viewer, c.needs},
		"POST " + pathResend:    {signin.Dispatcher, c.mend((*Console).resend)},
		"POST " + pathUncertain: {signin.Dispatcher, c.mend((*Console).decide)},
		"POST " + pathRedrive:   {signin.Dispatcher, c.mend((*Console).redrive)},
	}
}

// needs shows what needs somebody.
func (c *Console) needs(v *visit) error {
	return c.showNeeds(v, http.StatusOK, needs{Did: done(v.R.URL.Query().Get("did")).words()})
}

func (c *Console) showNeeds(v *visit, status int, n needs) error {
	n.Now = c.Now()
	if err := c.findTexts(v, &n); err != nil {
		return err
	}
	routes, err := c.findWaiting(v.R.Context(), &n)
	if err != nil {
		return err
	}
	n.OptedOut, n.Failed, n.Examined = optedOutOf(routes), c.exam.failed(), c.examined(v)
	dead := len(n.Dead.Letters) + n.Dead.NotShown
	if n.IsMoving() {
		dead = n.Dead.Run.Moving - n.Dead.Run.Moved
	}
	n.Count = len(n.Lost.Texts) + n.MoreLost + len(n.Doubts) + dead + len(n.Unanswered) + len(n.OptedOut) + len(n.Failed)
	c.needed.keep(n.Count, n.Now)
	return v.Show(status, needsPage(v.frame("What needs me?"), n))
}

// findTexts finds the texts that reached nobody, are uncertain or dead.
func (c *Console) findTexts(v *visit, n *needs) error {
	ctx := v.R.Context()
	lost, err := target.Lost(ctx, c.Relay.Ledger, ledger.Query{Since: n.Now.Add(-lostFor)}, maxNeeds)
	if err != nil {
		return err
	}
	n.MoreLost = max(0, len(lost)-needsShown)
	if lost = lost[:min(needsShown, len(lost))]; len(lost) > 0 {
		order := operations.ResendOrder{DryRun: true}
		for _, r := range lost {
			order.MessageSids = append(order.MessageSids, r.MessageSid)
		}
		if err := v.api().order(operations.PathResend, order, &n.Lost); err != nil {
			return err
		}
	}
	page, err := c.Relay.Ledger.List(ctx, ledger.Query{State: ledger.Uncertain, Limit: ledger.MaxLimit})
	if err != nil {
		return err
	}
	for _, r := range page.Records {
		if r.Reason == ledger.ReasonGivenUp {
			n.GivenUp = append(n.GivenUp, r)
		} else {
			n.Doubts = append(n.Doubts, r)
		}
	}
	return v.api().get(operations.PathDeadLetters, nil, &n.Dead)
}

// findWaiting finds the customers whom nobody has answered, and returns the routes.
func (c *Console) findWaiting(ctx context.Context, n *needs) ([]route.Route, error) {
	routes, _, err := route.Readable(c.Relay.Routes.List(ctx))
	for _, r := range routes {
		if err != nil {
			break
		}
		var some []conversations.Shown
		some, err = c.Relay.Customers(c.Now).Waiting(ctx, r.TwilioNumber)
		for _, one := range some {
			if one.IsUnanswered() {
				n.Unanswered = append(n.Unanswered, one)
			}
		}
	}
	return routes, err
}

// optedOutOf lists the phones that have opted out of a route's number.
func optedOutOf(routes []route.Route) (all []optedOut) {
	for _, r := range routes {
		for _, phone := range r.AllPhones() {
			if r.Active && r.IsOptedOut(phone) {
				all = append(all, optedOut{r.TwilioNumber, phone, r.NameOf(phone)})
			}
		}
	}
	return all
}

// counted is how many things need somebody, as somebody found last.
type counted struct {
	mu sync.Mutex
	n  int
	at time.Time
}

func (c *counted) keep(n int, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n, c.at = n, now
}

// count returns the count, as look says if it is old; 0 if that cannot be said.
func (c *counted) count(now time.Time, look func() (int, error)) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.at.IsZero() && now.Sub(c.at).Abs() < countedFor {
		return c.n
	}
	n, err := look()
	if err != nil {
		return 0
	}
	c.n, c.at = n, now
	return n
}

// countNeeds counts what needs somebody, without reading a dead letter.
func (c *Console) countNeeds(ctx context.Context) (int, error) {
	var n needs
	lost, err := target.Lost(ctx, c.Relay.Ledger, ledger.Query{Since: c.Now().Add(-lostFor)}, maxNeeds)
	if err != nil {
		return 0, err
	}
	page, err := c.Relay.Ledger.List(ctx, ledger.Query{State: ledger.Uncertain, Limit: ledger.MaxLimit})
	if err != nil {
		return 0, err
	}
	dead, err := c.Relay.Ledger.List(ctx, ledger.Query{State: ledger.Dead, Limit: ledger.MaxLimit})
	if err != nil {
		return 0, err
	}
	routes, err := c.findWaiting(ctx, &n)
	count := len(lost) + len(dead.Records) + len(n.Unanswered) + len(optedOutOf(routes)) + len(c.exam.failed())
	for _, r := range page.Records {
		if r.Reason != ledger.ReasonGivenUp {
			count++
		}
	}
	return count, err
}

// mend does what a form says about a text, and shows the page: with what was done, or why it was not.
func (c *Console) mend(do action) func(v *visit) error {
	return func(v *visit) error {
		what, err := do(c, v)
		refused, isRefusal := errors.AsType[webfiles.RefusalError](err)
		switch {
		case isRefusal && refused.Status < http.StatusInternalServerError:
			return c.showNeeds(v, refused.Status, needs{Refused: refused.Words, Because: v.R.PostForm.Get("because")})
		case err != nil:
			return err
		}
		v.GoTo(pathNeeds + "?" + url.Values{"did": {string(what)}}.Encode())
		return nil
	}
}

// resend sends the texts again that were chosen.
func (c *Console) resend(v *visit) (done, error) {
	if len(v.R.PostForm["sid"]) == 0 {
		return "", webfiles.Refuse(http.StatusUnprocessableEntity, "Choose at least one text.")
	}
	var became operations.Resending
	err := v.api().order(operations.PathResend, operations.ResendOrder{
		MessageSids: v.R.PostForm["sid"], Because: strings.TrimSpace(v.R.PostForm.Get("because")),
	}, &became)
	if err == nil && became.Ordered == 0 {
		err = webfiles.Refuse(http.StatusConflict, "None of them was sent again. The list says why.")
	}
	return wasResent, err
}

// decide writes down what somebody decided about an uncertain text.
func (c *Console) decide(v *visit) (done, error) {
	form := v.R.PostForm
	order := operations.DecideOrder{
		MessageSid: form.Get("sid"), Decision: ledger.Verdict(form.Get("decision")), Because: strings.TrimSpace(form.Get("because")),
	}
	if order.Decision == ledger.VerdictSent {
		order.SentSid = strings.TrimSpace(form.Get("sent"))
	}
	what := map[ledger.Verdict]done{ledger.VerdictSent: wasSettled, ledger.VerdictGiveUp: wasGivenUp, ledger.VerdictResend: wasOrdered}
	return what[order.Decision], v.api().order(operations.PathUncertain, order, nil)
}

// redrive begins to move the dead letters back to the queue.
func (c *Console) redrive(v *visit) (done, error) {
	return wasRedriven, v.api().order(operations.PathDeadLetters, operations.RedriveOrder{}, nil)
}
