package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"unicode"
)

// Given is a setting with the value that it should have in a file.
type Given struct{ Name, Value string }

// WithSettings returns the text of a file of settings with these in it: each in its own line if the file has one, else at the end. Every
// other line stays as it is, comments too. changed are those that the file did not have like this. The error names a setting whose value
// cannot be kept in one line.
func WithSettings(text string, settings []Given) (after string, changed []Given, err error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if text == "" {
		lines = nil
	}
	for _, s := range settings {
		if strings.ContainsFunc(s.Value, unicode.IsControl) {
			return "", nil, fmt.Errorf("%s has a character that does not show, such as a line's end", s.Name)
		}
		at, is := lineOf(lines, s.Name)
		switch {
		case at >= 0 && is == s.Value:
			continue
		case at >= 0:
			lines[at] = s.line()
		default:
			lines = append(lines, s.line())
		}
		changed = append(changed, s)
	}
	return strings.Join(lines, "\n") + "\n", changed, nil
}

// lineOf finds the line that gives a setting, and the value there; -1 if there is none.
func lineOf(lines []string, name string) (at int, value string) {
	for i, line := range lines {
		if found, value, err := readConfigLine(line); err == nil && found == name {
			return i, value
		}
	}
	return -1, ""
}

// line writes the setting as relay, systemd and shells read it.
func (g Given) line() string {
	const plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:@%+,-"
	if strings.Trim(g.Value, plain) == "" {
		return g.Name + "=" + g.Value
	}
	return g.Name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, `$`, `\$`, "`", "\\`").Replace(g.Value) + `"`
}

// Use reads this file in place of the one that Read found. It is no error that it is not there.
func (c *ConfigFile) Use(path string) error {
	c.Path, c.Unreadable, c.lines, c.others = "", "", nil, nil
	text, err := os.ReadFile(path) //nolint:gosec // the operator names the folder.
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return Usage(fmt.Errorf("settings: %w", err))
	}
	return c.read(path, string(text))
}
