package duty

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// offFlags are the flags of duty off and duty on.
type offFlags struct {
	cli.ChangeFlags

	phone, until string
}

func (p program) offCommand() *cobra.Command {
	var f offFlags
	cmd := &cobra.Command{
		Use:   "off NUMBER --phone PHONE|NAME",
		Short: "Take a phone off duty for a time, whatever the schedule says",
		Long: `off takes a phone off duty for a number, from now until a time, at most 7 days. It gets no customers' texts until then, but
what goes out again because nobody answers may still reach the owner. Its person does the same with the text /off 2h. It is refused if at
some moment until then nobody else would be on duty: put somebody else on duty first, with relay duty set.`,
		Example: `  relay duty off +18585550100 --phone Bo --until 18:00
  relay duty off +18585550100 --phone Bo`,
		Args:              cli.Arguments("the number"),
		ValidArgsFunction: p.Number,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.off(cmd, args[0], f) },
	}
	f.add(cmd)
	cmd.Flags().StringVar(&f.until, "until", "24h", "until when: "+momentHelp)
	return cmd
}

func (p program) onCommand() *cobra.Command {
	var f offFlags
	cmd := &cobra.Command{
		Use:   "on NUMBER --phone PHONE|NAME",
		Short: "Put a phone that is off on duty again",
		Long: `on ends what relay duty off began, or the phone itself with the text /off: the phone gets customers' texts again whenever it is
on duty.`,
		Example:           `  relay duty on +18585550100 --phone Bo`,
		Args:              cli.Arguments("the number"),
		ValidArgsFunction: p.Number,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.off(cmd, args[0], f) },
	}
	f.add(cmd)
	return cmd
}

func (f *offFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.phone, "phone", "", "the phone, by its name or number")
	f.Add(cmd, "what was done, and until when the phone is off")
}

// off puts a phone off, or on if there is no time until which it is off.
func (p program) off(cmd *cobra.Command, text string, f offFlags) error {
	number, err := f.Numbers.Read(text)
	if err != nil {
		return err
	}
	if f.phone == "" {
		return cli.Usage(errors.New("--phone is missing"))
	}
	whos, err := whosOf(f.Numbers, []string{f.phone})
	if err != nil {
		return err
	}
	now := time.Now()
	var made route.Off
	edit := routing.Edit{
		Number: number, Author: routing.Author{Name: p.Operator(""), Now: time.Now},
		Change: routing.OfRoute(func(r route.Route) (route.Route, error) {
			if made, err = f.made(r, whos[0], now); err != nil {
				return r, err
			}
			return r.PutOff(made.Phone, made.Until, now), nil
		}),
	}
	done, mode, err := p.EditRoute(cmd, edit, f.Consent, f.AsJSON)
	if err != nil {
		return err
	}
	return p.printOff(done.After, made, mode == cli.Show, f.AsJSON)
}

// made returns the phone that the flags name, and until when it is off.
func (f offFlags) made(r route.Route, who string, now time.Time) (made route.Off, err error) {
	phone, ok := r.Resolve(who)
	if !ok || !r.IsPhone(phone) {
		return made, cli.NoPhone(r, who)
	}
	made.Phone = r.PhoneOf(phone)
	if f.until == "" {
		return made, nil
	}
	place, err := r.Place()
	if err != nil {
		return made, err
	}
	until, err := cli.ReadAhead(f.until, now.In(place))
	switch {
	case err != nil:
		return made, cli.Usage(fmt.Errorf("--until: %w", err))
	case !until.After(now), until.Sub(now) > route.MaxOff:
		return made, cli.Usage(errors.New("--until is not within the next 7 days"))
	}
	if alone := r.AloneAt(made.Phone, now, until); !alone.IsZero() {
		return made, cli.Hinted(
			fmt.Errorf("nobody else is on duty for %s on %s (%s)", string(r.TwilioNumber), alone.In(place).Format(dayForm), place),
			"relay duty set puts somebody else on duty for a time")
	}
	made.Until = until.UTC().Truncate(time.Second)
	return made, nil
}

// shownChange is what off or on did, as JSON.
type shownChange struct {
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	shownOff

	// DryRun: nothing was changed.
	DryRun bool `json:"dry_run,omitempty"`
}

// shownOff is a phone that is off duty for a time, as JSON.
type shownOff struct {
	Name   string          `json:"name,omitempty"`
	Number sms.PhoneNumber `json:"number"`
	// Until is absent once the phone is on again.
	Until time.Time `json:"until,omitzero"`
}

func shownOffOf(r route.Route, o route.Off, place *time.Location) shownOff {
	shown := shownOff{Name: r.NameOf(o.Phone), Number: o.Phone}
	if !o.Until.IsZero() {
		shown.Until = o.Until.In(place)
	}
	return shown
}

// who names the phone for people.
func (s shownOff) who() string { return strings.TrimSpace(s.Name + " " + string(s.Number)) }

func (p program) printOff(r route.Route, made route.Off, isDryRun, asJSON bool) error {
	place, err := r.Place()
	if err != nil {
		return err
	}
	shown := shownOffOf(r, made, place)
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(shownChange{r.TwilioNumber, shown, isDryRun})
	}
	verb := "gets"
	if isDryRun {
		verb = "would get"
	}
	if shown.Until.IsZero() {
		cli.Say(p.Stdout, "%s %s customers' texts of %s whenever it is on duty.", shown.who(), verb, string(r.TwilioNumber))
		return nil
	}
	cli.Say(p.Stdout, "%s %s no customers' texts of %s until %s (%s).", shown.who(), verb, string(r.TwilioNumber),
		shown.Until.Format(dayForm), place)
	return nil
}
