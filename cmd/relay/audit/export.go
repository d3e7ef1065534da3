package audit

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/auditsource"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// selection says which entries to export, and in what form.
type selection struct {
	format string
	output string
	number string
	window window
	// numbers reads number; isName says that it is a sender's name.
	numbers cli.NumberFlags
	isName  bool
	asJSON  bool
}

func (p program) auditExportCommand() *cobra.Command {
	var s selection
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write entries as CSV or JSON lines",
		Long: `export writes the entries of the log to standard output, each once, in the order of the log: as CSV for a spreadsheet, or as
JSON lines, exactly as in the log. relay audit verify --file can read the JSON lines.

The log has only the last digits of numbers, so --number finds the entries of all numbers that end in the same digits.`,
		Example: `  relay audit export --since 24h > yesterday.csv
  relay audit export --number +13125550147 --format jsonl
  relay audit export --aws --since 2026-11-01T00:00:00Z --until 2026-12-01T00:00:00Z > november.csv`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := s.check(); err != nil {
				return err
			}
			source, err := p.OpenAuditSource(cmd.Context(), cmd.Flags(), true, 0)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, source.Close()) }()
			return cli.WithTargetHint(p.export(cmd.Context(), source, s), cmd.Flags().Changed("aws"))
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&s.format, "format", "csv", "csv or jsonl")
	cli.AddJSON(flags, &s.asJSON, "the entries as they are in the log, one per line: the same as --format jsonl")
	cli.AddOutput(flags, &s.output)
	flags.StringVar(&s.number, "number", "", "only entries with this number: a customer's, a Twilio number or a phone; a short code or a "+
		"sender's name also works")
	flags.Var(&s.window.since, "since", "only entries after this time: "+cli.MomentHelp)
	flags.Var(&s.window.until, "until", "only entries before this time, written the same way")
	s.numbers.Add(flags)
	cli.AddAuditSource(flags)
	return cmd
}

func (s *selection) check() error {
	number, isName, err := s.numbers.ReadSender(s.number)
	if err != nil {
		return err
	}
	s.number, s.isName = string(number), isName
	if s.asJSON {
		s.format = "jsonl"
	}
	switch {
	case s.format != "csv" && s.format != "jsonl":
		return cli.Usage(fmt.Errorf("--format is %q: want csv or jsonl", s.format))
	case !s.window.until.At.IsZero() && s.window.until.At.Before(s.window.since.At):
		return cli.Usage(errors.New("--until is before --since"))
	default:
		return nil
	}
}

// export writes the entries.
func (p program) export(ctx context.Context, source *auditsource.Source, s selection) (err error) {
	out, closeOut, err := p.Output(s.output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeOut()) }()
	write, flush := s.writer(out)
	q := auditsource.Query{From: s.window.since.At, Until: s.window.until.At}
	masked := sms.PhoneNumber(s.number).Mask()
	found := 0
	err = p.EntriesOf(ctx, source, q, func(e auditlog.Entry, text []byte) error {
		if s.number != "" && !concerns(e, masked) {
			return nil
		}
		found++
		return write(e, text)
	})
	if err == nil && s.isName && found == 0 {
		return cli.NobodyNamed(sms.PhoneNumber(s.number))
	}
	return errors.Join(err, flush())
}

// concerns reports whether an entry is about a number.
func concerns(e auditlog.Entry, masked string) bool {
	if e.TwilioNumber == masked || e.Customer == masked || e.Phone == masked || (e.Attempt != nil && e.Attempt.Destination == masked) {
		return true
	}
	for _, r := range []*auditlog.Route{e.Before, e.After} {
		if r == nil {
			continue
		}
		for _, used := range slices.Concat([]string{r.DestinationCarrier}, r.FallbackCarriers, r.Threads, r.Phones, []string{r.Owner}) {
			if used == masked {
				return true
			}
		}
	}
	return false
}

// writer returns a function that writes an entry, and one that ends it.
func (s selection) writer(out io.Writer) (write func(auditlog.Entry, []byte) error, flush func() error) {
	if s.format == "jsonl" {
		return func(_ auditlog.Entry, text []byte) error {
			return cli.WriteLogged(out, text)
		}, func() error { return nil }
	}
	table := csv.NewWriter(out)
	headed := false
	head := func() error {
		if headed {
			return nil
		}
		headed = true
		return table.Write(columnNames())
	}
	write = func(e auditlog.Entry, _ []byte) error { return errors.Join(head(), table.Write(cells(e))) }
	return write, func() error {
		err := head()
		table.Flush()
		return errors.Join(err, table.Error())
	}
}

func columnNames() []string {
	return []string{
		"time", "id", "subject", "change", "version", "message_sid", "from", "to", "reason", "twilio_number", "customer",
		"attempt", "hop", "destination", "outbound_sid", "status", "outcome", "error_code", "actor", "before", "after", "object", "read_by",
		"conversation_id", "conversation", "phone", "decision", "note", "user",
	}
}

// cells returns an entry as a row.
func cells(e auditlog.Entry) []string {
	row := []string{
		e.Time.UTC().Format(time.RFC3339Nano), e.ID, e.Subject, e.Change, strconv.FormatInt(e.Version, 10), e.MessageSid, e.From, e.To,
		e.Reason, e.TwilioNumber, e.Customer,
	}
	attempt := make([]string, 7)
	if a := e.Attempt; a != nil {
		attempt = []string{strconv.Itoa(a.Number), strconv.Itoa(a.Hop), a.Destination, a.OutboundSid, a.Status, a.Outcome, ""}
		if a.ErrorCode != 0 {
			attempt[6] = strconv.Itoa(a.ErrorCode)
		}
	}
	row = append(append(row, attempt...), e.Actor, jsonCell(e.Before), jsonCell(e.After), e.Object, e.ReadBy,
		e.ConversationID, jsonCell(e.Conversation), e.Phone, e.Decision, e.Note, e.User)
	for i, cell := range row {
		row[i] = inertCell(cell)
	}
	return row
}

// jsonCell writes what an entry says of a route or a conversation as JSON, nothing if it says nothing.
func jsonCell[T any](about *T) string {
	if about == nil {
		return ""
	}
	text, err := json.Marshal(about)
	if err != nil {
		return ""
	}
	return string(text)
}
