package dlq

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/deadletters"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/reconcile"
)

// redriveFlags are the flags of dlq redrive.
type redriveFlags struct {
	wanted    filterFlags
	rate      string
	price     float64
	askTwilio bool
	consent   cli.Consent
	asking    bool
	asJSON    bool
}

func (p program) dlqRedriveCommand() *cobra.Command {
	var f redriveFlags
	cmd := &cobra.Command{
		Use:   "redrive",
		Short: "Move dead letters back to the queue",
		Long: `redrive moves dead letters back to the queue, and their texts are sent again. Without --apply it only says what would
happen: how many texts would be sent, which of them Twilio already has, and what it would cost.

A letter stays where it is if moving it would send nothing. With --ask-twilio, redrive also searches Twilio's list for messages
that the ledger does not know. redrive puts a letter on the queue before it deletes the old one. If it is interrupted in between,
or if two people run it at once, a copy remains; the ledger makes sure that the text is sent only once.

The audit log records who moved each letter (RELAY_OPERATOR, or else the user name on this host).`,
		Example: `  relay dlq redrive
  relay dlq redrive --since 2h --ask-twilio
  relay dlq redrive --number +18585550100 --rate 1/s --apply`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.redrive(cmd, f) },
	}
	flags := cmd.Flags()
	f.consent.Add(flags, "move the letters; without it, only say what would happen")
	flags.StringVar(&f.rate, "rate", "5/s", "move at most this many letters in this time, such as 1/s or 10/30s")
	flags.BoolVar(&f.askTwilio, "ask-twilio", false, "search Twilio's list for each text, and leave the letters whose texts are on it")
	flags.Float64Var(&f.price, "price", cli.ListPrice, "price of one segment for the estimate; the default is Twilio's US price in US "+
		"dollars, without carrier fees")
	cli.AddJSON(flags, &f.asJSON, "the plan, and what was done")
	f.wanted.add(cmd, p.CompleteSIDs(ledger.Dead))
	cli.AddTarget(flags)
	cli.AddTwilio(flags)
	return cmd
}

// readRate reads a rate and returns the pause between two moves.
func readRate(text string) (time.Duration, error) {
	many, per, found := strings.Cut(text, "/")
	if found && strings.Trim(per, "smh") == "" {
		per = "1" + per
	}
	limit, err := pace.Parse(many + "/" + per)
	if !found || err != nil || limit.Off() {
		return 0, cli.Usage(fmt.Errorf("--rate: %q is not a rate such as 5/s or 10/30s", text))
	}
	return limit.Per / time.Duration(limit.N), nil
}

func (p program) redrive(cmd *cobra.Command, f redriveFlags) (err error) {
	ctx := cmd.Context()
	pause, err := readRate(f.rate)
	if err != nil {
		return err
	}
	filter, err := f.wanted.filter(time.Now())
	if err != nil {
		return err
	}
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	var messages reconcile.Messages
	if f.askTwilio {
		if messages, err = p.OpenTwilio(cmd.Flags()); err != nil {
			return err
		}
	}
	d, err := p.OpenTarget(ctx, cmd.Flags())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	move := deadletters.Move{
		From: d.DeadLetters, To: d.Queue, Records: d.Ledger, Filter: filter, Pause: pause,
		Note: deadletters.Recorded(d.Conversations, p.Operator(""), time.Now),
	}
	if messages != nil {
		move.Asked = deadletters.Asking(messages, d.Ledger, time.Now)
	}
	planned, err := planRedrive(ctx, d, move)
	if err != nil {
		return err
	}
	if f.asking = mode == cli.Ask; mode != cli.Do {
		if err := p.printPlan(planned, f); err != nil || mode == cli.Show || planned.Moving == 0 {
			return err
		}
		if !p.Confirmed(cmd, "Move them?") {
			return cli.ErrNotConfirmed
		}
	}
	return p.applyRedrive(ctx, move, planned, f)
}

// redrivePlan is what a redrive would do.
type redrivePlan struct {
	deadletters.Plan

	listed deadletters.Found
}

// planRedrive reads the letters and asks Twilio about them, if it is to be asked.
func planRedrive(ctx context.Context, d *target.Target, move deadletters.Move) (redrivePlan, error) {
	listed, err := deadletters.List(ctx, d.DeadLetters, d.Ledger, move.Filter)
	if err != nil {
		return redrivePlan{}, err
	}
	for i, l := range listed.Letters {
		if listed.Letters[i], err = move.Ask(ctx, l); err != nil {
			return redrivePlan{}, err
		}
	}
	return redrivePlan{Plan: deadletters.PlanOf(listed.Letters), listed: listed}, nil
}

