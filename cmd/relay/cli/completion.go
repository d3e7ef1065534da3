package cli

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// completedTexts is how many of the newest texts a shell is offered.
const completedTexts = 50

// CompleteSIDs completes the SIDs of the newest texts that are not named yet: of these states, or of all if none is given. It is
// silent if the ledger cannot be read: nobody looks at the errors of a completion.
func (p Program) CompleteSIDs(states ...ledger.State) cobra.CompletionFunc {
	if len(states) == 0 {
		states = []ledger.State{""}
	}
	return func(cmd *cobra.Command, named []string, _ string) (sids []cobra.Completion, directive cobra.ShellCompDirective) {
		_ = p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) (err error) {
			for _, state := range states {
				page, failed := d.Ledger.List(cmd.Context(), ledger.Query{State: state, Limit: completedTexts})
				err = errors.Join(err, failed)
				for _, r := range page.Records {
					if !slices.Contains(named, r.MessageSid) {
						sids = append(sids, cobra.CompletionWithDesc(r.MessageSid, StateLine(r)+", to "+string(r.TwilioNumber)))
					}
				}
			}
			return err
		})
		return sids, cobra.ShellCompDirectiveNoFileComp
	}
}

// CompleteWords completes a flag with one of the known words.
func CompleteWords(cmd *cobra.Command, flag string, words []string) {
	_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
}
