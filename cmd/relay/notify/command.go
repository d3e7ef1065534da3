// Package notify is `relay notify`: it tries out where the relay tells people what needs them. The relay itself tells them while it runs,
// see shared/onehost/notify.
package notify

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/duration"
	"quickdumpnow.com/smsrelay/shared/onehost/notify"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay notify`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:   "notify",
		Short: "Try out where the relay tells you what needs somebody",
		Args:  cli.UnknownCommand,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.testCommand())
	return cmd
}

// tried is what became of one notice.
type tried struct {
	// Target has nothing secret of the URL.
	Target string `json:"target"`
	Taken  bool   `json:"taken"`
	Error  string `json:"error,omitempty"`
	// TookMS is how long it took, in milliseconds.
	TookMS int64 `json:"took_ms"`
}

func (p program) testCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "test",
		Short: "Send a notice to each URL of RELAY_NOTIFY, and say whether it was taken",
		Long: `test sends one notice to each URL of RELAY_NOTIFY, and says for each whether it was taken. If one was not, the exit code is 1. It
says nothing of the URLs but their service and host: the rest is secret.`,
		Example: `  sudo relay notify test
  RELAY_NOTIFY=ntfy://ntfy.sh/my-secret-topic relay notify test`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.test(cmd.Context(), asJSON) },
	}
	cli.AddJSON(cmd.Flags(), &asJSON, "an array with what became of each notice")
	return cmd
}

// test tries all targets at the same time.
func (p program) test(ctx context.Context, asJSON bool) error {
	text, _ := p.Lookup(cli.EnvNotify)
	targets, err := notify.Parse(text)
	if err != nil {
		return cli.SettingsError(fmt.Errorf("%s: %w", cli.EnvNotify, err))
	}
	if len(targets) == 0 {
		return cli.Hinted(cli.Usage(errors.New(cli.EnvNotify+" is not set: the relay tells nobody")),
			"set it to a URL such as ntfy://ntfy.sh/a-topic-that-nobody-guesses; docs/one-host.md lists the forms")
	}
	all := make([]tried, len(targets))
	var sending sync.WaitGroup
	for i, target := range targets {
		sending.Go(func() { all[i] = try(ctx, target) })
	}
	sending.Wait()
	failed := 0
	for _, one := range all {
		if one.Error != "" {
			failed++
		}
	}
	if err := p.print(all, asJSON); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("notices that were not taken: %d of %d", failed, len(all))
	}
	return nil
}

// try sends one notice.
func try(ctx context.Context, target notify.Target) tried {
	began := time.Now()
	err := target.Send(ctx, notify.Notice{
		Title: "SMS relay: a test", At: began, Over: true,
		Text: "This is a test (relay notify test). The relay will tell you here what needs somebody, and when that is over.",
	})
	one := tried{Target: target.Label, Taken: err == nil || errors.Is(err, notify.ErrPartly), TookMS: time.Since(began).Milliseconds()}
	if err != nil {
		one.Error = err.Error()
	}
	return one
}

func (p program) print(all []tried, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(all)
	}
	table := cli.NewTable(p.Stdout, cli.Column{Title: "TARGET"}, cli.Column{Title: "TAKEN"},
		cli.Column{Title: "TOOK"}, cli.Column{Title: "WHY NOT"})
	for _, one := range all {
		taken := "yes"
		if !one.Taken {
			taken = "no"
		}
		table.Row(one.Target, taken, duration.Text(time.Duration(one.TookMS)*time.Millisecond), one.Error)
	}
	return table.Flush()
}
