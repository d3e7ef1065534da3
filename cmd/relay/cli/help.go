package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// maxHelpWidth is the widest that help is, however wide the terminal: longer lines are hard to read.
const maxHelpWidth = 100

// Help writes the help of a command. On a terminal it fits the width. It takes no template: what executes one makes the program a
// half as big again.
func Help(cmd *cobra.Command, _ []string) {
	h := helper{out: cmd.OutOrStdout(), cmd: cmd}
	if h.width = widthOf(h.out); h.width > 0 {
		h.width = min(h.width, maxHelpWidth)
	}
	h.prose(about(cmd))
	if cmd.Runnable() || cmd.HasSubCommands() {
		h.title("Usage")
		if cmd.HasParent() && cmd.Runnable() && !cmd.HasSubCommands() {
			h.line("  " + cmd.UseLine())
		}
		if cmd.HasAvailableSubCommands() {
			h.line("  " + cmd.CommandPath() + " [command]")
		}
	}
	if len(cmd.Aliases) > 0 {
		h.title("Aliases")
		h.line("  " + strings.Join(append([]string{cmd.Name()}, cmd.Aliases...), ", "))
	}
	if cmd.HasExample() {
		h.title("Examples")
		h.examples()
	}
	h.commands()
	h.topics()
	h.flags()
	if cmd.HasAvailableSubCommands() {
		h.line("")
		h.prose(fmt.Sprintf(`Use "%s COMMAND --help" for more about a command.`, cmd.CommandPath()))
	}
}

// about is what a command says of itself.
func about(cmd *cobra.Command) string {
	if cmd.Long != "" {
		return cmd.Long
	}
	return cmd.Short
}

// helper writes one help.
type helper struct {
	out   io.Writer
	cmd   *cobra.Command
	width int
}

func (h helper) line(text string) { _, _ = io.WriteString(h.out, text+"\n") }

func (h helper) title(text string) { h.line("\n" + text + ":") }

// prose writes paragraphs. Those that are indented are laid out already.
func (h helper) prose(text string) {
	if h.width == 0 {
		h.line(strings.TrimSpace(text))
		return
	}
	for i, paragraph := range strings.Split(strings.TrimSpace(text), "\n\n") {
		if i > 0 {
			h.line("")
		}
		if strings.HasPrefix(paragraph, " ") {
			h.line(paragraph)
			continue
		}
		h.line(strings.Join(Wrap(paragraph, h.width), "\n"))
	}
}

