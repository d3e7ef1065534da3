package forget

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/forgetting"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// shownOrder is an order as JSON.
type shownOrder struct {
	Customer string    `json:"customer"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	// DoneAt is when nothing was left; null until then.
	DoneAt *time.Time        `json:"done_at"`
	Erased forgetting.Erased `json:"erased"`
	// Waits are texts that are still needed, Messages how many messages are left at Twilio, and Unfinished how many of those Twilio says are
	// still under way. IsListed: Twilio's own list was searched.
	Waits      []forgetting.Wait `json:"waits"`
	Messages   int               `json:"messages_left_at_twilio"`
	Unfinished int               `json:"unfinished_at_twilio"`
	IsListed   bool              `json:"twilio_searched"`
	Problem    string            `json:"problem,omitempty"`
}

func show(o forgetting.Order) shownOrder {
	shown := shownOrder{
		Customer: o.Ends, By: o.By, At: o.At, Erased: o.Erased, Waits: append([]forgetting.Wait{}, o.Waits...), Messages: len(o.Messages),
		Unfinished: o.Unfinished, IsListed: o.IsListed, Problem: o.Problem,
	}
	if o.IsDone() {
		shown.DoneAt = &o.DoneAt
	}
	return shown
}

// errLeft means that something is left to do.
func errLeft(what string) error {
	return cli.Hinted(cli.Found(errors.New(what)), "relay serve goes on by itself; relay forget ls shows what is left")
}

// printOrder says what was erased, and what is left.
func (p program) printOrder(o forgetting.Order, asJSON bool, hint string) error {
	if asJSON {
		if err := json.NewEncoder(p.Stdout).Encode(show(o)); err != nil {
			return err
		}
	} else {
		e := o.Erased
		cli.Say(p.Stdout, "Erased here: %s, %s, %s. At Twilio: %s, %s.", cli.Plural(e.Texts, "text"), cli.Plural(e.Files, "attachment"),
			cli.Plural(e.Names, "name"), cli.Plural(e.Messages, "message"), cli.Plural(e.Attachments, "attachment"))
		p.printWaits(o.Waits)
		for _, line := range []string{left(o), cli.Sentence(o.Problem), hint} {
			if line != "" && !o.IsDone() {
				cli.Say(p.Stdout, "%s", line)
			}
		}
	}
	if o.IsDone() {
		return nil
	}
	return errLeft("not everything is erased yet")
}

// left says what Twilio still has.
func left(o forgetting.Order) string {
	switch {
	case !o.IsHereDone:
		return "Twilio is asked to erase its messages once nothing is left here."
	case !o.IsListed:
		return "Twilio is still to be asked which messages it has."
	case o.Unfinished > 0 && o.Unfinished == len(o.Messages):
		return fmt.Sprintf("%s left at Twilio: it says they are still under way, and is asked again.", cli.Plural(o.Unfinished, "message"))
	default:
		return fmt.Sprintf("%s left at Twilio.", cli.Plural(len(o.Messages), "message"))
	}
}

// printWaits says which texts are still needed, and what to do about them.
func (p program) printWaits(waits []forgetting.Wait) {
	for _, wait := range waits {
		name := sms.PhoneNumber(wait.MessageSid)
		switch wait.Why {
		case forgetting.WaitsForAudit:
			cli.Say(p.Stdout, "The audit log is still to get the last changes; it does while relay serve runs.")
		case ledger.KeptUncertain:
			cli.Say(p.Stdout, "%s is uncertain: decide about it first (relay uncertain).", string(name))
		case ledger.KeptDead:
			cli.Say(p.Stdout, "%s is a dead letter: send it again (relay dlq redrive), or drop it (relay dlq drop).", string(name))
		case ledger.KeptUnderWay:
			if name == "" {
				name = "A text"
			}
			cli.Say(p.Stdout, "%s is under way, and erased once it is over.", string(name))
		}
	}
}

func (p program) printOrders(orders []forgetting.Order, asJSON bool) error {
	shown, isLeft := []shownOrder{}, 0
	for _, o := range orders {
		shown = append(shown, show(o))
		if !o.IsDone() {
			isLeft++
		}
	}
	switch {
	case asJSON:
		if err := json.NewEncoder(p.Stdout).Encode(shown); err != nil {
			return err
		}
	case len(orders) == 0:
		cli.Say(p.Stdout, "No customer was forgotten.")
	default:
		table := cli.NewTable(p.Stdout, cli.Column{Title: "CUSTOMER"}, cli.Column{Title: "AT"}, cli.Column{Title: "BY", Drop: 1},
			cli.Column{Title: "TEXTS", Drop: 2}, cli.Column{Title: "LEFT", Text: true})
		for _, o := range orders {
			table.Row(o.Ends, cli.When(p.Stdout, o.At), o.By, fmt.Sprint(o.Erased.Texts), whatIsLeft(o))
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	if isLeft > 0 {
		return errLeft(fmt.Sprintf("not everything is erased yet of %s", cli.Plural(isLeft, "customer")))
	}
	return nil
}

// whatIsLeft says in a few words what is left of an order.
func whatIsLeft(o forgetting.Order) string {
	switch {
	case o.IsDone():
		return "nothing"
	case len(o.Waits) > 0:
		return cli.Plural(len(o.Waits), "text") + " here (" + string(o.Waits[0].Why) + ")"
	case o.Problem != "":
		return o.Problem
	default:
		return left(o)
	}
}
