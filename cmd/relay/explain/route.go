package explain

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// routeFlags are the flags of explain route.
type routeFlags struct {
	from, to, body, at string
	asJSON             bool
	numbers            cli.NumberFlags
}

func (p program) routeCommand() *cobra.Command {
	var f routeFlags
	cmd := &cobra.Command{
		Use:   "route --from CUSTOMER --to NUMBER",
		Short: "Where a text of a customer would go, now or at another time",
		Long: `route says where a text would go if a customer sent it to a number: which phones are on duty then, in which order they are tried,
and until when. The sender's own code decides. Nothing is sent or changed.

--at says when the text comes in, by the clocks of the route's time zone. Who has opted out, and who has the customer, counts as it is
kept now.`,
		Example: `  relay explain route --from +13125550147 --to +18585550100
  relay explain route --from +13125550147 --to +18585550100 --at "Sat 22:30"`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.explainRoute(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "the customer who writes")
	flags.StringVar(&f.to, "to", "", "the Twilio number that they write to")
	flags.StringVar(&f.body, "body", "Hello", "what they write")
	flags.StringVar(&f.at, "at", "", "when the text comes in: "+cli.AheadHelp+" (default now)")
	cli.AddJSON(flags, &f.asJSON, "where the text would go, and who is on duty")
	f.numbers.Add(flags)
	cli.AddTarget(flags)
	return cmd
}

func (p program) explainRoute(cmd *cobra.Command, f routeFlags) error {
	for _, flag := range []string{"from", "to"} {
		if !cmd.Flags().Changed(flag) {
			return cli.Usage(fmt.Errorf("--%s is missing", flag))
		}
	}
	from, _, err := f.numbers.ReadSender(f.from)
	if err != nil {
		return err
	}
	to, err := f.numbers.ReadFlag("to", f.to)
	if err != nil {
		return err
	}
	return p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) error {
		book := route.NewCache(d.Routes, time.Now)
		at, err := readAhead(cmd.Context(), book, to, f.at, time.Now())
		if err != nil {
			return err
		}
		text := ledger.Record{MessageSid: wouldBe, TwilioNumber: to, Customer: from, Body: f.body}
		by := delivery.Foreseeing{Records: d.Ledger, Routes: book, Conversations: d.Conversations}
		explained, err := foreseeRoute(cmd.Context(), by, text, at)
		if err != nil {
			return err
		}
		if f.asJSON {
			return json.NewEncoder(p.Stdout).Encode(explained)
		}
		explained.write(p.Stdout)
		return nil
	})
}

// readAhead reads the flag --at by the clocks of the number's route: a moment after now, or now.
func readAhead(ctx context.Context, routes route.Lookup, number sms.PhoneNumber, text string, now time.Time) (time.Time, error) {
	found, err := routes.Lookup(ctx, number.Spellings()...)
	if err != nil {
		return time.Time{}, err
	}
	way, _ := route.Find(found, number)
	place, err := way.Place()
	if err != nil {
		return time.Time{}, fmt.Errorf("the time zone of %s: %w", string(number), err)
	}
	at, err := cli.ReadAhead(text, now.In(place))
	if err != nil {
		return time.Time{}, cli.Usage(fmt.Errorf("--at: %w", err))
	}
	return ledger.Stamp(at).In(place), nil
}

// foreseeRoute says where a new text would go that comes in at that moment.
func foreseeRoute(ctx context.Context, by delivery.Foreseeing, text ledger.Record, at time.Time) (explainedRoute, error) {
	text.ReceivedAt, text.UpdatedAt = at.UTC(), at.UTC()
	seen, err := by.Route(ctx, text, text.ReceivedAt)
	return explainedRouteOf(seen, text.Customer, text.TwilioNumber, at), err
}

// explainedRoute is where a text of a customer would go, as JSON.
type explainedRoute struct {
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Customer     sms.PhoneNumber `json:"customer"`
	At           time.Time       `json:"at"`
	TimeZone     string          `json:"time_zone"`
	// Answer: the text would be an answer of a phone of the number.
	Answer bool `json:"answer"`
	// Drop is the reason for which nobody would get the text, empty if somebody would.
	Drop ledger.Reason `json:"drop,omitempty"`
	// Scheduled: who is on duty depends on the time. Open: somebody is on duty. Until is when that changes next.
	Scheduled bool      `json:"scheduled"`
	Open      bool      `json:"open"`
	Until     time.Time `json:"until,omitzero"`
	// Phones are tried in this order. SameTime: as many of them, from the first on, get the text at the same time; 0 if none do.
	SameTime int              `json:"at_the_same_time,omitempty"`
	Phones   []explainedPhone `json:"phones"`
	// Off are the phones that are off duty then, and would not get it.
	Off []explainedOff `json:"off,omitempty"`
	// Unverified are the phones that have yet to be verified, and would not get it.
	Unverified []shownUnverified `json:"unverified,omitempty"`
	ExpiresAt  time.Time         `json:"expires_at,omitzero"`
	// HeldUntil is until when the text would be held because no phone may get it; absent if it would not be. HeldFor says why: nobody is on
	// duty ("closed"), or each phone that would get it has yet to be verified ("unverified").
	HeldUntil time.Time     `json:"held_until,omitzero"`
	HeldFor   ledger.Reason `json:"held_for,omitempty"`
	// AutoAnswer is what the relay itself would answer the customer because nobody is on duty; absent if it would not answer.
	AutoAnswer string `json:"auto_answer,omitempty"`
	// hasAutoAnswer: the route has such an answer, and is closed.
	hasAutoAnswer bool
}

