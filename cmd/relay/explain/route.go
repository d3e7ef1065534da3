package explain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/rota"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// routeFlags are the flags of explain route.
type routeFlags struct {
	from, to, body, at string
	asJSON             bool
	numbers            cli.NumberFlags
}

func (p program) routeCommand() *cobra.Command {
	var f routeFlags
	cmd := &cobra.Command{
		Use:   "route --from CUSTOMER --to NUMBER",
		Short: "Where a text of a customer would go, now or at another time",
		Long: `route says where a text would go if a customer sent it to a number: which phones are on duty then, in which order they are tried,
and until when. The sender's own code decides. Nothing is sent or changed.

--at says when the text comes in, by the clocks of the route's time zone. Who has opted out, and who has the customer, counts as it is
kept now.`,
		Example: `  relay explain route --from +13125550147 --to +18585550100
  relay explain route --from +13125550147 --to +18585550100 --at "Sat 22:30"`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.explainRoute(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.from, "from", "", "the customer who writes")
	flags.StringVar(&f.to, "to", "", "the Twilio number that they write to")
	flags.StringVar(&f.body, "body", "Hello", "what they write")
	flags.StringVar(&f.at, "at", "", "when the text comes in: "+cli.AheadHelp+" (default now)")
	cli.AddJSON(flags, &f.asJSON, "where the text would go, and who is on duty")
	f.numbers.Add(flags)
	cli.AddTarget(flags)
	return cmd
}

func (p program) explainRoute(cmd *cobra.Command, f routeFlags) error {
	for _, flag := range []string{"from", "to"} {
		if !cmd.Flags().Changed(flag) {
			return cli.Usage(fmt.Errorf("--%s is missing", flag))
		}
	}
	from, _, err := f.numbers.ReadSender(f.from)
	if err != nil {
		return err
	}
	to, err := f.numbers.ReadFlag("to", f.to)
	if err != nil {
		return err
	}
	return p.WithTarget(cmd.Context(), cmd.Flags(), func(d *target.Target) error {
		book := rota.Book{Routes: d.Routes, Records: d.Ledger, Conversations: d.Conversations, Now: time.Now}
		where, err := book.Where(cmd.Context(), operations.WhereQuestion{TwilioNumber: to, Customer: from, Body: f.body, At: f.at})
		if refused, ok := errors.AsType[operations.OrderError](err); ok {
			return cli.Usage(fmt.Errorf("--%s: %s", refused.Field, refused.Detail))
		}
		if err != nil {
			return err
		}
		if f.asJSON {
			return json.NewEncoder(p.Stdout).Encode(where)
		}
		writeWhere(p.Stdout, where)
		return nil
	})
}

// readAhead reads the flag --at by the clocks of the number's route: a moment after now, or now.
func readAhead(ctx context.Context, routes route.Lookup, number sms.PhoneNumber, text string, now time.Time) (time.Time, error) {
	found, err := routes.Lookup(ctx, number.Spellings()...)
	if err != nil {
		return time.Time{}, err
	}
	way, _ := route.Find(found, number)
	place, err := way.Place()
	if err != nil {
		return time.Time{}, fmt.Errorf("the time zone of %s: %w", string(number), err)
	}
	at, err := cli.ReadAhead(text, now.In(place))
	if err != nil {
		return time.Time{}, cli.Usage(fmt.Errorf("--at: %w", err))
	}
	return ledger.Stamp(at).In(place), nil
}

// writeWhere says for people where a text would go.
func writeWhere(out io.Writer, w operations.Where) {
	for _, sentence := range rota.Sentences(w) {
		cli.Say(out, "%s", sentence)
	}
}
