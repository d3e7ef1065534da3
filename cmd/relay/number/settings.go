package number

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/webhooks"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// wantedSettings returns the settings that the number should have.
func (p program) wantedSettings(flags *pflag.FlagSet, c configuration) (twilio.NumberSettings, error) {
	r := env.New(cli.LookupOf(cli.ServeSettings(), flags, p.Lookup))
	bases := cli.PublicBaseURLs(r)
	if err := r.Err(); err != nil {
		return twilio.NumberSettings{}, cli.SettingsError(err)
	}
	if c.url != "" {
		bases = []string{c.url}
	}
	if c.fallback != "" && len(bases) > 0 {
		bases = []string{bases[0], c.fallback}
	}
	return webhooks.Wanted(bases, c.callback)
}

// carryOut shows what has to change, and changes it if mode says so.
func (p program) carryOut(
	cmd *cobra.Command, client *twilio.Client, plan []webhooks.Plan, wanted twilio.NumberSettings, mode cli.Mode, asJSON bool,
) error {
	if !asJSON {
		for _, one := range plan {
			p.writeChanges(one)
		}
	}
	isChange := func(one webhooks.Plan) bool { return len(one.Changes) > 0 }
	switch {
	case asJSON, !slices.ContainsFunc(plan, isChange):
	case mode == cli.Show:
		fmt.Fprintln(p.Stdout, "Nothing was changed. Add --apply to change it.")
	case mode == cli.Ask && !p.Confirmed(cmd, "Change it?"):
		return cli.ErrNotConfirmed
	}
	for _, one := range plan {
		if mode != cli.Show && isChange(one) {
			if err := p.changeNumber(cmd, client, one, wanted); err != nil {
				return err
			}
			one.Applied = true
		}
		if err := p.report(one, asJSON); err != nil {
			return err
		}
	}
	return nil
}

// changeNumber gives a number its settings.
func (p program) changeNumber(cmd *cobra.Command, client *twilio.Client, one webhooks.Plan, wanted twilio.NumberSettings) error {
	after, err := client.ConfigureNumber(cmd.Context(), one.Sid, wanted)
	if err != nil {
		return p.twilioError(cmd.Flags(), err)
	}
	return webhooks.Lost(after.NumberSettings, wanted)
}

// report says that a number was changed; as JSON also that it was not.
func (p program) report(one webhooks.Plan, asJSON bool) error {
	switch {
	case asJSON:
		return json.NewEncoder(p.Stdout).Encode(one)
	case one.Applied:
		cli.Say(p.Stdout, "Changed %s. To undo it, enter the values after a minus in Twilio's console.", one.PhoneNumber)
	}
	return nil
}

// writeChanges shows what has to change.
func (p program) writeChanges(result webhooks.Plan) {
	if len(result.Changes) == 0 {
		cli.Printf(p.Stdout, "%s is already configured like this.\n", result.PhoneNumber)
		return
	}
	cli.Printf(p.Stdout, "%s (%s)\n", result.PhoneNumber, result.Sid)
	webhooks.WriteChanges(p.Stdout, result.Changes)
}
