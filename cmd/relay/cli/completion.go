package cli

import (
	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// completedTexts is how many of the newest texts a shell is offered.
const completedTexts = 50

// CompleteSIDs completes the SIDs of the newest texts, of one state or of all if state is empty. It is silent if the ledger cannot be
// read: nobody looks at the errors of a completion.
func (p Program) CompleteSIDs(state ledger.State) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, _ string) (sids []cobra.Completion, directive cobra.ShellCompDirective) {
		_ = p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) error {
			page, err := d.Ledger.List(cmd.Context(), ledger.Query{State: state, Limit: completedTexts})
			for _, r := range page.Records {
				sids = append(sids, cobra.CompletionWithDesc(r.MessageSid, StateLine(r)+", to "+string(r.TwilioNumber)))
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
