// Package user is `relay user`: the people who may sign in to the console of a relay on one host. What they may do there is in package
// signin.
package user

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/cmd/relay/users"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/env"
)

// program is the command line, with the methods of this verb.
type program struct{ cli.Program }

// Command returns `relay user`.
func Command(base cli.Program) *cobra.Command {
	p := program{base}
	cmd := &cobra.Command{
		Use:   "user",
		Short: "Say who may sign in to the console",
		Long: `user keeps the people who may sign in to the console of relay serve on this host, at /console. Each has a name, a role and a
password, and if you like a phone of the routes that is theirs, with which they can take customers. A viewer reads, a dispatcher also
sees to customers, and an owner may do everything. The operator token signs in, too, by the name operator.

A relay that runs notices a change at once. docs/console.md says more.`,
		Example: `  relay user add anna --role owner
  relay user ls
  relay user set anna --phone Ann
  relay user passwd anna
  relay user sign-out anna
  relay user rm anna`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.listCommand(), p.addCommand(), p.setCommand(), p.passwordCommand(), p.signOutCommand(), p.removeCommand())
	return cmd
}

// settings are those of these commands: the folder.
func settings() []cli.Setting {
	return cli.Named(cli.TargetSettings(), cli.EnvData)
}

// folder returns the data folder, which must be there: a mistyped folder has no users, and nobody would look there.
func (p program) folder(flags *pflag.FlagSet) (string, error) {
	r := env.New(cli.LookupOf(settings(), flags, p.Lookup))
	data := r.String(cli.EnvData, "")
	if err := r.Err(); err != nil {
		return "", cli.SettingsError(err)
	}
	_, err := os.Stat(filepath.Join(data, datafolder.DatabaseFile))
	return data, cli.WithTargetHint(err, false)
}

// users finds the users in the data folder.
func (p program) users(flags *pflag.FlagSet) (signin.Users, error) {
	data, err := p.folder(flags)
	return signin.NewUsers(filepath.Join(data, datafolder.UsersFolder)), err
}

// do does what is ordered, as the console and the HTTP API do, and says it.
func (p program) do(cmd *cobra.Command, o operations.UserOrder, verb, wouldBe string, asJSON bool) (err error) {
	ctx := cmd.Context()
	data, err := p.folder(cmd.Flags())
	if err != nil {
		return err
	}
	d, err := target.Open(ctx, target.Config{Data: data})
	if err != nil {
		return cli.WithTargetHint(err, false)
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	book := users.Book{
		Users: signin.NewUsers(filepath.Join(data, datafolder.UsersFolder)), Actions: d.Conversations, Routes: d.Routes, Now: time.Now,
	}
	change, err := book.Do(ctx, p.Operator(""), o)
	refused, isRefusal := errors.AsType[operations.OrderError](err)
	switch {
	case isRefusal && refused.Field != "" && refused.Field != "name" && refused.Field != "password":
		return cli.Usage(fmt.Errorf("--%s: %w", refused.Field, err))
	case isRefusal && refused.Field != "":
		return cli.Usage(err)
	case isRefusal && refused.Status == http.StatusConflict:
		return cli.Hinted(fmt.Errorf("%s: %w", o.Name, err), "relay user set "+o.Name+" changes the role or the phone, "+
			"relay user passwd "+o.Name+" the password")
	case isRefusal:
		return cli.Hinted(fmt.Errorf("%s: %w", o.Name, err), "relay user ls lists them")
	case err != nil:
		return cli.WithTargetHint(err, false)
	}
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(change)
	}
	if o.DryRun {
		verb = wouldBe
	}
	cli.Say(p.Stdout, "%s (%s) %s.", change.User.Name, change.User.Role, verb)
	return nil
}

func (p program) listCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "ls",
		Aliases: []string{"list"},
		Short:   "List the users",
		Long:    `ls lists the people who may sign in to the console, what they may do, and when their passwords were set.`,
		Example: `  relay user ls
  relay user ls --json | jq -r '.[].name'`,
		Args: cli.NoArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return p.list(cmd, asJSON) },
	}
	cli.AddJSON(cmd.Flags(), &asJSON, "an array of the users")
	cli.AddTargetFlags(cmd.Flags(), settings())
	return cmd
}

