package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/desk"
	"quickdumpnow.com/smsrelay/cmd/relay/letters"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/reconcile"
)

// listPrice is what a segment costs if nobody says otherwise, in US dollars: Twilio's list price of an outbound SMS segment
// in the US, without the carriers' fees. It is an assumption of estimates alone.
const listPrice = 0.0083

// redriveFlags are the flags of dlq redrive.
type redriveFlags struct {
	wanted           filterFlags
	rate             string
	price            float64
	apply, askTwilio bool
	asJSON           bool
}

func (p program) dlqRedriveCommand() *cobra.Command {
	var f redriveFlags
	cmd := &cobra.Command{
		Use:   "redrive",
		Short: "Move dead letters back to the queue",
		Long: `redrive moves dead letters back to the queue, so that their texts are sent again. Without --apply it only says what that
would come to: how many would be sent, which Twilio has already, and what it would cost.

Letters of which nothing would come stay where they are. --ask-twilio looks at Twilio's list, too, for messages that the
ledger does not know of. A letter is put on the queue before it is deleted here: if the command ends in between, a copy stays
behind, and the ledger makes it harmless. So does a second redrive at the same time.`,
		Example: `  relay dlq redrive
  relay dlq redrive --since 2h --ask-twilio
  relay dlq redrive --number +18585550100 --rate 1/s --apply`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.redrive(cmd, f) },
	}
	flags := cmd.Flags()
	flags.BoolVar(&f.apply, "apply", false, "move them; without it, only say what would be done")
	flags.StringVar(&f.rate, "rate", "5/s", "most letters to move in a time, such as 1/s or 10/30s")
	flags.BoolVar(&f.askTwilio, "ask-twilio", false, "look at Twilio's list for each text, and leave those that stand on it")
	flags.Float64Var(&f.price, "price", listPrice, "price of one segment for the estimate; the default is Twilio's in US dollars in the US, without carriers' fees")
	flags.BoolVar(&f.asJSON, "json", false, "print JSON: the plan, and what was done of it")
	f.wanted.add(flags)
	addDesk(flags)
	addTwilio(flags)
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
		return 0, usageError{fmt.Errorf("--rate: %q is no rate such as 5/s or 10/30s", text)}
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
	var messages reconcile.Messages
	if f.askTwilio {
		if messages, err = p.openTwilio(cmd.Flags()); err != nil {
			return err
		}
	}
	d, err := p.openDesk(ctx, cmd.Flags())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	move := letters.Move{From: d.DeadLetters, To: d.Queue, Records: d.Ledger, Filter: filter, Pause: pause}
	if messages != nil {
		move.Asked = letters.Asking(messages, d.Ledger, time.Now)
	}
	planned, err := planRedrive(ctx, d, move)
	if err != nil {
		return err
	}
	if !f.apply {
		return p.printPlan(planned, f)
	}
	return p.applyRedrive(ctx, move, planned, f)
}

// redrivePlan is what a redrive would come to.
type redrivePlan struct {
	letters.Plan

	listed letterList
}

// planRedrive reads the letters and asks Twilio about them, if it is to be asked.
func planRedrive(ctx context.Context, d *desk.Desk, move letters.Move) (redrivePlan, error) {
	listed, err := listLetters(ctx, d, move.Filter)
	if err != nil {
		return redrivePlan{}, err
	}
	for i, l := range listed.letters {
		if listed.letters[i], err = move.Ask(ctx, l); err != nil {
			return redrivePlan{}, err
		}
	}
	return redrivePlan{Plan: letters.PlanOf(listed.letters), listed: listed}, nil
}

// shownPlan is a plan as JSON.
type shownPlan struct {
	Moving    int                     `json:"moving"`
	Segments  int                     `json:"segments"`
	Estimate  float64                 `json:"estimate"`
	Price     float64                 `json:"price_of_a_segment"`
	Oldest    *time.Time              `json:"oldest,omitempty"`
	ByReason  map[string]int          `json:"by_reason"`
	ByOutlook map[letters.Outlook]int `json:"by_outlook"`
	NotShown  int                     `json:"not_shown"`
	Letters   []shownLetter           `json:"letters"`
	// Applied, Moved and Left are what was done.
	Applied bool `json:"applied"`
	Moved   int  `json:"moved"`
	Left    int  `json:"left"`
}

func (f redriveFlags) shown(planned redrivePlan) shownPlan {
	shown := shownPlan{
		Moving: planned.Moving, Segments: planned.Segments, Estimate: float64(planned.Segments) * f.price, Price: f.price,
		ByReason: planned.ByReason, ByOutlook: planned.ByOutlook, NotShown: planned.listed.notShown,
		Letters: shownLetters(letterList{letters: planned.Letters}, false).Letters,
	}
	if !planned.Oldest.IsZero() {
		shown.Oldest = &planned.Oldest
	}
	return shown
}

func (p program) printPlan(planned redrivePlan, f redriveFlags) error {
	if f.asJSON {
		return json.NewEncoder(p.stdout).Encode(f.shown(planned))
	}
	p.writePlan(planned, f)
	if planned.Moving > 0 {
		fmt.Fprintln(p.stdout, "\nNothing was moved. The same command with --apply moves them.")
	}
	return nil
}

// writePlan says what a redrive would come to, for people.
func (p program) writePlan(planned redrivePlan, f redriveFlags) {
	fmt.Fprintln(p.stdout, countLine(planned.listed))
	if len(planned.Letters) == 0 {
		return
	}
	printf(p.stdout, "  put there for:  %s\n", countsOf(planned.ByReason))
	printf(p.stdout, "  oldest text:    %s\n", planned.Oldest.UTC().Format(time.RFC3339))
	for _, o := range letters.Outlooks() {
		if n := planned.ByOutlook[o]; n > 0 {
			verb := "would stay"
			if o.Moves() {
				verb = "would move"
			}
			printf(p.stdout, "  %-15s %d: %s\n", verb+":", n, o.Meaning())
		}
	}
	printf(p.stdout, "  cost:           %s, about %.2f (at %g each, to one phone each)\n", plural(planned.Segments, "segment"), float64(planned.Segments)*f.price, f.price)
}

// applyRedrive moves the letters, and says how far it got also if it ends early.
func (p program) applyRedrive(ctx context.Context, move letters.Move, planned redrivePlan, f redriveFlags) error {
	bar := newProgress(p.stderr, planned.Moving)
	if !f.asJSON {
		p.writePlan(planned, f)
		fmt.Fprintln(p.stdout)
	}
	move.Report = func(l letters.Letter, moved bool) {
		if moved {
			bar.step(l.ID() + " moved")
		}
	}
	tally, err := move.Run(ctx)
	bar.done()
	if f.asJSON {
		shown := f.shown(planned)
		shown.Applied, shown.Moved, shown.Left = true, tally.Moved, tally.Left
		return errors.Join(json.NewEncoder(p.stdout).Encode(shown), interrupted(ctx, err))
	}
	printf(p.stdout, "%s moved, %d left where they are.\n", plural(tally.Moved, "letter"), tally.Left)
	if err == nil && tally.Left > 0 {
		fmt.Fprintln(p.stdout, "relay dlq ls says why each was left; relay dlq drop --settled takes away those that are of no more use.")
	}
	return interrupted(ctx, err)
}

// interrupted words the error of a command that was told to end.
func interrupted(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return hintedError{errors.New("interrupted"), "what was not done is as it was; the same command goes on from there"}
	}
	return err
}
