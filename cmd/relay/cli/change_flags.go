package cli

import (
	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/sms"
)

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

// Changing reads the number that was typed and how far the command goes, opens the relay for the change and closes it.
func (p Program) Changing(
	cmd *cobra.Command, typed string, f ChangeFlags, change func(d *target.Target, number sms.PhoneNumber, mode Mode) error,
) error {
	number, err := f.Numbers.Read(typed)
	if err != nil {
		return err
	}
	mode, err := p.Mode(cmd, f.Consent, f.AsJSON)
	if err != nil {
		return err
	}
	return p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) error { return change(d, number, mode) })
}
