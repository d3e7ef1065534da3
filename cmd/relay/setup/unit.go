package setup

import (
	_ "embed" // the unit is a file.
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

// The unit's name, and where init and packages put it.
const (
	unitName = "sms-relay.service"
	unitFile = "/etc/systemd/system/" + unitName
)

// packagedUnits are where a package puts its unit. init leaves such a one as it is.
func packagedUnits() []string {
	return []string{"/usr/lib/systemd/system/" + unitName, "/lib/systemd/system/" + unitName}
}

// packagedProgram is the program in the unit's file, where packages put it, usualProgram where people do.
const (
	packagedProgram = "/usr/bin/relay"
	usualProgram    = "/usr/local/bin/relay"
)

//go:embed sms-relay.service
var unitText string

// Unit returns the text of sms-relay.service for a program at that path; packages have the file as it is. The relay has a user of its own,
// whom systemd makes, and no right but to listen on ports below 1024.
func Unit(program string) string { return strings.ReplaceAll(unitText, packagedProgram, program) }

// noUnit says why there is no unit here; empty if there may be one.
func (j *job) noUnit() string {
	switch {
	case !j.host.isRoot:
		return "a unit needs root on Linux"
	case !j.host.runs:
		return "systemd does not run here"
	case !j.isSystem():
		return "a unit reads " + systemFolder + ", not " + j.folder
	default:
		return ""
	}
}

// isPackaged reports whether a package brought the unit.
func (j *job) isPackaged() bool {
	return slices.ContainsFunc(packagedUnits(), func(path string) bool {
		_, err := os.Stat(j.host.path(path))
		return err == nil
	})
}

// unitChanges returns the unit's text as it should be, and how it differs from the one that is there. Of a package's there is none.
func (j *job) unitChanges() (text string, changes []string, err error) {
	if j.isPackaged() {
		return "", nil, nil
	}
	is, err := readIfThere(j.host.path(unitFile))
	if err != nil {
		return "", nil, err
	}
	text = Unit(j.host.program)
	return text, lineChanges(string(is), text), nil
}

// lineChanges are the lines that only one of two texts has.
func lineChanges(before, after string) []string {
	var changes []string
	old, wanted := strings.Split(before, "\n"), strings.Split(after, "\n")
	for _, line := range old {
		if !slices.Contains(wanted, line) {
			changes = append(changes, "- "+line)
		}
	}
	for _, line := range wanted {
		if !slices.Contains(old, line) {
			changes = append(changes, "+ "+line)
		}
	}
	return changes
}

// hiddenFolders are those in which the unit sees no program: it has no homes, and temporary files of its own.
func hiddenFolders() []string {
	return []string{"/home/", "/root/", "/run/user/", "/tmp/", "/var/tmp/"}
}

func lookUnit(cmd *cobra.Command, j *job) (result, error) {
	if reason := j.noUnit(); reason != "" {
		return result{State: skipped, What: reason + ": start the relay with relay serve"}, nil
	}
	isHidden := slices.ContainsFunc(hiddenFolders(), func(folder string) bool { return strings.HasPrefix(j.host.program, folder) })
	if isHidden && !j.isPackaged() {
		return result{}, cli.Hinted(fmt.Errorf("the unit cannot start %s: it sees no such folders", j.host.program),
			"sudo install "+j.host.program+" "+usualProgram+", and use that one")
	}
	_, changes, err := j.unitChanges()
	if err != nil {
		return result{}, err
	}
	ctx := cmd.Context()
	isOn := j.host.systemctl(ctx, "is-active", "--quiet", unitName) == nil && j.host.systemctl(ctx, "is-enabled", "--quiet", unitName) == nil
	switch {
	case len(changes) > 0:
		return result{State: todo, What: "write " + unitFile + " and start the relay, now and at each start of the host", Changes: changes}, nil
	case !isOn:
		return result{State: todo, What: "start " + unitName + ", now and at each start of the host"}, nil
	case j.restart:
		return result{State: todo, What: "restart " + unitName + ", so that it reads the files"}, nil
	default:
		return result{State: done, What: unitName + " runs, and starts with the host"}, nil
	}
}

func startUnit(cmd *cobra.Command, j *job) (string, error) {
	text, changes, err := j.unitChanges()
	if err != nil {
		return "", err
	}
	j.record.Unit, j.started = true, true
	if err := j.keepRecord(); err != nil {
		return "", err
	}
	if len(changes) > 0 {
		path := j.host.path(unitFile)
		if err := (durable.Disk{}).WriteFile(path, []byte(text)); err != nil {
			return "", err
		}
		if err := os.Chmod(path, 0o644); err != nil { //nolint:gosec // there is no secret in it, and systemd wants it readable.
			return "", err
		}
	}
	for _, args := range [][]string{{"daemon-reload"}, {"enable", unitName}, {"restart", unitName}} {
		if err := j.host.systemctl(cmd.Context(), args...); err != nil {
			return "", cli.Hinted(err, "journalctl -u "+unitName+" says more")
		}
	}
	return unitName + " runs, and starts with the host", nil
}

func lookUnitBack(_ *cobra.Command, j *job) (result, error) {
	switch {
	case !j.record.Unit:
		return result{State: done, What: "init started no unit"}, nil
	case j.noUnit() != "":
		return result{State: skipped, What: j.noUnit()}, nil
	case j.isPackaged():
		return result{State: todo, What: "stop " + unitName + ", now and at each start of the host"}, nil
	default:
		return result{State: todo, What: "stop the relay, and remove " + unitFile}, nil
	}
}

func removeUnit(cmd *cobra.Command, j *job) (string, error) {
	if err := j.host.systemctl(cmd.Context(), "disable", "--now", unitName); err != nil {
		return "", err
	}
	if !j.isPackaged() {
		if err := os.Remove(j.host.path(unitFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		if err := j.host.systemctl(cmd.Context(), "daemon-reload"); err != nil {
			return "", err
		}
	}
	j.record.Unit = false
	return "the relay is stopped; its texts stay in " + systemData, j.keepRecord()
}
