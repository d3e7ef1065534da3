package route

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// unset is the value that makes a setting the relay's own again.
const unset = "default"

// The flags that set a route.
const (
	flagTo              = "to"
	flagFallback        = "fallback"
	flagNoFallback      = "no-fallback"
	flagActive          = "active"
	flagInactive        = "inactive"
	flagRing            = "ring"
	flagOnUncertain     = "on-uncertain"
	flagDeliveryTimeout = "delivery-timeout"
	flagMaxAge          = "max-age"
	flagPaceNumber      = "pace-number"
	flagAnswerWindow    = "answer-window"
	flagHoldTime        = "hold-time"
	flagAnswerTimeout   = "answer-timeout"
	flagClaimTime       = "claim-time"
	flagThread          = "thread"
	flagNoThreads       = "no-threads"
	flagOwner           = "owner"
	flagTimeZone        = "time-zone"
	flagClosed          = "closed"
	flagNightPhone      = "night-phone"
	flagAutoClosed      = "auto-answer-closed"
	flagAutoNoOne       = "auto-answer-no-one"
	flagVerifyPhones    = "verify-phones"
)

// setFlags are the values of these flags.
type setFlags struct {
	to, onUncertain, deliveryTimeout, maxAge, paceNumber, answerWindow, holdTime, owner, timeZone, closed string
	answerTimeout, claimTime, ring, autoClosed, autoNoOne, verifyPhones                                   string
	fallbacks, threads, nightPhones                                                                       []string
	noFallback, noThreads, active, inactive                                                               bool
}

func (p program) routeSetCommand() *cobra.Command {
	var f editFlags
	var said setFlags
	cmd := &cobra.Command{
		Use:     "set NUMBER",
		Aliases: []string{"add"},
		Short:   "Make a route, or change one",
		Long: `set changes only what you name of a route; a number without a route gets one. The relay tries fallbacks in the order in
which you name them. They replace all earlier fallbacks.

Threads are further Twilio numbers of yours, used only toward the phones: each customer gets one on each phone, so that the phone shows
them as conversations of their own. They replace all earlier threads. Each needs the relay's webhook, as the number itself does:
relay number configure NUMBER --threads.

A phone that is new to the number gets no customers' texts before its person has answered a code, which relay phone verify texts. A phone
that left within the last 30 days is not new. --verify-phones=false asks for no code, now and later.

The value "default" makes a setting the relay's own again. A new route is active unless you add --inactive, and so is a removed
route that comes back.`,
		Example: `  relay route set +18585550100 --to +16195550123
  relay route set +18585550100 --fallback "(619) 555-0124" --fallback "(619) 555-0125" --delivery-timeout 90s
  relay route set +18585550100 --to +16195550126 --version 7
  relay route set +18585550100 --thread +18585550110 --thread +18585550111
  relay route set +18585550100 --no-fallback --delivery-timeout default`,
		Args:              oneRoute,
		ValidArgsFunction: p.Number,
		RunE: func(cmd *cobra.Command, args []string) error {
			settings, err := said.settings(args[0], cmd.Flags(), f.numbers)
			if err != nil {
				return err
			}
			return p.edit(cmd, args[0], f, settings.Change)
		},
	}
	said.add(cmd.Flags())
	f.add(cmd.Flags())
	cmd.Flags().BoolVar(&f.numbers.Insist, "force", false, "accept a number even if it does not have the digits of its country's numbers")
	return cmd
}

