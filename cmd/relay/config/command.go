// Package config is `relay config`: it shows which settings are in force, and where each comes from.
package config

import (
	"encoding/json"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
)

// program is the command line, with the methods of this verb.
type program struct {
	cli.Program
	more []cli.Setting
}

// shown is one setting. Its value is missing if it is a secret, or not set.
type shown struct {
	Name   string `json:"name"`
	Value  string `json:"value,omitempty"`
	Set    bool   `json:"set"`
	Secret bool   `json:"secret"`
	// Source is "environment", "file" or "default"; empty if the setting is not set. File and Line say where in the file.
	Source string `json:"source,omitempty"`
	File   string `json:"file,omitempty"`
	Line   int    `json:"line,omitempty"`
	// Characters is how long a secret is.
	Characters int `json:"characters,omitempty"`
}

// Command returns `relay config`; more are settings that only one command knows.
func Command(base cli.Program, more []cli.Setting) *cobra.Command {
	p := program{base, more}
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Show the settings in force, and where each comes from",
		Long: `config shows each setting that is set, its value, and whether the environment, the file of settings or relay itself gives it. A
flag of a command goes before all of them. Of a secret it shows the length alone.

The file has one NAME=value on each line, as systemd's EnvironmentFile has. relay reads the one that --config or RELAY_CONFIG names, else
relay.env in the current folder, else /etc/sms-relay/relay.env.`,
		Example: `  relay config
  relay config --all --config /etc/sms-relay/relay.env`,
		Args: cli.NoArguments,
		RunE: func(*cobra.Command, []string) error { return p.show(all, asJSON) },
	}
	cmd.Flags().BoolVar(&all, "all", false, "show the settings that are not set, too")
	cli.AddJSON(cmd.Flags(), &asJSON, "an array of settings")
	return cmd
}

// show prints the settings.
func (p program) show(all, asJSON bool) error {
	settings := []shown{}
	for _, s := range cli.AllSettings(p.more) {
		if one := p.find(s); one.Set || all {
			settings = append(settings, one)
		}
	}
	if asJSON {
		return json.NewEncoder(p.Stdout).Encode(settings)
	}
	switch {
	case p.Config.Path != "":
		fmt.Fprintf(p.Stdout, "File: %s\n\n", p.Config.Path)
	case p.Config.Unreadable != "":
		fmt.Fprintf(p.Stdout, "File: %s, which you may not read: run it with sudo, or as the relay's user\n\n", p.Config.Unreadable)
	}
	table := cli.NewTable(p.Stdout, cli.Column{Title: "SETTING"}, cli.Column{Title: "VALUE"}, cli.Column{Title: "FROM"})
	for _, s := range settings {
		table.Row(s.Name, s.words(), s.from())
	}
	return table.Flush()
}

// find says what a setting is, and who gives it.
func (p program) find(s cli.Setting) shown {
	one := shown{Name: s.Env, Secret: s.Secret}
	value, ok := p.Lookup(s.Env)
	switch line := p.Config.Line(s.Env); {
	case ok && value != "" && line != 0:
		one.Source, one.File, one.Line = "file", p.Config.Path, line
	case ok && value != "":
		one.Source = "environment"
	case s.Fallback != "":
		value, one.Source = s.Fallback, "default"
	default:
		return one
	}
	if one.Set = true; s.Secret {
		one.Characters = utf8.RuneCountInString(value)
		return one
	}
	one.Value = value
	return one
}

// words are the value as a table shows it.
func (s shown) words() string {
	if s.Secret && s.Set {
		return fmt.Sprintf("(secret, %d characters)", s.Characters)
	}
	return s.Value
}

func (s shown) from() string {
	if s.Source == "file" {
		return s.File + ", line " + strconv.Itoa(s.Line)
	}
	return s.Source
}
