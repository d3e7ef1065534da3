package phone

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// setFlags are the flags of phone set.
type setFlags struct {
	numbers cli.NumberFlags
	also    []string
	noAlso  bool
	asJSON  bool
	consent cli.Consent
}

func (p program) setCommand() *cobra.Command {
	var f setFlags
	cmd := &cobra.Command{
		Use:   "set NUMBER NAME PHONE",
		Short: "Give a phone of a number a name",
		Long: `set names a phone of a number. Schedules, the owner, and the people who have the phones then call it by that name. If the name is
there already, it gets the number; if the number is, it gets the name.

A named phone may answer customers, but texts go to it only if the route says so: relay route set, or a schedule. A new phone has to be
verified before either: relay phone verify.

--also names further numbers of the same person. What is written from there counts as written by the phone; nothing is sent there.

A name is kept in the letters of a short text message: at most 20 characters, without colons, and without words that look like tags.`,
		Example: `  relay phone set +18585550100 Ann +16195550123
  relay phone set +18585550100 "Bo Lee" +16195550124 --also +16195550126`,
		Args:              cli.Arguments("the number", "the name", "the phone"),
		ValidArgsFunction: p.Number,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.set(cmd, args, f) },
	}
	cmd.Flags().StringSliceVar(&f.also, "also", nil, fmt.Sprintf(
		"a further number of the same person; repeat it for more, at most %d", route.MaxAlso))
	cmd.Flags().BoolVar(&f.noAlso, "no-also", false, "no further numbers")
	cmd.Flags().BoolVar(&f.numbers.Insist, "force", false, "accept a number even if it does not have the digits of its country's numbers")
	cli.AddJSON(cmd.Flags(), &f.asJSON, "what was done, and the phone now")
	f.consent.Add(cmd.Flags(), "")
	f.numbers.Add(cmd.Flags())
	cli.AddTarget(cmd.Flags())
	return cmd
}

func (p program) set(cmd *cobra.Command, args []string, f setFlags) error {
	number, err := f.numbers.Read(args[0])
	if err != nil {
		return err
	}
	named, err := f.read(cmd, args[1], args[2])
	if err != nil {
		return err
	}
	keepsAlso := !cmd.Flags().Changed("also") && !f.noAlso
	edit := routing.Edit{
		Number: number, Numbers: route.Strictness(f.numbers.Insist), Author: routing.Author{Name: p.Operator(""), Now: time.Now},
		Change: routing.OfRoute(func(r route.Route) (route.Route, error) {
			return withPhone(r, named, keepsAlso), nil
		}),
	}
	done, mode, err := p.EditRoute(cmd, edit, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	return p.printSet(done, named, mode == cli.Show, f.asJSON)
}

// read returns the phone that the arguments and flags describe.
func (f setFlags) read(cmd *cobra.Command, name, text string) (route.Phone, error) {
	if err := cli.Exclusive(cmd.Flags(), "also", "no-also"); err != nil {
		return route.Phone{}, err
	}
	named := route.Phone{Name: route.PhoneName(name)}
	switch {
	case strings.HasPrefix(strings.TrimSpace(name), "/"):
		return named, cli.Usage(errors.New("a name does not begin with /: texts to the relay do"))
	case named.Name == "":
		return named, cli.Usage(fmt.Errorf("nothing is left of the name %q in the letters of a short text message", name))
	}
	var err error
	if named.Number, err = f.numbers.Read(text); err != nil {
		return named, err
	}
	for _, text := range f.also {
		number, err := f.numbers.ReadFlag("also", text)
		if err != nil {
			return named, err
		}
		named.Also = append(named.Also, number)
	}
	return named, nil
}

// withPhone returns the route with the named phone, instead of one with its name or its number. What else names the phone by its old
// name, does so by the new one.
func withPhone(r route.Route, named route.Phone, keepsAlso bool) route.Route {
	before := r.Phones
	r.Phones = slices.Clone(before)
	at := slices.IndexFunc(before, func(p route.Phone) bool { return strings.EqualFold(p.Name, named.Name) })
	if at < 0 {
		at = slices.IndexFunc(before, func(p route.Phone) bool { return sms.Same(p.Number, named.Number) })
	}
	if at < 0 {
		r.Phones = append(r.Phones, named)
		return r
	}
	if keepsAlso {
		named.Also = before[at].Also
	}
	r.Phones[at] = named
	return r.Renamed(before[at].Name, named.Name)
}

// shownSet is what set did, as JSON.
type shownSet struct {
	// Action is "changed" or "unchanged".
	Action       routing.Action    `json:"action"`
	TwilioNumber sms.PhoneNumber   `json:"twilio_number"`
	Name         string            `json:"name"`
	Phone        sms.PhoneNumber   `json:"phone"`
	Also         []sms.PhoneNumber `json:"also,omitempty"`
	// OnDuty: the route may send texts there, by its hops or its schedule.
	OnDuty bool `json:"on_duty"`
	// DryRun: nothing was changed.
	DryRun bool `json:"dry_run,omitempty"`
}

func (p program) printSet(done routing.Edited, named route.Phone, isDryRun, asJSON bool) error {
	if now, ok := done.After.PhoneNamed(named.Name); ok {
		named = now
	}
	number, onDuty := string(done.After.TwilioNumber), done.After.GetsTexts(named.Number)
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(shownSet{
			Action: done.Action(), TwilioNumber: done.After.TwilioNumber, Name: named.Name, Phone: named.Number, Also: named.Also,
			OnDuty: onDuty, DryRun: isDryRun,
		})
	}
	would := "is"
	switch {
	case done.Action() == routing.Unchanged:
		cli.Say(p.Stdout, "%s is %s of %s already.", string(named.Number), named.Name, number)
		return nil
	case isDryRun:
		would = "would be"
	}
	cli.Say(p.Stdout, "%s %s %s of %s.", string(named.Number), would, named.Name, number)
	cli.SayUnverified(p.Stdout, done, isDryRun)
	if !onDuty {
		cli.Say(p.Stdout, "No texts go there yet: name it in the route with relay route set %s --fallback %s, or in a schedule.", number,
			string(named.Number))
	}
	return nil
}