func (f *setFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.to, flagTo, "", "the phone to try first")
	flags.StringSliceVar(&f.fallbacks, flagFallback, nil, "the phone to try next; repeat it for more phones, in order")
	flags.BoolVar(&f.noFallback, flagNoFallback, false, "try no other phone")
	flags.BoolVar(&f.active, flagActive, false, "relay its texts")
	flags.BoolVar(&f.inactive, flagInactive, false, "drop its texts")
	flags.StringVar(&f.ring, flagRing, "", fmt.Sprintf(
		"which phones on duty get a text first: in_turn (one, then the next if it fails) or all (at most %d at the same time)", route.MaxRing))
	flags.StringVar(&f.onUncertain, flagOnUncertain, "",
		"what to do with a text that may or may not have been sent: park (may lose it) or resend (may send it twice)")
	flags.StringVar(&f.deliveryTimeout, flagDeliveryTimeout, "", "how long to wait for a phone's receipt before trying the next, 10s to 12h")
	flags.StringVar(&f.maxAge, flagMaxAge, "", "the greatest age at which a text is still sent, 1m to 72h")
	flags.StringVar(&f.paceNumber, flagPaceNumber, "", "how many segments the number may send in what time, such as 3/1s, or off")
	flags.StringVar(&f.answerWindow, flagAnswerWindow, "",
		"how long after a text, or the phone's last answer, an answer without a tag may be for its customer, 1h to 168h")
	flags.StringSliceVar(&f.threads, flagThread, nil, fmt.Sprintf(
		"a further Twilio number, toward the phones only; repeat it for more, at most %d", route.MaxThreads))
	flags.StringVar(&f.owner, flagOwner, "", "the phone that is told what nobody else takes care of: a name of relay phone ls, or a number")
	flags.StringVar(&f.timeZone, flagTimeZone, "", "the place by whose clocks the schedule goes, such as America/Los_Angeles")
	flags.StringVar(&f.closed, flagClosed, "",
		"what happens to texts while nobody is on duty: relay (they go to the phones of the route), night (to the night phones) or "+
			"hold (they wait until somebody is on duty, 14 days at most)")
	flags.StringSliceVar(&f.nightPhones, flagNightPhone, nil, "a night phone, by its name or number; repeat it for more, in order")
	flags.StringVar(&f.autoClosed, flagAutoClosed, "", "what the relay itself answers a customer who texts while nobody is on duty")
	flags.StringVar(&f.autoNoOne, flagAutoNoOne, "", "what the relay itself answers a customer whom nobody answers in time")
	flags.StringVar(&f.verifyPhones, flagVerifyPhones, "",
		"whether new phones get no customers' texts before they have answered a code: =true, also those of files, =false, none, or "+
			"=default, those that commands name")
	flags.Lookup(flagVerifyPhones).NoOptDefVal = "true"
	flags.BoolVar(&f.noThreads, flagNoThreads, false, "send everything from the number itself, with tags")
	flags.StringVar(&f.holdTime, flagHoldTime, "", "how long an answer is held that may be for several customers, 5m to 12h")
	flags.StringVar(&f.answerTimeout, flagAnswerTimeout, "",
		"how long a text waits for an answer before it goes out to the next phone, 1m to 12h")
	flags.StringVar(&f.claimTime, flagClaimTime, "", "how long a phone has a customer after it last did something about them, 5m to 168h")
}