func (p program) list(cmd *cobra.Command, asJSON bool) error {
	all, err := p.users(cmd.Flags())
	if err != nil {
		return err
	}
	shown, err := users.Book{Users: all}.List(cmd.Context())
	if err != nil {
		return cli.WithTargetHint(err, false)
	}
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(shown)
	}
	if len(shown) == 0 {
		cli.Say(p.Stdout, "There are no users. relay user add NAME --role owner makes the first.")
		return nil
	}
	table := cli.NewTable(p.Stdout, cli.Column{Title: "NAME"}, cli.Column{Title: "ROLE"}, cli.Column{Title: "PHONE"},
		cli.Column{Title: "ADDED", Drop: 1}, cli.Column{Title: "PASSWORD SET"})
	for _, u := range shown {
		table.Row(u.Name, u.Role, u.Phone, cli.When(p.Stdout, u.AddedAt), cli.When(p.Stdout, u.PasswordSetAt))
	}
	return table.Flush()
}

// changeFlags are the flags of the commands that change a user.
type changeFlags struct {
	role, phone string
	asJSON      bool
	consent     cli.Consent
}

func (f *changeFlags) add(cmd *cobra.Command) {
	cli.AddJSON(cmd.Flags(), &f.asJSON, "what was done, and the user")
	f.consent.Add(cmd.Flags(), "")
	cli.AddTargetFlags(cmd.Flags(), settings())
}

func (p program) addCommand() *cobra.Command {
	var f changeFlags
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Let somebody sign in to the console",
		Long: `add makes a user. On a terminal it asks for the password twice and does not show it; elsewhere the password is the first line of
the standard input. It is never on the command line, where others could read it. It has 12 characters or more.

A viewer reads, a dispatcher also sees to customers, and an owner may do everything. With --phone the user can take customers with a phone
of the routes, by its name or its number. The audit log records who made the user (RELAY_OPERATOR, or else the user name on this host).`,
		Example: `  relay user add anna --role owner
  relay user add bert --role dispatcher --phone Bert < password.txt`,
		Args: cli.Arguments("the user"),
		RunE: func(cmd *cobra.Command, args []string) error { return p.add(cmd, args[0], f) },
	}
	f.addAbout(cmd)
	return cmd
}

// addAbout adds the flags that say what a user is.
func (f *changeFlags) addAbout(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.role, "role", "", "what the user may do: owner, dispatcher or viewer")
	cmd.Flags().StringVar(&f.phone, "phone", "", "the user's own phone on duty, by its name or number; none with an empty one")
	_ = cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions([]cobra.Completion{
		cobra.CompletionWithDesc(string(signin.Owner), "may do everything"),
		cobra.CompletionWithDesc(string(signin.Dispatcher), "sees to customers"),
		cobra.CompletionWithDesc(string(signin.Viewer), "reads"),
	}, cobra.ShellCompDirectiveNoFileComp)) // it fails only for a flag that is not there.
	f.add(cmd)
}

// order is what the flags say about a user.
func (f *changeFlags) order(cmd *cobra.Command, action operations.UserAction, name string, mode cli.Mode) operations.UserOrder {
	o := operations.UserOrder{Action: action, Name: name, DryRun: mode == cli.Show}
	if cmd.Flags().Changed("role") || action == operations.AddUser {
		o.Role = &f.role
	}
	if cmd.Flags().Changed("phone") {
		o.Phone = &f.phone
	}
	return o
}

func (p program) add(cmd *cobra.Command, typed string, f changeFlags) error {
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	o := f.order(cmd, operations.AddUser, typed, mode)
	if name, err := signin.ReadName(typed); err == nil && mode != cli.Show {
		// Nobody types a password for nothing.
		if err := p.foresee(cmd, o); err != nil {
			return err
		}
		o.Name = name
		if o.Password, err = p.password(cmd); err != nil {
			return err
		}
	}
	return p.do(cmd, o, "is a user now", "would be a user", f.asJSON)
}

// foresee finds out what speaks against an order.
func (p program) foresee(cmd *cobra.Command, o operations.UserOrder) error {
	quiet := p
	quiet.Stdout = io.Discard
	o.DryRun = true
	return quiet.do(cmd, o, "", "", false)
}

func (p program) setCommand() *cobra.Command {
	var f changeFlags
	cmd := &cobra.Command{
		Use:   "set NAME",
		Short: "Give a user another role or phone",
		Long: `set changes what a user may do, or which phone of the routes is the user's own. It counts at once, also for who is signed in. The
audit log records who did it.`,
		Example: `  relay user set anna --role dispatcher --phone Ann
  relay user set anna --phone ""`,
		Args:              cli.Arguments("the user"),
		ValidArgsFunction: p.names,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.set(cmd, args[0], f) },
	}
	f.addAbout(cmd)
	return cmd
}

func (p program) set(cmd *cobra.Command, name string, f changeFlags) error {
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	o := f.order(cmd, operations.ChangeUser, name, mode)
	if o.Role == nil && o.Phone == nil {
		return cli.Usage(errors.New("say what is to change: --role or --phone"))
	}
	return p.do(cmd, o, "is changed", "would be changed", f.asJSON)
}
