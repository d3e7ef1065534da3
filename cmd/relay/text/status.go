package text

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/meaning"
	"quickdumpnow.com/smsrelay/cmd/relay/operatorapi"
	"quickdumpnow.com/smsrelay/cmd/relay/typed"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// statusFlags are the flags of status.
type statusFlags struct {
	number, state, since, until string
	cursor                      string
	limit                       int
	trail, watch, asJSON        bool
	showText, quiet             bool
	numbers                     cli.NumberFlags
}

// StatusCommand returns `relay status`.
func StatusCommand(base cli.Program) *cobra.Command {
	p := program{base}
	var f statusFlags
	cmd := &cobra.Command{
		Use:   "status [SID]",
		Short: "Show what happened to texts",
		Long: `status lists texts, newest first, or shows one text with its attempts, as GET /sms/status does. It does not show what the
texts say.

--show-text shows what the customer wrote in one text, and the addresses of its attachments. The ledger and the audit log record
each time who looked: the name in RELAY_OPERATOR, or else the user name on this host.

--url asks a relay elsewhere over its HTTP API, with the operator token in RELAY_OPERATOR_TOKEN. All who have the token are recorded as
"operator" there.

--watch shows changes until you press Ctrl-C, or until the text you named reaches its end.`,
		Example: `  relay status
  relay status --state failed --since 24h
  relay status --number +18585550100 --limit 100 --json | jq -r '.messages[].message_sid'
  relay status SM0123456789abcdef0123456789abcdef --trail
  relay status SM0123456789abcdef0123456789abcdef --show-text
  relay status --url https://relay.example.com`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return cli.NoArguments(cmd, args[1:])
			}
			return nil
		},
		ValidArgsFunction: p.CompleteSIDs(),
		RunE:              func(cmd *cobra.Command, args []string) error { return p.status(cmd, args, f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.number, "number", "", "only texts from or to this number")
	flags.StringVar(&f.state, "state", "", "only texts in this state")
	flags.StringVar(&f.since, "since", "", "only texts that came in after this time: "+cli.MomentHelp)
	flags.StringVar(&f.until, "until", "", "only texts that came in before this time, written the same way")
	flags.IntVarP(&f.limit, "limit", "n", 20, "list at most this many texts")
	flags.StringVar(&f.cursor, "cursor", "", "continue an earlier list: the cursor that it ended with")
	flags.BoolVar(&f.trail, "trail", false, "also show the text's changes in the audit log (needs a SID)")
	flags.BoolVar(&f.showText, "show-text", false, "show what the customer wrote (needs a SID); your name is recorded")
	flags.BoolVar(&f.watch, "watch", false, "keep showing changes")
	cli.AddQuiet(flags, &f.quiet)
	cli.AddJSON(flags, &f.asJSON, "the answer of GET /sms/status")
	_ = cmd.RegisterFlagCompletionFunc("state", completeStates)
	f.numbers.Add(flags)
	cli.AddRemote(flags)
	cli.AddTarget(flags)
	return cmd
}

// checkState refuses a state that is not known.
func checkState(text string) error {
	if text == "" {
		return nil
	}
	if _, err := typed.Word(text, ledger.States()); err != nil {
		return cli.Usage(fmt.Errorf("--state: %w", err))
	}
	return nil
}

// completeStates offers the ledger's states.
func completeStates(_ *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var names []cobra.Completion
	for _, s := range ledger.States() {
		w, _ := meaning.OfState(s)
		names = append(names, cobra.CompletionWithDesc(string(s), w.Meaning))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

func (p program) status(cmd *cobra.Command, args []string, f statusFlags) (err error) {
	ctx := cmd.Context()
	query, err := f.query(args, time.Now())
	if err != nil {
		return err
	}
	c, closeAPI, err := p.findOperatorAPI(ctx, cmd.Flags())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeAPI()) }()
	switch {
	case f.showText:
		return p.showText(ctx, c, query, f.asJSON)
	case len(args) == 1 && f.watch:
		return p.watchOne(ctx, c, query, f.asJSON)
	case len(args) == 1:
		return p.showOne(ctx, c, query, f.asJSON)
	case f.watch:
		return p.watchList(ctx, c, query, f)
	}
	return p.showList(ctx, c, query, f)
}

