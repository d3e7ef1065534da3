package user

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
)

func (p program) passwordCommand() *cobra.Command {
	var f changeFlags
	cmd := &cobra.Command{
		Use:     "passwd NAME",
		Aliases: []string{"password"},
		Short:   "Give a user another password",
		Long: `passwd gives a user another password, and signs the user out everywhere. On a terminal it asks for the password twice and does
not show it; elsewhere the password is the first line of the standard input.`,
		Example: `  relay user passwd anna
  relay user passwd anna < password.txt`,
		Args:              cli.Arguments("the user"),
		ValidArgsFunction: p.names,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.setPassword(cmd, args[0], f) },
	}
	f.add(cmd)
	return cmd
}

// names completes the first argument with the users.
func (p program) names(cmd *cobra.Command, args []string, _ string) (offered []cobra.Completion, _ cobra.ShellCompDirective) {
	if users, err := p.users(cmd.Flags()); err == nil && len(args) == 0 {
		all, _ := users.List() // nobody reads the errors of a completion.
		for _, u := range all {
			offered = append(offered, cobra.CompletionWithDesc(u.Name, string(u.Role)))
		}
	}
	return offered, cobra.ShellCompDirectiveNoFileComp
}

func (p program) setPassword(cmd *cobra.Command, name string, f changeFlags) error {
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	o := operations.UserOrder{Action: operations.SetPassword, Name: name, DryRun: mode == cli.Show}
	if mode != cli.Show {
		if err := p.foresee(cmd, o); err != nil {
			return err
		}
		if o.Password, err = p.password(cmd); err != nil {
			return err
		}
	}
	return p.do(cmd, o, "has another password, and is signed out everywhere", "would have another password, and be signed out everywhere",
		f.asJSON)
}

func (p program) signOutCommand() *cobra.Command {
	var f changeFlags
	cmd := &cobra.Command{
		Use:   "sign-out NAME",
		Short: "Sign a user out everywhere",
		Long: `sign-out ends all sessions of a user at once: when a phone is lost, for example. The user may sign in again, with the same
password; relay user passwd sets another, and relay user rm lets nobody in by that name.`,
		Example:           `  relay user sign-out anna`,
		Args:              cli.Arguments("the user"),
		ValidArgsFunction: p.names,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.signOut(cmd, args[0], f) },
	}
	f.add(cmd)
	return cmd
}

func (p program) signOut(cmd *cobra.Command, name string, f changeFlags) error {
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	o := operations.UserOrder{Action: operations.SignOutUser, Name: name, DryRun: mode == cli.Show}
	return p.do(cmd, o, "is signed out everywhere", "would be signed out everywhere", f.asJSON)
}

func (p program) removeCommand() *cobra.Command {
	var f changeFlags
	cmd := &cobra.Command{
		Use:               "rm NAME",
		Aliases:           []string{"remove", "delete"},
		Short:             "Let somebody sign in no longer",
		Long:              `rm removes a user, who is signed out everywhere at once. What the audit log has of what the user did stays.`,
		Example:           `  relay user rm anna`,
		Args:              cli.Arguments("the user"),
		ValidArgsFunction: p.names,
		RunE:              func(cmd *cobra.Command, args []string) error { return p.remove(cmd, args[0], f) },
	}
	f.add(cmd)
	return cmd
}

func (p program) remove(cmd *cobra.Command, name string, f changeFlags) error {
	mode, err := p.Mode(cmd, f.consent, f.asJSON)
	if err != nil {
		return err
	}
	o := operations.UserOrder{Action: operations.RemoveUser, Name: name, DryRun: mode == cli.Show}
	if mode == cli.Ask {
		if err := p.foresee(cmd, o); err != nil {
			return err
		}
		if !p.Confirmed(cmd, "Remove "+name+"?") {
			return cli.ErrNotConfirmed
		}
	}
	return p.do(cmd, o, "is a user no longer", "would be a user no longer", f.asJSON)
}

// password asks for a new password twice, or reads a line where nobody can be asked.
func (p program) password(cmd *cobra.Command) (password string, err error) {
	if isTyped(cmd.InOrStdin()) {
		if password, err = p.AskSecret(cmd, "Password:"); err != nil {
			return "", err
		}
	} else if password, err = firstLine(cmd.InOrStdin()); err != nil {
		return "", err
	}
	if err := signin.CheckPassword(password); err != nil {
		return "", cli.Usage(err)
	}
	if isTyped(cmd.InOrStdin()) {
		again, err := p.AskSecret(cmd, "The same again:")
		if err != nil {
			return "", err
		}
		if again != password {
			return "", errors.New("the two are not the same: nothing was changed")
		}
	}
	return password, nil
}

// isTyped reports whether a person types the input.
func isTyped(in io.Reader) bool {
	file, ok := in.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}

// firstLine reads the first line of the standard input.
func firstLine(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, 2*signin.MaxPassword)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	line = strings.TrimSpace(line)
	if line == "" {
		return "", cli.Hinted(cli.Usage(errors.New("there is no password: its place is the first line of the standard input")),
			"run it on a terminal to be asked for it, or relay user add NAME --role ROLE < FILE")
	}
	return line, nil
}
