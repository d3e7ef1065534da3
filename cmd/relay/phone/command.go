// Package phone is `relay phone`: the phones that may answer the customers of a number, their names, and the end of that right. It does
// not change which phones get texts: relay route does.
package phone

import (
	"context"
	"encoding/json"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay phone`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:   "phone",
		Short: "See and name the phones that may answer customers, and end that",
		Long: `phone shows which phones may answer the customers of a Twilio number. These are the phones of its route, which relay route set
changes, and those that have a name, which phone set gives. A phone that left the route can still answer the customers whose texts it
was sent, for seven days and with their tags.
relay phone rm ends that at once.`,
		Example: `  relay phone ls +18585550100
  relay phone set +18585550100 Ann +16195550123
  relay phone rm +18585550100 +16195550123`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.listCommand(), p.setCommand(), p.removeCommand(), p.verifyCommand())
	return cmd
}

// shownPhone is a phone as JSON.
type shownPhone struct {
	Phone sms.PhoneNumber `json:"phone"`
	// Name is the phone's in the route, Also are its further numbers, from which it may answer, too.
	Name string            `json:"name,omitempty"`
	Also []sms.PhoneNumber `json:"also,omitempty"`
	// OnDuty: the phone is in the route. GetsTexts: texts may go there, and not only from there. OptedOut:
	// it texted STOP to the number, so it gets no texts.
	OnDuty    bool `json:"on_duty"`
	GetsTexts bool `json:"gets_texts"`
	OptedOut  bool `json:"opted_out"`
	// OffUntil is until when the phone is off duty, absent if it is not.
	OffUntil time.Time `json:"off_until,omitzero"`
	// Unverified: it gets no customers' texts before it has answered a code.
	Unverified bool `json:"unverified"`
	// Customers counts those whom the phone can answer with a tag.
	Customers int `json:"customers"`
	// SentAt is when it was last sent a text, WroteAt when it last wrote.
	SentAt  time.Time `json:"sent_at,omitzero"`
	WroteAt time.Time `json:"wrote_at,omitzero"`
	// AnswersUntil is until when a phone that left can answer. RemovedAt is when RemovedBy, an operator, ended that.
	AnswersUntil time.Time `json:"answers_until,omitzero"`
	RemovedAt    time.Time `json:"removed_at,omitzero"`
	RemovedBy    string    `json:"removed_by,omitempty"`
	// Held counts the texts of the phone that are held until it says whom they are for.
	Held int `json:"held"`
	// customers are those that it can answer. The phone may have been sent texts of one from several numbers.
	customers []sms.PhoneNumber
}

// shownPhones returns the phones of the route in its order, and those that left and may still answer.
func shownPhones(way route.Route, items []conversation.Phone, now time.Time) []shownPhone {
	all := []shownPhone{}
	for _, number := range way.AllPhones() {
		one := shownPhone{
			Phone: number, OnDuty: true, GetsTexts: way.GetsTexts(number), OptedOut: way.IsOptedOut(number), OffUntil: way.OffUntil(number, now),
			Unverified: way.IsUnverified(number),
		}
		if p, ok := way.PhoneNamed(way.NameOf(number)); ok {
			one.Name, one.Also = p.Name, p.Also
		}
		if number != "" {
			all = append(all, one)
		}
	}
	for _, item := range items {
		i := slices.IndexFunc(all, func(one shownPhone) bool { return sms.Same(one.Phone, item.Phone) })
		if i < 0 && !item.IsKnown(now) {
			continue
		}
		if i < 0 {
			i, all = len(all), append(all, shownPhone{Phone: item.Phone})
		}
		all[i].add(item, now)
	}
	return all
}

// add adds what is kept of the phone under one of the numbers that its texts come from.
func (s *shownPhone) add(item conversation.Phone, now time.Time) {
	for _, e := range item.Exchanges {
		s.SentAt = later(s.SentAt, e.SentAt)
		isCounted := slices.ContainsFunc(s.customers, func(other sms.PhoneNumber) bool { return sms.Same(other, e.Customer) })
		if e.Customer != "" && now.Sub(e.SentAt) <= conversation.AddressTime && !isCounted {
			s.customers = append(s.customers, e.Customer)
		}
	}
	s.Customers = len(s.customers)
	s.WroteAt, s.Held = later(s.WroteAt, item.LastAt), s.Held+len(item.Held.MessageSids)
	if s.OnDuty {
		return
	}
	if s.RemovedAt = later(s.RemovedAt, item.Removed); s.RemovedAt.Equal(item.Removed) {
		s.RemovedBy = item.RemovedBy
	}
	if s.RemovedAt.IsZero() {
		s.AnswersUntil = s.SentAt.Add(conversation.AddressTime)
	} else {
		s.AnswersUntil, s.Customers = time.Time{}, 0
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b.UTC()
	}
	return a
}

func (p program) listCommand() *cobra.Command {
	var asJSON bool
	var numbers cli.NumberFlags
	cmd := &cobra.Command{
		Use:     "ls NUMBER",
		Aliases: []string{"list"},
		Short:   "List the phones of a number, and those that left and may still answer",
		Long: `ls lists the phones of a number's route, in the order in which they are tried, those that have a name only, and those that left
within seven days: how many
customers each can answer with a tag, when it was last sent a text and last wrote, and how many of its texts are held until it says
whom they are for.`,
		Example:           `  relay phone ls +18585550100`,
		Args:              cli.Arguments("the number"),
		ValidArgsFunction: p.Number,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.list(cmd, args[0], numbers, asJSON) },
	}
	cli.AddJSON(cmd.Flags(), &asJSON, "an array of phones")
	numbers.Add(cmd.Flags())
	cli.AddTarget(cmd.Flags())
	return cmd
}

func (p program) list(cmd *cobra.Command, text string, numbers cli.NumberFlags, asJSON bool) error {
	number, err := numbers.Read(text)
	if err != nil {
		return err
	}
	var phones []shownPhone
	if err := p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) error {
		phones, err = phonesOf(cmd.Context(), d, number)
		return err
	}); err != nil {
		return err
	}
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(phones)
	}
	table := cli.NewTable(p.Stdout, cli.Column{Title: "NAME", Drop: 5}, cli.Column{Title: "PHONE"},
		cli.Column{Title: "MAY ANSWER", Wrapped: true},
		cli.Column{Title: "CUSTOMERS", Drop: 3}, cli.Column{Title: "LAST SENT TO IT", Drop: 4}, cli.Column{Title: "LAST WROTE", Drop: 2},
		cli.Column{Title: "HELD", Drop: 1})
	for _, one := range phones {
		table.Row(one.Name, string(one.Phone), p.rightOf(one), strconv.Itoa(one.Customers), p.when(one.SentAt), p.when(one.WroteAt),
			strconv.Itoa(one.Held))
	}
	return table.Flush()
}

func phonesOf(ctx context.Context, d *target.Target, number sms.PhoneNumber) ([]shownPhone, error) {
	way, err := cli.RouteOf(ctx, d.Routes, number)
	if err != nil {
		return nil, err
	}
	items, err := d.Conversations.ListPhones(ctx, number)
	return shownPhones(way, items, time.Now()), err
}

// rightOf says whether the phone may answer.
func (p program) rightOf(one shownPhone) string {
	switch {
	case one.OptedOut:
		return "no, opted out"
	case one.Unverified:
		return "no, not verified"
	case one.OnDuty && !one.GetsTexts:
		return "yes, gets no texts"
	case !one.OffUntil.IsZero():
		return "yes, off until " + one.OffUntil.UTC().Format("2006-01-02 15:04 MST")
	case one.OnDuty:
		return "yes"
	case !one.RemovedAt.IsZero() && one.RemovedBy != "":
		return "no, removed " + cli.When(p.Stdout, one.RemovedAt) + " by " + one.RemovedBy
	case !one.RemovedAt.IsZero():
		return "no, removed " + cli.When(p.Stdout, one.RemovedAt)
	}
	// It is in the future, so that how long ago it is means nothing.
	return "with tags, until " + cli.When(p.Stdout, one.AnswersUntil)
}

// when is empty for no time.
func (p program) when(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return cli.When(p.Stdout, at)
}