// explainedPhone is a phone that a text may go to.
type explainedPhone struct {
	Name     string          `json:"name,omitempty"`
	Number   sms.PhoneNumber `json:"number"`
	OptedOut bool            `json:"opted_out"`
	// HasCustomer: it has the conversation, so it comes first.
	HasCustomer bool `json:"has_customer"`
}

// shownUnverified is a phone that has yet to be verified.
type shownUnverified struct {
	Name   string          `json:"name,omitempty"`
	Number sms.PhoneNumber `json:"number"`
}

// explainedOff is a phone that is off duty for a time.
type explainedOff struct {
	Name   string          `json:"name,omitempty"`
	Number sms.PhoneNumber `json:"number"`
	Until  time.Time       `json:"until"`
}

func explainedRouteOf(seen delivery.ForeseenRoute, from, to sms.PhoneNumber, at time.Time) explainedRoute {
	p := seen.Plan
	e := explainedRoute{
		TwilioNumber: to, Customer: from, At: at, TimeZone: at.Location().String(), Answer: p.IsAnswer, Drop: p.Drop,
		Scheduled: seen.Way.IsScheduled(), Open: seen.Duty.IsOpen, SameTime: len(p.Ring),
		Phones: []explainedPhone{}, AutoAnswer: seen.AutoAnswer,
		hasAutoAnswer: seen.Way.AutoAnswer.Closed != "" && seen.Way.IsClosed(at),
	}
	if !seen.Duty.Until.IsZero() {
		e.Until = seen.Duty.Until.In(at.Location())
	}
	switch {
	case p.Drop != "" || p.IsAnswer:
	case !p.Holds.IsZero():
		e.HeldUntil, e.HeldFor = p.Holds.In(at.Location()), p.HeldFor
		if e.ExpiresAt = e.HeldUntil; p.HeldFor == ledger.ReasonClosed {
			e.ExpiresAt = e.HeldUntil.Add(seen.Way.TextAge())
		}
	default:
		e.ExpiresAt = p.Expires.In(at.Location())
	}
	for _, phone := range p.Open {
		e.Phones = append(e.Phones, explainedPhone{
			Name: seen.Way.NameOf(phone), Number: phone, OptedOut: seen.Way.IsOptedOut(phone),
			HasCustomer: seen.Claimer != "" && sms.Same(phone, seen.Claimer),
		})
	}
	for _, o := range seen.Way.StillOff(seen.Way.Off, at) {
		e.Off = append(e.Off, explainedOff{Name: seen.Way.NameOf(o.Phone), Number: o.Phone, Until: o.Until.In(at.Location())})
	}
	for _, v := range seen.Way.Verifications {
		if v.VerifiedAt.IsZero() {
			e.Unverified = append(e.Unverified, shownUnverified{Name: seen.Way.NameOf(v.Phone), Number: v.Phone})
		}
	}
	return e
}

// momentForm is how a moment by the clocks of a place is written.
const momentForm = "Mon 2006-01-02 15:04"

// write says it for people.
func (e explainedRoute) write(out io.Writer) {
	number := string(e.TwilioNumber)
	switch {
	case e.Answer:
		cli.Say(out, "%s is a phone of %s: relay explain answer says what would become of its text.", string(e.Customer), number)
		return
	case e.Drop != "":
		cli.Say(out, "It would be dropped (%s); relay explain reason %s says why.", e.Drop, e.Drop)
		return
	}
	if e.Scheduled {
		is, until := "closed: nobody is on duty", ""
		if e.Open {
			is = "open"
		}
		if !e.Until.IsZero() {
			until = ", until " + e.Until.Format(momentForm)
		}
		cli.Say(out, "%s (%s): %s is %s%s.", e.At.Format(momentForm), e.TimeZone, number, is, until)
	}
	for i, phone := range e.Phones {
		how := "The text would go to"
		switch {
		case i == 0:
		case i < e.SameTime:
			how = "At the same time, to"
		case i == e.SameTime:
			how = "If all of them fail, to"
		default:
			how = "If that fails, to"
		}
		about := ""
		if phone.OptedOut {
			about = ", which has opted out: Twilio would refuse it"
		}
		if phone.HasCustomer {
			about += ", which has the customer"
		}
		cli.Say(out, "%s %s%s.", how, strings.TrimSpace(phone.Name+" "+string(phone.Number)), about)
	}
	e.writeOthers(out)
	switch {
	case e.HeldFor == ledger.ReasonClosed:
		cli.Say(out, "The text would be held until %s, and then go to whoever is on duty.", e.HeldUntil.Format(momentForm))
	case e.HeldFor == ledger.ReasonUnverified:
		cli.Say(out, "The text would be held until a phone is verified, at most until %s.", e.HeldUntil.Format(momentForm))
		return
	case len(e.Phones) == 0:
		cli.Say(out, "There is no phone that the text could go to.")
	}
	switch {
	case e.AutoAnswer != "":
		cli.Say(out, "The relay itself would answer: %s", e.AutoAnswer)
	case e.hasAutoAnswer:
		cli.Say(out, "The relay itself would not answer this customer now: it did today, or it may not (docs/operate.md says when).")
	}
	cli.Say(out, "It is too old to be sent after %s.", e.ExpiresAt.Format(momentForm))
}

// writeOthers says which phones would not get the text, though they may be on duty.
func (e explainedRoute) writeOthers(out io.Writer) {
	for _, o := range e.Off {
		cli.Say(out, "%s is off duty until %s.", strings.TrimSpace(o.Name+" "+string(o.Number)), o.Until.Format(momentForm))
	}
	for _, phone := range e.Unverified {
		cli.Say(out, "%s is not verified: it gets no texts before it has answered a code.",
			strings.TrimSpace(phone.Name+" "+string(phone.Number)))
	}
}
