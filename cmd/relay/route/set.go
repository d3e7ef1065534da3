package route

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/route/routing"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// unset is what a setting is given to be the relay's own again.
const unset = "default"

// The flags that say what a route is to be.
const (
	flagTo              = "to"
	flagFallback        = "fallback"
	flagNoFallback      = "no-fallback"
	flagActive          = "active"
	flagInactive        = "inactive"
	flagOnUncertain     = "on-uncertain"
	flagDeliveryTimeout = "delivery-timeout"
	flagMaxAge          = "max-age"
	flagPaceNumber      = "pace-number"
)

// setFlags are what they are given.
type setFlags struct {
	to, onUncertain, deliveryTimeout, maxAge, paceNumber string
	fallbacks                                            []string
	noFallback, active, inactive                         bool
}

func (p program) routeSetCommand() *cobra.Command {
	var f editFlags
	var said setFlags
	cmd := &cobra.Command{
		Use:   "set NUMBER",
		Short: "Make a route, or change one",
		Long: `set changes of a route what is said, and nothing else; a number that has no route gets one. Fallbacks are tried in the order
in which they are named, and take the place of all that there are.

A setting that is given the value "default" is the relay's own again. A new route, and one that comes back from its removal,
is active unless --inactive is said.`,
		Example: `  relay route set +18585550100 --to +16195550123
  relay route set +18585550100 --fallback "(619) 555-0124" --fallback "(619) 555-0125" --delivery-timeout 90s
  relay route set +18585550100 --to +16195550126 --version 7
  relay route set +18585550100 --no-fallback --delivery-timeout default`,
		Args:              oneRoute,
		ValidArgsFunction: p.completeNumbers,
		RunE: func(cmd *cobra.Command, args []string) error {
			settings, err := said.settings(cmd.Flags(), f.numbers)
			if err != nil {
				return err
			}
			return p.edit(cmd, args[0], f, settings.Change)
		},
	}
	said.add(cmd.Flags())
	f.add(cmd.Flags())
	cmd.Flags().BoolVar(&f.numbers.Insist, "force", false, "take a number, too, that has not the digits of its country's numbers")
	cmd.MarkFlagsMutuallyExclusive(flagFallback, flagNoFallback)
	cmd.MarkFlagsMutuallyExclusive(flagActive, flagInactive)
	return cmd
}

func (f *setFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.to, flagTo, "", "phone that the texts go to first")
	flags.StringSliceVar(&f.fallbacks, flagFallback, nil, "phone to try after it; repeated for more, in their order")
	flags.BoolVar(&f.noFallback, flagNoFallback, false, "try no other phone")
	flags.BoolVar(&f.active, flagActive, false, "relay its texts")
	flags.BoolVar(&f.inactive, flagInactive, false, "drop its texts")
	flags.StringVar(&f.onUncertain, flagOnUncertain, "", "what becomes of a text of which nobody could find out whether it was sent: park, which may lose it, or resend, which may double it")
	flags.StringVar(&f.deliveryTimeout, flagDeliveryTimeout, "", "how long a phone's receipt is waited for before the next is tried, 10s to 12h")
	flags.StringVar(&f.maxAge, flagMaxAge, "", "how old a text may be when it is sent, 1m to 72h")
	flags.StringVar(&f.paceNumber, flagPaceNumber, "", "how many segments the number may send in how long, such as 3/1s, or off")
}

// settings reads what was said. All that is wrong is told at once.
func (f *setFlags) settings(flags *pflag.FlagSet, numbers cli.NumberFlags) (routing.Settings, error) {
	r := settingReader{flags: flags, numbers: numbers}
	if !slices.ContainsFunc([]string{flagTo, flagFallback, flagNoFallback, flagActive, flagInactive, flagOnUncertain, flagDeliveryTimeout, flagMaxAge, flagPaceNumber}, flags.Changed) {
		return routing.Settings{}, cli.Usage(errors.New("nothing is said of the route: name what is to be another"))
	}
	s := routing.Settings{
		To: r.phone(flagTo, f.to), Fallbacks: r.phones(flagFallback, f.fallbacks),
		DeliveryTimeout: r.duration(flagDeliveryTimeout, f.deliveryTimeout), MaxAge: r.duration(flagMaxAge, f.maxAge),
		OnUncertain: asUncertain(r.text(flagOnUncertain, f.onUncertain)), PaceNumber: r.text(flagPaceNumber, f.paceNumber),
	}
	if f.noFallback {
		s.Fallbacks = new([]sms.PhoneNumber)
	}
	switch {
	case f.active:
		s.Active = new(true)
	case f.inactive:
		s.Active = new(false)
	}
	return s, errors.Join(r.problems...)
}

func asUncertain(text *string) *route.OnUncertain {
	if text == nil {
		return nil
	}
	return new(route.OnUncertain(*text))
}

// settingReader reads flags of which nil is made if they were not given.
type settingReader struct {
	flags    *pflag.FlagSet
	numbers  cli.NumberFlags
	problems []error
}

func (r *settingReader) phone(flag, text string) *sms.PhoneNumber {
	if !r.flags.Changed(flag) {
		return nil
	}
	number, err := r.numbers.ReadFlag(flag, text)
	if err != nil {
		r.problems = append(r.problems, err)
	}
	return &number
}

func (r *settingReader) phones(flag string, texts []string) *[]sms.PhoneNumber {
	if !r.flags.Changed(flag) {
		return nil
	}
	numbers := make([]sms.PhoneNumber, len(texts))
	for i, text := range texts {
		numbers[i] = *r.phone(flag, text)
	}
	return &numbers
}

func (r *settingReader) text(flag, text string) *string {
	if !r.flags.Changed(flag) {
		return nil
	}
	if text == unset {
		text = ""
	}
	return &text
}

func (r *settingReader) duration(flag, text string) *route.Duration {
	said := r.text(flag, text)
	if said == nil {
		return nil
	}
	var d route.Duration
	if *said != "" {
		var err error
		if d, err = route.ParseDuration(*said); err != nil {
			r.problems = append(r.problems, cli.Usage(fmt.Errorf("--%s %q is no duration such as 90s or 4h", flag, text)))
		}
	}
	return &d
}
