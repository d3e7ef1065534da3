// Package dlq is `relay dlq`: it shows the dead letters, moves them back to the queue, drops them and restores them. How that is done is in
// package deadletters.
package dlq

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/deadletters"
	"quickdumpnow.com/smsrelay/cmd/relay/meaning"
	"quickdumpnow.com/smsrelay/cmd/relay/typed"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay dlq`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:     "dlq",
		Aliases: []string{"dead-letters"},
		Short:   "See the dead letters, and move them back to the queue",
		Long: `dlq works on the dead-letter queue: the texts whose attempts are used up, and anything else the sender could not process.
It shows each letter with what the ledger says about its text.

First fix what was broken (relay explain code says what an error means), then move the letters back with relay dlq redrive. If a
letter is moved twice, its text is sent only once: the ledger makes sure of it.`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.dlqListCommand(), p.dlqShowCommand(), p.dlqRedriveCommand(), p.dlqDropCommand(), p.dlqRestoreCommand())
	return cmd
}

// filterFlags are the flags that choose letters.
type filterFlags struct {
	reason, number, since, until string
	sids                         []string
	numbers                      cli.NumberFlags
	// isName: number is a sender's name.
	isName bool
}

func (f *filterFlags) add(cmd *cobra.Command, sids cobra.CompletionFunc) {
	flags := cmd.Flags()
	flags.StringVar(&f.reason, "reason", "", "only letters with this reason, such as attempts_exhausted")
	flags.StringVar(&f.number, "number", "", "only texts from or to this number")
	flags.StringVar(&f.since, "since", "", "only texts that came in after this time: "+cli.MomentHelp)
	flags.StringVar(&f.until, "until", "", "only texts that came in before this time, written the same way")
	flags.StringSliceVar(&f.sids, "sid", nil, "only this text; may be repeated")
	f.numbers.Add(flags)
	cli.CompleteWords(cmd, "reason", meaning.ReasonNames())
	_ = cmd.RegisterFlagCompletionFunc("sid", sids)
}

// checkWords finds words that can match no letter.
func (f *filterFlags) checkWords() (problems []error) {
	if f.reason != "" {
		if _, err := typed.Word(f.reason, meaning.ReasonNames()); err != nil {
			problems = append(problems, fmt.Errorf("--reason: %w", err))
		}
	}
	for i, id := range f.sids {
		if letterID.MatchString(id) {
			continue
		}
		sid, err := typed.SID(id)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		f.sids[i] = sid
	}
	return problems
}

// letterID is the form of a queue's ids for its letters: a UUID or a number.
var letterID = regexp.MustCompile(`^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9]+)$`)

// filter reads the flags.
func (f *filterFlags) filter(now time.Time) (deadletters.Filter, error) {
	number, isName, err := f.numbers.ReadSender(f.number)
	if err != nil {
		return deadletters.Filter{}, err
	}
	f.isName = isName
	filter := deadletters.Filter{Reason: ledger.Reason(f.reason), Number: number, IDs: f.sids}
	problems := f.checkWords()
	if filter.Since, err = cli.ReadMoment(f.since, now); err != nil {
		problems = append(problems, fmt.Errorf("--since: %w", err))
	}
	if filter.Until, err = cli.ReadMoment(f.until, now); err != nil {
		problems = append(problems, fmt.Errorf("--until: %w", err))
	}
	if err := errors.Join(problems...); err != nil {
		return filter, cli.Usage(err)
	}
	return filter, nil
}

func (p program) dlqListCommand() *cobra.Command {
	var asJSON, quiet bool
	var wanted filterFlags
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the dead letters",
		Long: `ls lists the dead letters, and says what would happen to each if you moved it back to the queue. The letters stay where
they are. While ls reads a letter, other commands cannot see it; they see it again afterwards, even if you press Ctrl-C.

A queue shows only ten letters of one conversation at a time. If there are more than ls could show, the last line says how many.`,
		Example: `  relay dlq ls
  relay dlq ls --since 2h --number +18585550100
  relay dlq ls --aws --json | jq -r '.Letters[] | select(.outlook == "again") | .message_sid'`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			listed, err := p.readLetters(cmd.Context(), cmd.Flags(), &wanted)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(p.Stdout).Encode(shownLetters(listed, false))
			}
			if quiet {
				for _, l := range listed.Letters {
					cli.Printf(p.Stdout, "%s\n", l.ID())
				}
				return nil
			}
			return writeLetters(p.Stdout, listed)
		},
	}
	cli.AddQuiet(cmd.Flags(), &quiet)
	cli.AddJSON(cmd.Flags(), &asJSON, "an object with the letters, and how many could not be shown")
	wanted.add(cmd, p.CompleteSIDs(ledger.Dead))
	cli.AddTarget(cmd.Flags())
	return cmd
}

// readLetters opens the relay and reads its dead letters.
func (p program) readLetters(ctx context.Context, flags *pflag.FlagSet, wanted *filterFlags) (listed deadletters.Found, err error) {
	filter, err := wanted.filter(time.Now())
	if err != nil {
		return listed, err
	}
	d, err := p.OpenTarget(ctx, flags)
	if err != nil {
		return listed, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	if listed, err = deadletters.List(ctx, d.DeadLetters, d.Ledger, filter); err == nil && len(listed.Letters) == 0 && wanted.isName {
		err = cli.CheckName(ctx, d.Ledger, filter.Number)
	}
	return listed, err
}

func (p program) dlqShowCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "show SID",
		Aliases: []string{"view", "get"},
		Short:   "Show one dead letter, with its text",
		Long: `show prints the letters of one text in full, with what the customer wrote and the attempts in the ledger. If a letter
cannot be read, name it by the id that ls shows.`,
		Example: `  relay dlq show SM0123456789abcdef0123456789abcdef`,
		Args:    cli.OneSID,

		ValidArgsFunction: p.CompleteSIDs(ledger.Dead),
		RunE: func(cmd *cobra.Command, args []string) error {
			listed, err := p.readLetters(cmd.Context(), cmd.Flags(), &filterFlags{sids: args, numbers: cli.NumberFlags{Country: cli.DefaultCountry}})
			if err != nil {
				return err
			}
			if len(listed.Letters) == 0 {
				return noLetter(args[0], listed)
			}
			if asJSON {
				return json.NewEncoder(p.Stdout).Encode(shownLetters(listed, true))
			}
			for _, l := range listed.Letters {
				writeLetter(p.Stdout, l)
			}
			return nil
		},
	}
	cli.AddJSON(cmd.Flags(), &asJSON, "an object")
	cli.AddTarget(cmd.Flags())
	return cmd
}

func noLetter(sid string, listed deadletters.Found) error {
	err := fmt.Errorf("there is no dead letter of %s: %s", sid, countLine(deadletters.Found{Seen: listed.Seen}))
	if notShown := listed.NotShown; notShown > 0 {
		return cli.Hinted(err, fmt.Sprintf("%d letters could not be read: they are behind others of their conversation, or another command "+
			"has them", notShown))
	}
	return cli.Hinted(err, "relay dlq ls lists all dead letters")
}
