package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/cmd/relay/typed"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// defaultCountry is that of numbers which are written without a country code.
const defaultCountry = "US"

// numberFlags are the flags of the commands that are told phone numbers.
type numberFlags struct {
	country string
	// insist takes numbers that no phone can have.
	insist bool
}

func (f *numberFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.country, "country", defaultCountry, "country of the numbers that are written without a country code, in two letters")
}

// countryHint is what to do about a number that cannot be read.
const countryHint = "write it with its country code, such as +18585550100, or name its --country"

// read reads a number as a person writes it.
func (f numberFlags) read(text string) (sms.PhoneNumber, error) {
	country, err := f.region()
	if err != nil {
		return "", err
	}
	number, err := typed.Phone(text, country, f.insist)
	if err != nil {
		return "", hintedError{usageError{err}, countryHint}
	}
	return number, nil
}

func (f numberFlags) region() (string, error) {
	country := strings.ToUpper(f.country)
	if !typed.IsCountry(country) {
		return "", usageError{fmt.Errorf("--country %q is no country: want two letters such as US", f.country)}
	}
	return country, nil
}

// readFlag reads a number that a flag names; empty stays empty.
func (f numberFlags) readFlag(flag, text string) (sms.PhoneNumber, error) {
	if text == "" {
		return "", nil
	}
	number, err := f.read(text)
	return number, inFlag(flag, err)
}

// readSender reads who texts are from or to, which may also be a short code, an address of another channel or a sender's name;
// empty stays empty. A name may as well be a slip: if nothing is found for it, [nobodyNamed] says so.
func (f numberFlags) readSender(text string) (address sms.PhoneNumber, isName bool, err error) {
	if text == "" {
		return "", false, nil
	}
	country, err := f.region()
	if err != nil {
		return "", false, err
	}
	if address, isName, err = typed.Sender(text, country); err != nil {
		return "", false, inFlag("number", hintedError{usageError{err}, countryHint})
	}
	return address, isName, nil
}

// nobodyNamed refuses a name from which and to which no text is: "nothing found" would be taken for good news.
func nobodyNamed(name sms.PhoneNumber) error {
	return usageError{fmt.Errorf("--number: %q is no phone number such as +18585550100, and no text is from a sender of that name", string(name))}
}

// checkName refuses a sender's name that the ledger does not know.
func checkName(ctx context.Context, texts ledger.Lister, name sms.PhoneNumber) error {
	page, err := texts.List(ctx, ledger.Query{Number: name, Limit: 1})
	if err == nil && len(page.Records) == 0 {
		return nobodyNamed(name)
	}
	return err
}

// inFlag says in which flag it is that something is wrong.
func inFlag(flag string, err error) error {
	if hinted, ok := errors.AsType[hintedError](err); ok {
		return hintedError{usageError{fmt.Errorf("--%s: %w", flag, hinted.error)}, hinted.hint}
	}
	return err
}

// readSIDs reads the SIDs of texts.
func readSIDs(texts []string) ([]string, error) {
	var sids []string
	for _, text := range texts {
		sid, err := typed.SID(text)
		if err != nil {
			return nil, usageError{err}
		}
		sids = append(sids, sid)
	}
	return sids, nil
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
