// Package explain is `relay explain`: it says what the relay does about an error or a phone's text, and what states and reasons mean.
// It calls the same functions as the sender, and changes nothing.
package explain

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// subject is one kind of thing that explain knows: codes, states, … Each is a command of its own.
type subject struct {
	// name is the command, plural another name for it, argument the name of its argument.
	name, plural, argument string
	short                  string
	// all returns all explanations, for the list and for the completion of arguments.
	all func() []explanation
	// find explains one by its name. It may also explain names that all does not list.
	find func(name string) (explanation, error)
}

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay explain`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:   "explain",
		Short: "Say what the relay does about an error, and why",
		Long: `explain says what the relay does about one of Twilio's error codes, an HTTP status, a broken connection or a receipt, and
what the states and reasons in the ledger mean. It needs no relay and no network: it reads the same table as the relay. Without an
argument, each command lists everything it knows.

answer and route ask a relay: they say what would become of a text of a phone on duty, and where one of a customer would go.`,
		Example: `  relay explain code 21610
  relay explain receipt 30003
  relay explain http 503
  relay explain transport no-answer
  relay explain state uncertain
  relay explain codes --json
  relay explain answer --from +16195550123 --to +18585550100 --body "Yes, at three"
  relay explain route --from +13125550147 --to +18585550100 --at "Sat 22:30"`,
		Args: unknownSubject,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	for _, s := range subjects() {
		cmd.AddCommand(p.subjectCommand(s))
	}
	cmd.AddCommand(p.answerCommand(), p.routeCommand())
	return cmd
}

// unknownSubject refuses a subject that explain does not have. A number was probably meant as a code.
func unknownSubject(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	err := cli.UnknownName("subject", args[0], cmd)
	if _, notNumber := strconv.Atoi(args[0]); notNumber == nil {
		return cli.Hinted(err, fmt.Sprintf("try relay explain code %s, or relay explain http %s", args[0], args[0]))
	}
	return err
}

func (p program) subjectCommand(s subject) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     fmt.Sprintf("%s [%s]", s.name, s.argument),
		Aliases: []string{s.plural},
		Short:   s.short,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return cli.NoArguments(cmd, args[1:])
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return p.printList(s.all(), asJSON)
			}
			found, err := s.find(strings.ToLower(args[0]))
			if err != nil {
				return err
			}
			return p.printExplanation(found, asJSON)
		},
		ValidArgsFunction: s.complete,
	}
	cli.AddJSON(cmd.Flags(), &asJSON, "an object, or without an argument an array of objects")
	return cmd
}

// complete offers the names that begin with what has been typed, each with its meaning.
func (s subject) complete(_ *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	for _, e := range s.all() {
		if len(args) == 0 && strings.HasPrefix(e.Name, typed) {
			names = append(names, cobra.CompletionWithDesc(e.Name, e.Meaning))
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (p program) printList(all []explanation, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(all)
	}
	return writeTable(p.Stdout, all)
}

func (p program) printExplanation(e explanation, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(e)
	}
	return e.write(p.Stdout)
}

// subjects lists what explain knows, in the order of its help.
func subjects() []subject {
	return []subject{
		{"code", "codes", "CODE", "One of Twilio's error codes, in an answer to a POST and in a receipt", allCodes, findCode},
		{"receipt", "receipts", "CODE|STATUS", "A receipt for a message that was not delivered, by its code or status", allReceipts, findReceipt},
		{"http", "statuses", "STATUS", "An HTTP status, if there is no code of Twilio", allHTTP, findHTTP},
		{"transport", "transports", "OUTCOME", "A connection that broke off: not-sent, no-answer, cut-short, …", allTransport, findTransport},
		{"state", "states", "STATE", "A state of a text in the ledger", allStates, findState},
		{"reason", "reasons", "REASON", "A reason that the ledger gives for a state", allReasons, findReason},
	}
}

// named finds an explanation by its name. If there is none, the error lists all names.
func named(what, name string, all []explanation) (explanation, error) {
	known := make([]string, 0, len(all))
	for _, e := range all {
		if e.Name == name {
			return e, nil
		}
		known = append(known, e.Name)
	}
	return explanation{}, cli.NotAmong(what, name, known)
}

// numbered reads a number within bounds; what describes the bounds in words.
func numbered(name, what string, least, most int) (int, error) {
	number, err := strconv.Atoi(name)
	if err != nil || number < least || number > most {
		return 0, cli.Usage(fmt.Errorf("%q is not a valid %s", name, what))
	}
	return number, nil
}
