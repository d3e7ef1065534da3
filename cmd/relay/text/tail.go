package text

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/auditsource"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/inert"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// tailFlags are the flags of tail.
type tailFlags struct {
	number, state, since string
	numbers              cli.NumberFlags
	asJSON               bool
}

// TailCommand returns `relay tail`.
func TailCommand(base cli.Program) *cobra.Command {
	p := program{base}
	var f tailFlags
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Watch texts as they pass through",
		Long: `tail shows each change of each text when the audit log gets it, until you press Ctrl-C. On this host that takes a moment; on
AWS a few seconds, and each look at the log costs a request.

The audit log shows only the last digits of numbers, so --number shows every text whose number ends in the same digits.`,
		Example: `  relay tail
  relay tail --state failed --aws
  relay tail --since 10m --json | jq -r .message_sid`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.tail(cmd, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.number, "number", "", "only texts from or to numbers with the same last digits")
	flags.StringVar(&f.state, "state", "", "only changes to this state")
	flags.StringVar(&f.since, "since", "", "start at this time: "+cli.MomentHelp+" (default now)")
	cli.AddJSON(flags, &f.asJSON, "the entries of the audit log, one per line")
	_ = cmd.RegisterFlagCompletionFunc("state", completeStates)
	f.numbers.Add(flags)
	cli.AddAuditSource(flags)
	return cmd
}

const (
	// fileInterval and cloudInterval are how often the log is read, cloudLag how late its lines may reach CloudWatch.
	fileInterval  = 200 * time.Millisecond
	cloudInterval = 2 * time.Second
	cloudLag      = 2 * time.Minute
)

func (p program) tail(cmd *cobra.Command, f tailFlags) (err error) {
	if err := checkState(f.state); err != nil {
		return err
	}
	number, _, err := f.numbers.ReadSender(f.number)
	if err != nil {
		return err
	}
	f.number = string(number)
	now := time.Now()
	since, err := cli.ReadMoment(f.since, now)
	if err != nil {
		return cli.Usage(fmt.Errorf("--since: %w", err))
	}
	if since.IsZero() {
		since = now
	}
	source, err := p.OpenAuditSource(cmd.Context(), cmd.Flags(), true, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	follower := auditsource.Follower{Source: source, Since: since, Interval: fileInterval, Overlap: cloudLag, Now: time.Now}
	if !source.Numbered {
		follower.Interval = cloudInterval
	}
	return follower.Run(cmd.Context(), func(line auditlog.Line) error {
		entry, err := auditlog.Parse(line.Text)
		if err != nil || entry.Time.Before(since) || !f.wants(entry) {
			// relay audit verify reports lines that are not entries.
			return nil //nolint:nilerr // see above.
		}
		if f.asJSON {
			return cli.WriteLogged(p.Stdout, line.Text)
		}
		_, err = io.WriteString(p.Stdout, inert.Line(changeLine(p.Stdout, entry))+"\n")
		return err
	})
}

// wants reports whether to show the entry.
func (f tailFlags) wants(e auditlog.Entry) bool {
	masked := sms.PhoneNumber(f.number).Mask()
	return e.Subject == auditlog.SubjectMessage && (f.state == "" || e.To == f.state && e.From != e.To) &&
		(f.number == "" || e.TwilioNumber == masked || e.Customer == masked)
}

// changeLine describes a change in a line.
func changeLine(out io.Writer, e auditlog.Entry) string {
	words := []string{cli.Clock(out, e.Time), e.MessageSid}
	if e.From == e.To {
		words = append(words, e.To)
	} else {
		words = append(words, strings.TrimPrefix(e.From+" -> "+e.To, " "))
	}
	if e.Reason != "" {
		words = append(words, "("+e.Reason+")")
	}
	if e.Customer != "" {
		words = append(words, "from "+e.Customer)
	}
	words = append(words, "to "+e.TwilioNumber)
	if a := e.Attempt; a != nil {
		words = append(words, strings.TrimSpace(fmt.Sprintf("attempt %d to %s %s %s", a.Number, a.Destination, a.Outcome, a.Status)))
		if a.ErrorCode != 0 {
			words = append(words, fmt.Sprintf("code %d", a.ErrorCode))
		}
	}
	if e.ReadBy != "" {
		words = append(words, "read by "+e.ReadBy)
	}
	if e.Actor != "" {
		words = append(words, fmt.Sprintf("by %s: %s, %s", e.Actor, e.Decision, e.Note))
	}
	return strings.Join(words, " ")
}