// query is the query of GET /sms/status, which itself says what is wrong with it.
func (f statusFlags) query(args []string, now time.Time) (url.Values, error) {
	query := url.Values{}
	set := func(name, value string) {
		if value != "" {
			query.Set(name, value)
		}
	}
	if err := setMoments(query, f.since, f.until, now); err != nil {
		return nil, err
	}
	number, _, err := f.numbers.ReadSender(f.number)
	if err != nil {
		return nil, err
	}
	if err := checkState(f.state); err != nil {
		return nil, err
	}
	set("number", string(number))
	set("state", f.state)
	set("cursor", f.cursor)
	if f.trail {
		set("trail", "true")
	}
	if f.showText && (len(args) != 1 || f.watch) {
		return nil, cli.Usage(errors.New("--show-text shows one text: name its SID, and leave out --watch"))
	}
	if len(args) == 1 {
		sids, err := cli.ReadSIDs(args)
		if err != nil {
			return nil, err
		}
		set("message_sid", sids[0])
		return query, nil
	}
	if f.limit < 1 {
		return nil, cli.Usage(errors.New("--limit: want 1 or more"))
	}
	return query, nil
}

// setMoments sets the stretch of time that a list is of.
func setMoments(query url.Values, since, until string, now time.Time) error {
	for name, text := range map[string]string{"since": since, "until": until} {
		at, err := cli.ReadMoment(text, now)
		if err != nil {
			return cli.Usage(errors.New("--" + name + ": " + err.Error()))
		}
		if !at.IsZero() {
			query.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	return nil
}

func (p program) showOne(ctx context.Context, c operatorapi.API, query url.Values, asJSON bool) error {
	var answer json.RawMessage
	if err := c.Status(ctx, query, &answer); err != nil {
		return hintedUnlessUsage(err, "relay status lists the newest texts; if the text is only on the dead-letter queue, relay dlq show SID "+
			"finds it")
	}
	if asJSON {
		return p.printRaw(answer)
	}
	var m operations.Message
	if err := json.Unmarshal(answer, &m); err != nil {
		return err
	}
	return writeMessage(p.Stdout, m)
}

// hintedUnlessUsage adds a hint to an error, unless it is a usage error, which has its own hint.
func hintedUnlessUsage(err error, hint string) error {
	if _, ok := errors.AsType[cli.UsageError](err); ok {
		return err
	}
	return cli.WithHint(err, hint)
}

func (p program) printRaw(answer json.RawMessage) error {
	_, err := p.Stdout.Write(append(answer, '\n'))
	return err
}

func (p program) showList(ctx context.Context, c operatorapi.API, query url.Values, f statusFlags) error {
	list, err := readList(ctx, c, query, f.limit)
	if err != nil {
		return err
	}
	if f.asJSON {
		return json.NewEncoder(p.Stdout).Encode(list)
	}
	if f.quiet {
		for _, m := range list.Messages {
			cli.Printf(p.Stdout, "%s\n", m.MessageSid)
		}
		return nil
	}
	return writeMessages(p.Stdout, list)
}

// readList reads page by page until it has as many texts as wanted, or there are no more.
func readList(ctx context.Context, c operatorapi.API, query url.Values, limit int) (operations.List, error) {
	list := operations.List{Messages: []operations.Message{}}
	for {
		query.Set("limit", strconv.Itoa(min(limit-len(list.Messages), ledger.MaxLimit)))
		var page operations.List
		if err := c.Status(ctx, query, &page); err != nil {
			return list, err
		}
		list.Messages, list.NextCursor = append(list.Messages, page.Messages...), page.NextCursor
		if page.NextCursor == "" || len(list.Messages) >= limit {
			query.Del("cursor")
			return list, nil
		}
		query.Set("cursor", page.NextCursor)
	}
}