// examples writes command lines, which a backslash continues where they are too long.
func (h helper) examples() {
	for line := range strings.SplitSeq(strings.TrimRight(h.cmd.Example, "\n"), "\n") {
		for h.width > 0 && len([]rune(line)) > h.width {
			at := breakable(line, h.width-2)
			if at < 0 {
				break
			}
			h.line(line[:at] + ` \`)
			line = "   " + line[at:]
		}
		h.line(line)
	}
}

// breakable returns the last blank before width that is neither at the beginning nor between quotes, -1 if there is none.
func breakable(line string, width int) int {
	at, quoted := -1, false
	for i, r := range []rune(line) {
		switch {
		case i >= width:
			return at
		case r == '"', r == '\'':
			quoted = !quoted
		case r == ' ' && !quoted && strings.TrimSpace(string([]rune(line)[:i])) != "":
			at = len(string([]rune(line)[:i]))
		}
	}
	return at
}

// commands lists the commands below, by their groups.
func (h helper) commands() {
	names := 0
	for _, c := range h.cmd.Commands() {
		if c.IsAvailableCommand() || c.Name() == "help" {
			names = max(names, len(c.Name()))
		}
	}
	groups := slices.Clone(h.cmd.Groups())
	if len(groups) == 0 && h.cmd.HasAvailableSubCommands() {
		groups = []*cobra.Group{{Title: "Available Commands:"}}
	}
	for _, group := range groups {
		h.line("\n" + group.Title)
		for _, c := range h.cmd.Commands() {
			if c.GroupID == group.ID && (c.IsAvailableCommand() || c.Name() == "help") {
				h.row("  "+padded(c.Name(), names), c.Short)
			}
		}
	}
}

// topics lists the pages that are no commands.
func (h helper) topics() {
	titled := false
	for _, c := range h.cmd.Commands() {
		if !c.IsAdditionalHelpTopicCommand() {
			continue
		}
		if !titled {
			h.title("Help topics")
			titled = true
		}
		h.row("  "+padded(c.Name(), len("fake-twilio")), c.Short)
	}
}

// row writes a name and next to it what it means.
func (h helper) row(name, text string) {
	indent := len([]rune(name)) + gap
	width := 0
	if h.width > 0 {
		width = max(h.width-indent, minText)
	}
	h.line(name + strings.Repeat(" ", gap) + strings.Join(Wrap(text, width), "\n"+strings.Repeat(" ", indent)))
}

// flags lists the command's own flags, and names those that all commands of its kind have: the root describes them, once.
func (h helper) flags() {
	if h.cmd.IsAdditionalHelpTopicCommand() {
		return
	}
	var own []*pflag.Flag
	var everywhere []string
	asJSON := ""
	h.cmd.Flags().VisitAll(func(f *pflag.Flag) {
		switch {
		case f.Hidden:
		case !h.cmd.HasParent() || !isGlobal(f):
			own = append(own, f)
		default:
			everywhere = append(everywhere, "--"+f.Name)
			if f.Name == jsonFlag {
				asJSON = h.jsonMeans(f)
			}
		}
	})
	if h.cmd.HasSubCommands() && h.cmd.HasParent() {
		own = slices.DeleteFunc(own, func(f *pflag.Flag) bool { return f.Name == "help" })
	}
	if !h.cmd.HasParent() {
		h.rootFlags(own)
		own, everywhere = nil, nil
	}
	h.table("Flags", own)
	if len(everywhere) > 0 && !h.cmd.HasSubCommands() {
		h.title("Global flags")
		h.indented(shortened(everywhere) + "; relay --help describes them.")
		if asJSON != "" {
			h.indented("--json: " + asJSON + ".")
		}
	}
}

// jsonMeans says what a command prints with --json: commands that list and change nothing have only the flag of all commands.
func (h helper) jsonMeans(f *pflag.Flag) string {
	if f == h.cmd.Root().PersistentFlags().Lookup(jsonFlag) {
		return "print errors as JSON"
	}
	return f.Usage
}

// shortened names the flags that people use most.
func shortened(names []string) string {
	often := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return !slices.Contains([]string{"--json", "--data", "--aws", "--yes", "--no-color"}, name)
	})
	if len(often) < len(names) {
		return strings.Join(often, ", ") + " and others"
	}
	return strings.Join(often, ", ")
}

// rootFlags shows the flags that every command knows before those that say which relay to work on.
func (h helper) rootFlags(own []*pflag.Flag) {
	var here, target []*pflag.Flag
	for _, f := range own {
		if isTarget(f) {
			target = append(target, f)
		} else {
			here = append(here, f)
		}
	}
	h.table("Global flags", here)
	h.table("Which relay to work on", target)
}

func (h helper) indented(text string) {
	if h.width == 0 {
		h.line("  " + text)
		return
	}
	for _, line := range Wrap(text, h.width-2) {
		h.line("  " + line)
	}
}

const (
	// maxFlagColumn is the widest that the names of flags are; what a longer one means begins on the next line.
	maxFlagColumn = 30
)

func (h helper) table(title string, flags []*pflag.Flag) {
	if len(flags) == 0 {
		return
	}
	h.title(title)
	names, widest := make([]string, len(flags)), 0
	for i, f := range flags {
		names[i] = flagName(f)
		if len(names[i]) <= maxFlagColumn || h.width == 0 {
			widest = max(widest, len(names[i]))
		}
	}
	for i, f := range flags {
		text := flagText(f)
		if len(names[i]) > widest {
			h.line(names[i])
			h.row(strings.Repeat(" ", widest), text)
			continue
		}
		h.row(padded(names[i], widest), text)
	}
}

// flagName is how a flag is written: a switch takes no value.
func flagName(f *pflag.Flag) string {
	name := "      --" + f.Name
	if f.Shorthand != "" {
		name = "  -" + f.Shorthand + ", --" + f.Name
	}
	if f.Value.Type() == "bool" {
		return name
	}
	kind, _ := pflag.UnquoteUsage(f)
	if f.NoOptDefVal != "" {
		return fmt.Sprintf("%s %s[=%s]", name, kind, f.NoOptDefVal)
	}
	return name + " " + kind
}

// flagText is what a flag means, and its default if it has one.
func flagText(f *pflag.Flag) string {
	_, text := pflag.UnquoteUsage(f)
	switch value := f.DefValue; {
	case value == "", value == "[]", value == "0", value == "0s", f.Value.Type() == "bool", strings.Contains(text, "(default"):
		return text
	default:
		return text + " (default " + value + ")"
	}
}
