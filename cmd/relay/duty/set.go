package duty

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/rota"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// setFlags are the flags of duty set.
type setFlags struct {
	numbers     cli.NumberFlags
	phones      []string
	closed      bool
	from, until string
	asJSON      bool
	consent     cli.Consent
}

func (p program) setCommand() *cobra.Command {
	var f setFlags
	cmd := &cobra.Command{
		Use:   "set NUMBER --phone PHONE|NAME --until TIME",
		Short: "Put phones on duty for a time, whatever the schedule says",
		Long: `set puts phones on duty for a number from now, or --from, until a time, whatever its schedule says; or it closes the
number for that time with --closed. Of two such overrides for the same moment, the later one counts. Those that ended more than a day
ago are taken out.

Times go by the clocks of the route's time zone, to the minute: relay route set NUMBER --time-zone sets it.`,
		Example: `  relay duty set +18585550100 --phone Bo --until 18:00
  relay duty set +18585550100 --phone Ann --phone +16195550124 --from "2026-12-24 08:00" --until "2026-12-27 08:00"
  relay duty set +18585550100 --closed --until "Mon 07:00"`,
		Args:              cli.Arguments("the number"),
		ValidArgsFunction: p.Number,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.set(cmd, args[0], f) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.phones, "phone", nil, fmt.Sprintf(
		"a phone that is on duty, by its name or number; repeat it for more, in order, at most %d", route.MaxShiftPhones))
	flags.BoolVar(&f.closed, "closed", false, "nobody is on duty")
	flags.StringVar(&f.from, "from", "", "from when on: "+momentHelp+" (default now)")
	flags.StringVar(&f.until, "until", "", "until when: "+momentHelp)
	cli.AddJSON(flags, &f.asJSON, "what was done, and the override")
	f.consent.Add(flags, "")
	f.numbers.Add(flags)
	cli.AddTarget(flags)
	return cmd
}

func (p program) set(cmd *cobra.Command, text string, f setFlags) error {
	number, err := f.numbers.Read(text)
	if err != nil {
		return err
	}
	whos, err := f.whos(cmd)
	if err != nil {
		return err
	}
	now := time.Now()
	var made route.Override
	edit := routing.Edit{
		Number: number, Author: routing.Author{Name: p.Operator(""), Now: time.Now},
		Change: routing.OfRoute(func(r route.Route) (route.Route, error) {
			if made, err = f.override(r, whos, now); err != nil {
				return r, err
			}
			return rota.AddOverride(r, made, now), nil
		}),
	}
	done, mode, err := p.EditRoute(cmd, edit, f.consent, f.asJSON)
	if errors.Is(err, rota.ErrNoZone) {
		return cli.Hinted(err, fmt.Sprintf("relay route set %s --time-zone America/Los_Angeles", string(number)))
	}
	if err != nil {
		return err
	}
	if err := p.printSet(done.After, made, mode == cli.Show, f.asJSON); err != nil || f.asJSON {
		return err
	}
	cli.SayUnverified(p.Stdout, done, mode == cli.Show)
	return nil
}

// whos returns the phones that are to be on duty, as they are stored: names, or numbers in their one form.
func (f setFlags) whos(cmd *cobra.Command) ([]string, error) {
	switch {
	case f.until == "":
		return nil, cli.Usage(errors.New("--until is missing"))
	case len(f.phones) == 0 && !f.closed:
		return nil, cli.Usage(errors.New("--phone is missing: name who is on duty, or --closed"))
	}
	if err := cli.Exclusive(cmd.Flags(), "phone", "closed"); err != nil {
		return nil, err
	}
	return whosOf(f.numbers, f.phones)
}

// whosOf returns phones that a flag names, as they are stored: names, or numbers in their one form.
func whosOf(numbers cli.NumberFlags, phones []string) (whos []string, err error) {
	for _, text := range phones {
		if strings.ContainsFunc(text, unicode.IsLetter) {
			whos = append(whos, route.PhoneName(text))
			continue
		}
		number, err := numbers.ReadFlag("phone", text)
		if err != nil {
			return nil, err
		}
		whos = append(whos, string(number))
	}
	return whos, nil
}

