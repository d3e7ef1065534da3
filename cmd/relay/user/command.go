// Package user is `relay user`: the people who may sign in to the console of a relay on one host. What they may do there is in package
// signin.
package user

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
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
password. A viewer reads, a dispatcher also sees to customers, and an owner may do everything. The operator token signs in, too, by the
name operator.

A relay that runs notices a change at once. docs/console.md says more.`,
		Example: `  relay user add anna --role owner
  relay user ls
  relay user passwd anna
  relay user rm anna`,
		SuggestionsMinimumDistance: 2,
		Args:                       cli.UnknownCommand,
		RunE:                       func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(p.listCommand(), p.addCommand(), p.passwordCommand(), p.removeCommand())
	return cmd
}

// shown is a user as JSON: without the hash of the password.
type shown struct {
	Name string      `json:"name"`
	Role signin.Role `json:"role"`
	// AddedAt is when the user was made, PasswordSetAt when the password was set last. They are absent before.
	AddedAt       time.Time `json:"added_at,omitzero"`
	PasswordSetAt time.Time `json:"password_set_at,omitzero"`
}

func show(u signin.User) shown { return shown{u.Name, u.Role, u.AddedAt, u.ChangedAt} }

// done is what a command did, as JSON.
type done struct {
	Action string `json:"action"`
	User   shown  `json:"user"`
	// DryRun: nothing was changed.
	DryRun bool `json:"dry_run,omitempty"`
}

// settings are those of these commands: the folder.
func settings() []cli.Setting {
	return cli.Named(cli.TargetSettings(), cli.EnvData)
}

// users finds the users in the data folder, which must be there: a mistyped folder has no users, and nobody would look there.
func (p program) users(flags *pflag.FlagSet) (signin.Users, error) {
	r := env.New(cli.LookupOf(settings(), flags, p.Lookup))
	data := r.String(cli.EnvData, "")
	if err := r.Err(); err != nil {
		return signin.Users{}, cli.SettingsError(err)
	}
	if _, err := os.Stat(filepath.Join(data, datafolder.DatabaseFile)); err != nil {
		return signin.Users{}, cli.WithTargetHint(err, false)
	}
	return signin.NewUsers(filepath.Join(data, datafolder.UsersFolder)), nil
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
	users, err := p.users(cmd.Flags())
	if err != nil {
		return err
	}
	all, err := users.List()
	if err != nil {
		return cli.WithTargetHint(err, false)
	}
	if asJSON {
		found := []shown{}
		for _, u := range all {
			found = append(found, show(u))
		}
		return json.NewEncoder(p.Stdout).Encode(found)
	}
	if len(all) == 0 {
		cli.Say(p.Stdout, "There are no users. relay user add NAME --role owner makes the first.")
		return nil
	}
	table := cli.NewTable(p.Stdout, cli.Column{Title: "NAME"}, cli.Column{Title: "ROLE"}, cli.Column{Title: "ADDED", Drop: 1},
		cli.Column{Title: "PASSWORD SET"})
	for _, u := range all {
		table.Row(u.Name, string(u.Role), cli.When(p.Stdout, u.AddedAt), cli.When(p.Stdout, u.ChangedAt))
	}
	return table.Flush()
}

// changeFlags are the flags of the commands that change a user.
type changeFlags struct {
	asJSON  bool
	consent cli.Consent
}

func (f *changeFlags) add(cmd *cobra.Command) {
	cli.AddJSON(cmd.Flags(), &f.asJSON, "what was done, and the user")
	f.consent.Add(cmd.Flags(), "")
	cli.AddTargetFlags(cmd.Flags(), settings())
}

func (p program) addCommand() *cobra.Command {
	var f changeFlags
	var role string
	cmd := &cobra.Command{
		Use:   "add NAME",
		Short: "Let somebody sign in to the console",
		Long: `add makes a user. On a terminal it asks for the password twice and does not show it; elsewhere the password is the first line of
the standard input. It is never on the command line, where others could read it. It has 12 characters or more.

A viewer reads, a dispatcher also sees to customers, and an owner may do everything. To give somebody another role, remove the user and
add it again.`,
		Example: `  relay user add anna --role owner
  relay user add bert --role dispatcher < password.txt`,
		Args: cli.Arguments("the user"),
		RunE: func(cmd *cobra.Command, args []string) error { return p.add(cmd, args[0], role, f) },
	}
	cmd.Flags().StringVar(&role, "role", "", "what the user may do: owner, dispatcher or viewer")
	_ = cmd.RegisterFlagCompletionFunc("role", cobra.FixedCompletions([]cobra.Completion{
		cobra.CompletionWithDesc(string(signin.Owner), "may do everything"),
		cobra.CompletionWithDesc(string(signin.Dispatcher), "sees to customers"),
		cobra.CompletionWithDesc(string(signin.Viewer), "reads"),
	}, cobra.ShellCompDirectiveNoFileComp)) // it fails only for a flag that is not there.
	f.add(cmd)
	return cmd
}

func (p program) add(cmd *cobra.Command, typed, typedRole string, f changeFlags) error {
	name, err := signin.ReadName(typed)
	if err != nil {
		return cli.Usage(err)
	}
	role, err := signin.ParseRole(typedRole)
	if err != nil {
		return cli.Usage(fmt.Errorf("--role: %w", err))
	}
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	users, err := p.users(cmd.Flags())
	if err != nil {
		return err
	}
	switch _, err := users.Get(name); {
	case err == nil:
		return cli.Hinted(fmt.Errorf("%s: %w", name, signin.ErrExists), "relay user passwd "+name+" gives it another password")
	case !errors.Is(err, signin.ErrNoUser):
		return cli.WithTargetHint(err, false)
	}
	if mode == cli.Show {
		return p.print(done{"added", shown{Name: name, Role: role}, true}, "would be a user", f.asJSON)
	}
	password, err := p.password(cmd)
	if err != nil {
		return err
	}
	u, err := users.Add(name, role, password, time.Now())
	if err != nil {
		return cli.WithTargetHint(err, false)
	}
	return p.print(done{"added", show(u), false}, "is a user now", f.asJSON)
}

func (p program) print(d done, verb string, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(d)
	}
	cli.Say(p.Stdout, "%s (%s) %s.", d.User.Name, string(d.User.Role), verb)
	return nil
}
