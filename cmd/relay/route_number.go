package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// numberFlags are the flags of the commands that are told phone numbers.
type numberFlags struct{ country string }

func (f *numberFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.country, "country", "US", "country of the numbers that are written without a country code, in two letters")
}

// read reads a number as a person writes it.
func (f numberFlags) read(text string) (sms.PhoneNumber, error) {
	country := strings.ToUpper(f.country)
	if !routing.IsCountry(country) {
		return "", usageError{fmt.Errorf("--country %q is no country: want two letters such as US", f.country)}
	}
	number, err := routing.Phone(text, country)
	if err != nil {
		return "", hintedError{usageError{err}, "write it with its country code, such as +18585550100, or name its --country"}
	}
	return number, nil
}

// oneRoute wants one argument.
func oneRoute(_ *cobra.Command, args []string) error {
	switch {
	case len(args) == 0:
		return usageError{errors.New("which route? name its Twilio number")}
	case len(args) > 1:
		return hintedError{usageError{fmt.Errorf("one number at a time: unexpected argument %q", args[1])}, "a number with blanks in it goes between quotes"}
	}
	return nil
}

// completeNumbers completes the numbers that have routes, each with where its texts go. It is silent where the table cannot
// be read: nobody looks at the errors of a completion.
func (p program) completeNumbers(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	routes, err := p.listRoutes(cmd.Context(), cmd.Flags())
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	numbers := make([]cobra.Completion, len(routes))
	for i, r := range routes {
		way := "to " + string(r.DestinationCarrier)
		if !r.Active {
			way += ", inactive"
		}
		numbers[i] = cobra.CompletionWithDesc(string(r.TwilioNumber), way)
	}
	return numbers, cobra.ShellCompDirectiveNoFileComp
}

// routeError adds advice to what goes wrong when a route is changed.
func routeError(err error, number sms.PhoneNumber) error {
	if conflict, ok := errors.AsType[*routing.ConflictError](err); ok {
		hint := "look at it with relay route get " + string(number) + ", and decide again"
		if conflict.Stored.DestinationCarrier == "" {
			hint = "there is no such route: --version 0 is that of a new one"
		}
		return hintedError{err, hint}
	}
	if loops, ok := errors.AsType[route.LoopsError](err); ok {
		return loopsError(loops)
	}
	switch {
	case errors.Is(err, routing.ErrNoRoute):
		return hintedError{
			fmt.Errorf("there is no route of %s", string(number)),
			"relay route ls --all lists those that there are, relay route set makes one",
		}
	case errors.Is(err, routing.ErrNoDestination):
		return hintedError{usageError{err}, "name the phone that its texts go to with --to"}
	default:
		return err
	}
}

// loopsError says in full what [route.LoopsError] masks: operators see the table anyway.
func loopsError(loops route.LoopsError) error {
	lines := make([]string, len(loops))
	for i, loop := range loops {
		lines[i] = fmt.Sprintf("the texts of %s would go round in a loop: its hop %s has a route of its own", string(loop.Number), string(loop.Hop))
	}
	return hintedError{
		errors.New(strings.Join(lines, "\n  ")),
		"relay route ls --all shows that route, too; a number can be a hop only when nothing is routed from it, removed or not",
	}
}
