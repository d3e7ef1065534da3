package cli

import "github.com/spf13/cobra"

// ChangeFlags are the flags of a command that changes one thing about a number.
type ChangeFlags struct {
	Numbers NumberFlags
	AsJSON  bool
	Consent Consent
}

// Add adds the flags, and those that name the relay. what is what the command prints as JSON.
func (f *ChangeFlags) Add(cmd *cobra.Command, what string) {
	AddJSON(cmd.Flags(), &f.AsJSON, what)
	f.Consent.Add(cmd.Flags(), "")
	f.Numbers.Add(cmd.Flags())
	AddTarget(cmd.Flags())
}
