package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/shared/nearest"
)

// configFlag names the file of settings on the command line, EnvConfig in the environment.
const (
	configFlag = "config"
	EnvConfig  = "RELAY_CONFIG"
)

// usualPlaces are where the file is looked for if nobody names it: the first that is there counts.
func usualPlaces() []string { return []string{"relay.env", "/etc/sms-relay/relay.env"} }

// ConfigFile has settings from a file, one NAME=value on each line as systemd's EnvironmentFile has them. The environment goes before it.
type ConfigFile struct {
	// Path is the file's, empty if there is none.
	Path string
	// Unreadable is the file in a usual place that this user may not read, empty if there is none.
	Unreadable string

	known  []Setting
	lines  map[string]configLine
	others []string
	// environment is what goes before the file.
	environment func(string) (string, bool)
}

// configLine is what a line gives.
type configLine struct {
	value  string
	number int
}

// NewConfigFile returns a file for the settings that are known, with an environment before it. It has no settings before Read.
func NewConfigFile(known []Setting, environment func(string) (string, bool)) *ConfigFile {
	return &ConfigFile{known: known, environment: environment}
}

// Lookup finds a setting in the environment, else in the file.
func (c *ConfigFile) Lookup(name string) (string, bool) {
	if value, ok := c.environment(name); ok {
		return value, true
	}
	line, ok := c.lines[name]
	return line.value, ok
}

// Line returns the number of the line that gives a setting; 0 if the environment does, or nothing.
func (c *ConfigFile) Line(name string) int {
	if _, ok := c.environment(name); ok {
		return 0
	}
	return c.lines[name].number
}

// Read reads the file that the command line or the environment names, else one in a usual place. It is no error that none is there.
func (c *ConfigFile) Read(cmd *cobra.Command) error {
	named, _ := cmd.Flags().GetString(configFlag)
	if named == "" {
		named, _ = c.environment(EnvConfig)
	}
	places := []string{named}
	if named == "" {
		places = usualPlaces()
	}
	for _, path := range places {
		text, err := os.ReadFile(path) //nolint:gosec // the operator names the file.
		switch {
		case err == nil:
			return c.read(path, string(text))
		case named == "" && errors.Is(err, fs.ErrPermission):
			c.Unreadable = path
			return nil
		case named != "" || !errors.Is(err, fs.ErrNotExist):
			if failed, ok := errors.AsType[*fs.PathError](err); ok {
				err = failed.Err
			}
			return Usage(fmt.Errorf("settings: %s: %w", path, err))
		}
	}
	return nil
}

// read reads the lines of a file.
func (c *ConfigFile) read(path, text string) error {
	c.Path, c.lines, c.others = path, map[string]configLine{}, nil
	number := 0
	for line := range strings.Lines(text) {
		number++
		name, value, err := readConfigLine(line)
		switch {
		case err == nil && name == "":
			continue
		case err == nil && c.lines[name].number != 0:
			err = fmt.Errorf("%s is already on line %d", name, c.lines[name].number)
		}
		if err != nil {
			return Usage(fmt.Errorf("settings: %s, line %d: %w", path, number, err))
		}
		if !slices.ContainsFunc(c.known, func(s Setting) bool { return s.Env == name }) {
			c.others = append(c.others, name)
			continue
		}
		c.lines[name] = configLine{value, number}
	}
	return nil
}

// readConfigLine reads one line; the name is empty if it says nothing. The value is never in the error: it may be a secret.
func readConfigLine(line string) (name, value string, err error) {
	line = strings.TrimSpace(line)
	if line == "" || line[0] == '#' || line[0] == ';' {
		return "", "", nil
	}
	name, value, found := strings.Cut(strings.TrimPrefix(line, "export "), "=")
	name, value = strings.TrimSpace(name), strings.TrimSpace(value)
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
	if !found || name == "" || strings.Trim(name, letters) != "" {
		return "", "", errors.New("want NAME=value, such as RELAY_DATA=/srv/relay")
	}
	if value == "" || !strings.ContainsRune(`'"`, rune(value[0])) {
		return name, value, nil
	}
	quote := value[:1]
	inner, closed := strings.CutSuffix(value[1:], quote)
	if len(value) < 2 || !closed {
		return "", "", fmt.Errorf("the value of %s begins with a quote and does not end with it", name)
	}
	if quote == `"` {
		inner = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\$`, `$`, "\\`", "`").Replace(inner)
	}
	return name, inner, nil
}

// warn says which settings of the file have a slip in their names, and that others may read its secrets.
func (c *ConfigFile) warn(p Program) {
	var known []string
	secrets := false
	for _, s := range c.known {
		known = append(known, s.Env)
		secrets = secrets || (s.Secret && c.lines[s.Env].number != 0)
	}
	for _, name := range c.others {
		if question := nearest.Question(name, known); strings.HasPrefix(name, "RELAY_") && question != "" {
			Say(p.Stderr, "relay: warning: %s: %s is not a setting%s", c.Path, name, question)
		}
	}
	if c.Path == "" || !secrets {
		return
	}
	if info, err := os.Stat(c.Path); err == nil && othersMayRead(info) {
		Say(p.Stderr, "relay: warning: others on this host may read the secrets in %s: chmod 600 %s", c.Path, c.Path)
	}
}
