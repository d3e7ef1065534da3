package user

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
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

// find returns the user that a command is about, the users, and what the command does about the change.
func (p program) find(cmd *cobra.Command, typed string, f changeFlags) (u signin.User, all signin.Users, mode cli.Mode, err error) {
	if mode, err = p.Mode(cmd, f.consent, f.asJSON); err != nil {
		return u, all, mode, err
	}
	if all, err = p.users(cmd.Flags()); err != nil {
		return u, all, mode, err
	}
	u, err = all.Get(typed)
	if errors.Is(err, signin.ErrNoUser) {
		err = cli.Hinted(fmt.Errorf("%s: %w", typed, err), "relay user ls lists them")
	}
	return u, all, mode, cli.WithTargetHint(err, false)
}

func (p program) setPassword(cmd *cobra.Command, typed string, f changeFlags) error {
	u, all, mode, err := p.find(cmd, typed, f)
	if err != nil {
		return err
	}
	if mode == cli.Show {
		return p.print(done{"password_set", show(u), true}, "would have another password, and be signed out everywhere", f.asJSON)
	}
	password, err := p.password(cmd)
	if err != nil {
		return err
	}
	if u, err = all.SetPassword(u.Name, password, time.Now()); err != nil {
		return cli.WithTargetHint(err, false)
	}
	return p.print(done{"password_set", show(u), false}, "has another password, and is signed out everywhere", f.asJSON)
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

func (p program) remove(cmd *cobra.Command, typed string, f changeFlags) error {
	u, all, mode, err := p.find(cmd, typed, f)
	if err != nil {
		return err
	}
	if mode == cli.Ask && !p.Confirmed(cmd, "Remove "+u.Name+" ("+string(u.Role)+")?") {
		return cli.ErrNotConfirmed
	}
	if mode == cli.Show {
		return p.print(done{"removed", show(u), true}, "would be a user no longer", f.asJSON)
	}
	if err := all.Remove(u.Name); err != nil {
		return cli.WithTargetHint(err, false)
	}
	return p.print(done{"removed", show(u), false}, "is a user no longer", f.asJSON)
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