// shownPlan is a plan as JSON.
type shownPlan struct {
	Moving    int                         `json:"moving"`
	Segments  int                         `json:"segments"`
	Estimate  float64                     `json:"estimate"`
	Price     float64                     `json:"price_of_a_segment"`
	Oldest    *time.Time                  `json:"oldest,omitempty"`
	ByReason  map[string]int              `json:"by_reason"`
	ByOutlook map[deadletters.Outlook]int `json:"by_outlook"`
	NotShown  int                         `json:"not_shown"`
	Letters   []shownLetter               `json:"letters"`
	// Applied, Moved and Left are what was done.
	Applied bool `json:"applied"`
	Moved   int  `json:"moved"`
	Left    int  `json:"left"`
}

func (f redriveFlags) shown(planned redrivePlan) shownPlan {
	shown := shownPlan{
		Moving: planned.Moving, Segments: planned.Segments, Estimate: float64(planned.Segments) * f.price, Price: f.price,
		ByReason: planned.ByReason, ByOutlook: planned.ByOutlook, NotShown: planned.listed.NotShown,
		Letters: shownLetters(deadletters.Found{Letters: planned.Letters}, false).Letters,
	}
	if !planned.Oldest.IsZero() {
		shown.Oldest = &planned.Oldest
	}
	return shown
}

func (p program) printPlan(planned redrivePlan, f redriveFlags) error {
	if f.asJSON {
		return json.NewEncoder(p.Stdout).Encode(f.shown(planned))
	}
	p.writePlan(planned, f)
	if planned.Moving > 0 && !f.asking {
		fmt.Fprintln(p.Stdout, "\nNothing was moved. To move them, add --apply.")
	}
	return nil
}

// writePlan prints what a redrive would do, for people.
func (p program) writePlan(planned redrivePlan, f redriveFlags) {
	fmt.Fprintln(p.Stdout, countLine(planned.listed))
	if len(planned.Letters) == 0 {
		return
	}
	p.writePlanned("reasons", cli.CountsOf(planned.ByReason))
	p.writePlanned("oldest text", cli.At(p.Stdout, planned.Oldest))
	for _, o := range deadletters.Outlooks() {
		if n := planned.ByOutlook[o]; n > 0 {
			verb := "would stay"
			if o.Moves() {
				verb = "would move"
			}
			p.writePlanned(verb, fmt.Sprintf("%d: %s", n, o.Meaning()))
		}
	}
	p.writePlanned("cost", fmt.Sprintf("%s, about %.2f (%g for each segment, one phone for each text)",
		cli.Plural(planned.Segments, "segment"), float64(planned.Segments)*f.price, f.price))
}

// writePlanned prints one line of the plan: its title, and what it says.
func (p program) writePlanned(title, says string) {
	fmt.Fprintf(p.Stdout, "  %-15s ", title+":")
	cli.Hanging(p.Stdout, 18, says)
}

// applyRedrive moves the letters, and says how far it got, even if it is interrupted.
func (p program) applyRedrive(ctx context.Context, move deadletters.Move, planned redrivePlan, f redriveFlags) error {
	bar := cli.NewProgress(p.Stderr, planned.Moving)
	if !f.asJSON {
		p.writePlan(planned, f)
		fmt.Fprintln(p.Stdout)
	}
	move.Report = func(l deadletters.Letter, moved bool) {
		if moved {
			bar.Step(l.ID() + " moved")
		}
	}
	tally, err := move.Run(ctx)
	bar.Done()
	if f.asJSON {
		shown := f.shown(planned)
		shown.Applied, shown.Moved, shown.Left = true, tally.Moved, tally.Left
		return errors.Join(json.NewEncoder(p.Stdout).Encode(shown), cli.Interrupted(ctx, err))
	}
	cli.Printf(p.Stdout, "%s moved, %d left where they are.\n", cli.Plural(tally.Moved, "letter"), tally.Left)
	if err == nil && tally.Left > 0 {
		fmt.Fprintln(p.Stdout, "relay dlq ls says why each was left; relay dlq drop --settled deletes those that are no longer needed.")
	}
	return cli.Interrupted(ctx, err)
}
