// Command relay is the relay's one program for people: it runs the relay on one host, works on a running relay, here or on AWS, and
// plays Twilio in trials. The Lambda functions are programs of their own under functions/.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"syscall"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/audit"
	"quickdumpnow.com/smsrelay/cmd/relay/backup"
	"quickdumpnow.com/smsrelay/cmd/relay/bench"
	"quickdumpnow.com/smsrelay/cmd/relay/block"
	"quickdumpnow.com/smsrelay/cmd/relay/canary"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/config"
	"quickdumpnow.com/smsrelay/cmd/relay/contact"
	"quickdumpnow.com/smsrelay/cmd/relay/conversation"
	"quickdumpnow.com/smsrelay/cmd/relay/demo"
	"quickdumpnow.com/smsrelay/cmd/relay/dlq"
	"quickdumpnow.com/smsrelay/cmd/relay/doctor"
	"quickdumpnow.com/smsrelay/cmd/relay/duty"
	"quickdumpnow.com/smsrelay/cmd/relay/explain"
	"quickdumpnow.com/smsrelay/cmd/relay/export"
	"quickdumpnow.com/smsrelay/cmd/relay/fake"
	"quickdumpnow.com/smsrelay/cmd/relay/forget"
	"quickdumpnow.com/smsrelay/cmd/relay/health"
	"quickdumpnow.com/smsrelay/cmd/relay/localconsole"
	"quickdumpnow.com/smsrelay/cmd/relay/notify"
	"quickdumpnow.com/smsrelay/cmd/relay/number"
	"quickdumpnow.com/smsrelay/cmd/relay/phone"
	"quickdumpnow.com/smsrelay/cmd/relay/route"
	"quickdumpnow.com/smsrelay/cmd/relay/serve"
	"quickdumpnow.com/smsrelay/cmd/relay/setup"
	"quickdumpnow.com/smsrelay/cmd/relay/sweep"
	"quickdumpnow.com/smsrelay/cmd/relay/text"
	"quickdumpnow.com/smsrelay/cmd/relay/uncertain"
	"quickdumpnow.com/smsrelay/cmd/relay/upgrade"
	"quickdumpnow.com/smsrelay/cmd/relay/user"
	"quickdumpnow.com/smsrelay/cmd/relay/version"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

func main() {
	// Nobody can read a profile of the memory, so none is made.
	runtime.MemProfileRate = 0
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	p := program{cli.Program{Stdout: os.Stdout, Stderr: os.Stderr, Lookup: os.LookupEnv, Environ: os.Environ}}
	code := p.run(ctx, os.Args[1:])
	stop()
	os.Exit(code)
}

// program is the command line with its outputs and its environment.
type program struct{ cli.Program }

// run executes one command line and returns the exit code.
func (p program) run(ctx context.Context, args []string) int {
	stdout, stderr := cli.NewScreen(p.Stdout, p.Lookup), cli.NewScreen(p.Stderr, p.Lookup)
	defer func() { _, _ = stdout.Close(), stderr.Close() }()
	p.Stdout, p.Stderr = stdout, stderr
	p.Config = cli.NewConfigFile(cli.AllSettings(singleSettings()), p.Lookup)
	p.Lookup = p.Config.Lookup
	root := p.root()
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if plain, _ := cmd.Flags().GetBool("no-color"); plain {
			stdout.Plain()
			stderr.Plain()
		}
		if err := p.Config.Read(cmd); err != nil {
			return err
		}
		p.WarnOfSettings(singleSettings())
		return nil
	}
	root.SetArgs(args)
	root.SetOut(p.Stdout)
	root.SetErr(p.Stderr)
	called, err := root.ExecuteContextC(ctx)
	if err == nil {
		return cli.ExitDone
	}
	return p.Fail(called, err, slices.Contains(args, "--json"))
}

// root is the program's table of contents.
func (p program) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "relay",
		Short: "Relay texts from a Twilio number to the phone on duty",
		Long: `relay sends the texts that customers send to a Twilio number on to the phone on duty.

Start with "relay demo": it shows the whole way of a text and needs no account.`,
		Version:                    telemetry.ReadBuild().String(),
		SilenceUsage:               true,
		SuggestionsMinimumDistance: 2,
		SilenceErrors:              true,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cli.AddGlobal(root)
	root.SetHelpFunc(cli.Help)
	root.SetUsageFunc(func(cmd *cobra.Command) error { cli.Help(cmd, nil); return nil })
	root.SetFlagErrorFunc(cli.FlagError)
	p.addGroups(root)
	root.AddCommand(cli.Topics(singleSettings())...)
	root.SetHelpCommand(cli.HelpCommand())
	root.SetHelpCommandGroupID("To set it up")
	root.SetCompletionCommandGroupID("To set it up")
	root.InitDefaultHelpCmd()
	cli.AddCompletion(root)
	return root
}

// addGroups adds the commands, grouped by when they are needed.
func (p program) addGroups(root *cobra.Command) {
	shared := p.Program
	group := func(title string, commands ...*cobra.Command) {
		root.AddGroup(&cobra.Group{ID: title, Title: title + ":"})
		for _, command := range commands {
			command.GroupID = title
		}
		root.AddCommand(commands...)
	}
	group("Every day",
		text.SendCommand(shared),
		text.ReplyCommand(shared),
		text.StatusCommand(shared),
		text.SearchCommand(shared),
		text.TailCommand(shared),
		text.MediaCommand(shared),
		conversation.Command(shared), localconsole.Command(shared, doctor.Examine(shared)),
		contact.Command(shared),
		block.Command(shared), forget.Command(shared),
		route.Command(shared),
		phone.Command(shared), duty.Command(shared),
	)
	group("When something is wrong",
		doctor.Command(shared), health.Command(shared),
		explain.Command(shared), explain.ReplayCommand(shared),
		dlq.Command(shared),
		uncertain.Command(shared),
		text.ResendCommand(shared),
		sweep.Command(shared),
		audit.Command(shared),
		backup.RestoreCommand(shared),
	)
	group("To set it up",
		setup.Command(shared, func(base cli.Program) *cobra.Command { return canary.Command(base, doctor.FrontDoors(base)) }),
		serve.Command(shared, doctor.Examine(shared)),
		backup.Command(shared),
		export.Command(shared),
		upgrade.Command(shared),
		config.Command(shared, singleSettings()),
		number.Command(shared, doctor.NumberCheckCommand(shared)),
		canary.Command(shared, doctor.FrontDoors(shared)),
		notify.Command(shared),
		user.Command(shared),
		version.Command(shared),
	)
	group("To try it out, and for developers",
		demo.Command(shared),
		fake.Command(shared),
		bench.Command(shared),
	)
}

// singleSettings are those that only one command knows.
func singleSettings() []cli.Setting { return slices.Concat(doctor.Settings(), localconsole.Settings()) }