// settings reads the flags, and reports all problems at once.
func (f *setFlags) settings(text string, flags *pflag.FlagSet, numbers cli.NumberFlags) (routing.Settings, error) {
	r := settingReader{flags: flags, numbers: numbers}
	if !slices.ContainsFunc([]string{
		flagTo, flagFallback, flagNoFallback, flagActive, flagInactive, flagRing, flagOnUncertain, flagDeliveryTimeout,
		flagMaxAge, flagPaceNumber, flagAnswerWindow, flagHoldTime, flagAnswerTimeout, flagClaimTime, flagThread, flagNoThreads, flagOwner,
		flagTimeZone, flagClosed, flagNightPhone, flagAutoClosed, flagAutoNoOne, flagVerifyPhones,
	}, flags.Changed) {
		return routing.Settings{}, cli.Usage(errors.New("nothing to change: name what to change, such as --to PHONE"))
	}
	r.add(cli.Exclusive(flags, flagFallback, flagNoFallback))
	r.add(cli.Exclusive(flags, flagThread, flagNoThreads))
	r.add(cli.Exclusive(flags, flagActive, flagInactive))
	s := routing.Settings{
		To: r.phone(flagTo, f.to), Fallbacks: r.phones(flagFallback, f.fallbacks),
		DeliveryTimeout: r.duration(flagDeliveryTimeout, f.deliveryTimeout), MaxAge: r.duration(flagMaxAge, f.maxAge),
		Ring:        (*route.Ring)(r.text(flagRing, f.ring)),
		OnUncertain: asUncertain(r.text(flagOnUncertain, f.onUncertain)), PaceNumber: r.text(flagPaceNumber, f.paceNumber),
		AnswerWindow: r.duration(flagAnswerWindow, f.answerWindow), HoldTime: r.duration(flagHoldTime, f.holdTime),
		AnswerTimeout: r.duration(flagAnswerTimeout, f.answerTimeout), ClaimTime: r.duration(flagClaimTime, f.claimTime),
		Threads: r.phones(flagThread, f.threads), Owner: r.who(flagOwner, f.owner), TimeZone: r.text(flagTimeZone, f.timeZone),
		Closed: (*route.Closed)(r.text(flagClosed, f.closed)), NightPhones: r.whos(flagNightPhone, f.nightPhones),
		AutoClosed: r.text(flagAutoClosed, f.autoClosed), AutoNoOne: r.text(flagAutoNoOne, f.autoNoOne),
		VerifyPhones: r.yes(flagVerifyPhones, f.verifyPhones),
	}
	number, _ := numbers.Read(text) // what is wrong with it is said when it is read for the change.
	r.checkSettings(number, s)
	if f.noFallback {
		s.Fallbacks = new([]sms.PhoneNumber)
	}
	if f.noThreads {
		s.Threads = new([]sms.PhoneNumber)
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

// settingReader reads flags; a flag that was not given becomes nil.
type settingReader struct {
	flags    *pflag.FlagSet
	numbers  cli.NumberFlags
	problems []error
}

func (r *settingReader) add(problem error) {
	if problem != nil {
		r.problems = append(r.problems, problem)
	}
}

// checkSettings finds what no route may have, and names the flags that said it.
func (r *settingReader) checkSettings(number sms.PhoneNumber, s routing.Settings) {
	said := route.Route{TwilioNumber: number}
	if changed, err := s.Change(said, true); err == nil {
		said = changed
		said.Owner, said.NightPhones = "", nil // they may be names of the route.
		if said.Closed == route.ClosedNight {
			said.Closed = ""
		}
	}
	err := said.ValidateSettings()
	if err != nil && s.To != nil && said.TwilioNumber != "" {
		// All that is wrong is said at once.
		err = said.ValidateAs(route.TakeImpossible)
	}
	err = errors.Join(err, s.AutoAnswerProblems())
	if err != nil {
		words := strings.NewReplacer("Ring is", "--ring is",
			"OnUncertain", r.given(flagOnUncertain), "DeliveryTimeout", r.given(flagDeliveryTimeout),
			"MaxAge", r.given(flagMaxAge), "PaceNumber", r.given(flagPaceNumber),
			"AnswerWindow", r.given(flagAnswerWindow), "HoldTime", r.given(flagHoldTime), "AnswerTimeout", r.given(flagAnswerTimeout),
			"ClaimTime", r.given(flagClaimTime), "Threads has", "--thread names",
			"AutoAnswer.Closed", "--"+flagAutoClosed, "AutoAnswer.NoOne", "--"+flagAutoNoOne).Replace(err.Error())
		for line := range strings.SplitSeq(words, "\n") {
			r.add(cli.Usage(errors.New(line)))
		}
	}
}

// given is a flag as it was typed.
func (r *settingReader) given(flag string) string {
	return fmt.Sprintf("--%s %q", flag, r.flags.Lookup(flag).Value.String())
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

// who reads the name or the number of a phone.
func (r *settingReader) who(flag, text string) *string {
	said := r.text(flag, text)
	if said == nil || *said == "" || strings.ContainsFunc(text, unicode.IsLetter) {
		return said
	}
	return new(string(*r.phone(flag, text)))
}

// whos reads the names or the numbers of phones.
func (r *settingReader) whos(flag string, texts []string) *[]string {
	if !r.flags.Changed(flag) {
		return nil
	}
	var whos []string
	for _, text := range texts {
		if who := r.who(flag, text); *who != "" {
			whos = append(whos, *who)
		}
	}
	return &whos
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

// yes reads true, false or default.
func (r *settingReader) yes(flag, text string) **bool {
	said := r.text(flag, text)
	if said == nil {
		return nil
	}
	var is *bool
	if *said != "" {
		on, err := strconv.ParseBool(*said)
		if err != nil {
			r.problems = append(r.problems, cli.Usage(fmt.Errorf("--%s=%s is not true, false or %s", flag, text, unset)))
		}
		is = &on
	}
	return &is
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
			r.problems = append(r.problems, cli.Usage(fmt.Errorf("--%s %q is not a duration such as 90s or 4h", flag, text)))
		}
	}
	return &d
}
