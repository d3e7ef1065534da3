package duty

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/rota"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
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
	made, err = rota.MadeOff(r, who, f.until, now)
	field, isField := errors.AsType[*rota.FieldError](err)
	_, isAlone := errors.AsType[*rota.AloneError](err)
	switch {
	case errors.Is(err, rota.ErrNoPhone):
		return made, cli.NoPhone(r, who)
	case errors.Is(err, rota.ErrTooLong):
		return made, cli.Usage(fmt.Errorf("--until %w", field.Err))
	case isField:
		return made, cli.Usage(fmt.Errorf("--%s: %w", field.Field, field.Err))
	case isAlone:
		return made, cli.Hinted(err, "relay duty set puts somebody else on duty for a time")
	}
	return made, err
}

// shownChange is what off or on did, as JSON.
type shownChange struct {
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	operations.DutyOff

	// DryRun: nothing was changed.
	DryRun bool `json:"dry_run,omitempty"`
}

// whoIs names the phone for people.
func whoIs(o operations.DutyOff) string { return strings.TrimSpace(o.Name + " " + string(o.Number)) }

func (p program) printOff(r route.Route, made route.Off, isDryRun, asJSON bool) error {
	place, err := r.Place()
	if err != nil {
		return err
	}
	shown := rota.OffOf(r, made, place)
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(shownChange{r.TwilioNumber, shown, isDryRun})
	}
	verb := "gets"
	if isDryRun {
		verb = "would get"
	}
	if shown.Until.IsZero() {
		cli.Say(p.Stdout, "%s %s customers' texts of %s whenever it is on duty.", whoIs(shown), verb, string(r.TwilioNumber))
		return nil
	}
	cli.Say(p.Stdout, "%s %s no customers' texts of %s until %s (%s).", whoIs(shown), verb, string(r.TwilioNumber),
		shown.Until.Format(dayForm), place)
	return nil
}