// override returns the override that the flags say.
func (f setFlags) override(r route.Route, whos []string, now time.Time) (route.Override, error) {
	made, err := rota.OverrideOf(r, whos, rota.Span{From: f.from, Until: f.until}, now)
	field, isField := errors.AsType[*rota.FieldError](err)
	switch {
	case errors.Is(err, rota.ErrNoPhone):
		return made, cli.NoPhoneCalled(r, field.Value)
	case errors.Is(err, rota.ErrNotAfter):
		return made, cli.Usage(errors.New("--until is not after --from"))
	case isField:
		return made, cli.Usage(fmt.Errorf("--%s: %w", field.Field, field.Err))
	}
	return made, err
}

// shownSet is what set did, as JSON.
type shownSet struct {
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	From         time.Time       `json:"from"`
	To           time.Time       `json:"to"`
	Phones       []string        `json:"phones"`
	// DryRun: nothing was changed.
	DryRun bool `json:"dry_run,omitempty"`
}

func (p program) printSet(r route.Route, made route.Override, isDryRun, asJSON bool) error {
	place, err := r.Place()
	if err != nil {
		return err
	}
	from, to := r.SpanOf(made)
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(shownSet{
			TwilioNumber: r.TwilioNumber, From: from.In(place), To: to.In(place), Phones: append([]string{}, made.Phones...), DryRun: isDryRun,
		})
	}
	verb, who := "is", strings.Join(made.Phones, ", ")
	if isDryRun {
		verb = "would be"
	}
	when := fmt.Sprintf("from %s to %s (%s)", from.In(place).Format(dayForm), to.In(place).Format(dayForm), place)
	if who == "" {
		cli.Say(p.Stdout, "%s %s closed %s.", string(r.TwilioNumber), verb, when)
		return nil
	}
	cli.Say(p.Stdout, "On duty for %s %s %s %s.", string(r.TwilioNumber), verb, who, when)
	return nil
}

func (p program) removeCommand() *cobra.Command {
	var f cli.ChangeFlags
	cmd := &cobra.Command{
		Use:     "rm NUMBER OVERRIDE",
		Aliases: []string{"remove", "delete"},
		Short:   "Take an override out: the schedule counts again",
		Long: `rm takes an override of the schedule out, by the number that relay duty ls shows for it. The schedule, or an earlier override for
the same time, counts again.`,
		Example:           `  relay duty rm +18585550100 1`,
		Args:              cli.Arguments("the number", "the override"),
		ValidArgsFunction: p.Number,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.remove(cmd, args, f) },
	}
	f.Add(cmd, "what was done, and the override")
	return cmd
}

func (p program) remove(cmd *cobra.Command, args []string, f cli.ChangeFlags) error {
	number, err := f.Numbers.Read(args[0])
	if err != nil {
		return err
	}
	index, err := strconv.Atoi(args[1])
	if err != nil {
		return cli.Usage(fmt.Errorf("%q is not the number of an override", args[1]))
	}
	var gone route.Override
	edit := routing.Edit{
		Number: number, Author: routing.Author{Name: p.Operator(""), Now: time.Now},
		Change: func(r route.Route, exists bool) (route.Route, error) {
			if !exists {
				return r, routing.ErrNoRoute
			}
			without, removed, ok := rota.RemoveOverride(r, index)
			if gone = removed; !ok {
				return r, cli.Hinted(fmt.Errorf("%s has no override %d", string(number), index), "relay duty ls "+string(number)+" lists them")
			}
			return without, nil
		},
	}
	done, mode, err := p.EditRoute(cmd, edit, f.Consent, f.AsJSON)
	if err != nil {
		return err
	}
	if f.AsJSON {
		return p.printSet(done.After, gone, mode == cli.Show, true)
	}
	verb := "is"
	if mode == cli.Show {
		verb = "would be"
	}
	cli.Say(p.Stdout, "%s %s taken out of %s: %s.", "Override "+args[1], verb, string(number), gone)
	return nil
}
