package setup

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"quickdumpnow.com/smsrelay/shared/twilio"
)

// fakeSystemd has one unit, which may be on, and keeps what was asked of it.
type fakeSystemd struct {
	isOn  bool
	calls []string
}

func (f *fakeSystemd) systemctl(_ context.Context, args ...string) error {
	if args[0] != "is-active" && args[0] != "is-enabled" {
		f.calls = append(f.calls, strings.Join(args, " "))
	}
	switch {
	case args[0] == "restart":
		f.isOn = true
	case args[0] == "disable":
		f.isOn = false
	case strings.HasPrefix(args[0], "is-") && !f.isOn:
		return errors.New("inactive")
	}
	return nil
}

func rootJob(t *testing.T, systemd *fakeSystemd) (*job, *cobra.Command) {
	t.Helper()
	cmd := &cobra.Command{}
	cmd.SetContext(t.Context())
	return &job{folder: systemFolder, host: host{
		under: t.TempDir(), isRoot: true, runs: true, program: "/opt/relay/relay", systemctl: systemd.systemctl,
	}}, cmd
}

// look wants a state of the unit.
func look(t *testing.T, j *job, cmd *cobra.Command, want state) result {
	t.Helper()
	got, err := lookUnit(cmd, j)
	if err != nil || got.State != want {
		t.Errorf("%+v, %v; want %s", got, err, want)
	}
	return got
}

func TestTheUnitIsWrittenStartedAndRemoved(t *testing.T) {
	systemd := &fakeSystemd{}
	j, cmd := rootJob(t, systemd)
	if got := look(t, j, cmd, todo); !slices.Contains(got.Changes, "+ DynamicUser=yes") {
		t.Errorf("the changes are %q", got.Changes)
	}
	if _, err := startUnit(cmd, j); err != nil {
		t.Fatal(err)
	}
	path := j.host.path(unitFile)
	text, err := os.ReadFile(path)
	if err != nil || !strings.Contains(string(text), "ExecStart=/opt/relay/relay serve ") {
		t.Errorf("%v in\n%s", err, text)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info, err)
	}
	look(t, j, cmd, done)

	// The program is at another place by now, and the unit was stopped.
	j.host.program = usualProgram
	want := []string{
		"- ExecStart=/opt/relay/relay serve --routes ${CREDENTIALS_DIRECTORY}/maintenance.json",
		"+ ExecStart=/usr/local/bin/relay serve --routes ${CREDENTIALS_DIRECTORY}/maintenance.json",
	}
	if diff := cmp.Diff(want, look(t, j, cmd, todo).Changes); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	j.host.program, systemd.isOn = "/opt/relay/relay", false
	look(t, j, cmd, todo)
	systemd.isOn = true

	// The relay reads its files when it starts.
	j.restart = true
	look(t, j, cmd, todo)

	// Another run undoes it.
	again := &job{folder: j.folder, host: j.host}
	if again.record, err = readRecord(j.path(recordFile)); err != nil || !again.record.Unit {
		t.Fatalf("%+v, %v", again.record, err)
	}
	if got, err := lookUnitBack(cmd, again); err != nil || got.State != todo {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := removeUnit(cmd, again); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{path, j.path(recordFile)} {
		if _, err := os.Stat(gone); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: %v", gone, err)
		}
	}
	asked := []string{"daemon-reload", "enable " + unitName, "restart " + unitName, "disable --now " + unitName, "daemon-reload"}
	if diff := cmp.Diff(asked, systemd.calls); diff != "" {
		t.Errorf("systemctl (-want +got):\n%s", diff)
	}
	if got, err := lookUnitBack(cmd, again); err != nil || got.State != done {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestAPackagesUnitStaysAsItIs(t *testing.T) {
	systemd := &fakeSystemd{}
	j, cmd := rootJob(t, systemd)
	j.host.program = "/tmp/relay" // it does not matter: the package has its own.
	packaged := j.host.path(packagedUnits()[0])
	if err := os.MkdirAll(filepath.Dir(packaged), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(packaged, []byte("[Unit]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := look(t, j, cmd, todo); len(got.Changes) != 0 {
		t.Errorf("%+v", got)
	}
	if _, err := startUnit(cmd, j); err != nil {
		t.Fatal(err)
	}
	look(t, j, cmd, done)
	if _, err := removeUnit(cmd, j); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(packaged); string(text) != "[Unit]\n" || systemd.isOn {
		t.Errorf("%q, %v, on: %t", text, err, systemd.isOn)
	}
}

func TestThereIsNoUnitEverywhere(t *testing.T) {
	for name, change := range map[string]func(j *job){
		"a person":       func(j *job) { j.host.isRoot = false },
		"no systemd":     func(j *job) { j.host.runs = false },
		"another folder": func(j *job) { j.folder = "." },
	} {
		t.Run(name, func(t *testing.T) {
			systemd := &fakeSystemd{}
			j, cmd := rootJob(t, systemd)
			change(j)
			look(t, j, cmd, skipped)
			if len(systemd.calls) > 0 {
				t.Errorf("systemd was asked %q", systemd.calls)
			}
		})
	}
	j, cmd := rootJob(t, &fakeSystemd{})
	j.host.program = "/home/ann/bin/relay"
	if got, err := lookUnit(cmd, j); err == nil {
		t.Errorf("a program that the unit cannot see: %+v", got)
	}
}

// TestTheFirstWebhookIsKept, so that undoing gives back what was there before init, not what init gave before.
func TestTheFirstWebhookIsKept(t *testing.T) {
	at := func(url string) twilio.Number {
		return twilio.Number{Sid: "PN1", PhoneNumber: "+18585550100", NumberSettings: twilio.NumberSettings{SmsURL: url, SmsMethod: "POST"}}
	}
	r := record{}.pointing(at("https://old"), at("https://relay").NumberSettings)
	r = r.pointing(at("https://relay"), at("https://relay2").NumberSettings)
	if p := r.Numbers[0]; len(r.Numbers) != 1 || p.Before.SmsURL != "https://old" || p.After.SmsURL != "https://relay2" {
		t.Errorf("%+v", r.Numbers)
	}
	// Somebody pointed it elsewhere in the meantime: that is what was there.
	r = r.pointing(at("https://theirs"), at("https://relay").NumberSettings)
	if p := r.Numbers[0]; len(r.Numbers) != 1 || p.Before.SmsURL != "https://theirs" {
		t.Errorf("%+v", r.Numbers)
	}
	other := at("https://other")
	other.Sid, other.PhoneNumber = "PN2", "+18585550101"
	if r = r.pointing(other, at("https://relay").NumberSettings); len(r.Numbers) != 2 {
		t.Errorf("%+v", r.Numbers)
	}
	if r.Numbers[0].elsewhere([]twilio.Number{at("https://relay")}) || !r.Numbers[0].elsewhere([]twilio.Number{at("https://theirs")}) ||
		!r.Numbers[0].elsewhere(nil) {
		t.Error("where the number's texts go by now is not noticed")
	}
}

// TestTheUnitIsSafe asks systemd, without running it: the unit has no mistakes, and lets the relay do little.
func TestTheUnitIsSafe(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("systemd-analyze is not here")
	}
	path := filepath.Join(t.TempDir(), unitName)
	if err := os.WriteFile(path, []byte(Unit("/bin/true")), 0o600); err != nil {
		t.Fatal(err)
	}
	// The threshold is in tenths: at most 2.0.
	for _, args := range [][]string{{"verify", path}, {"security", "--offline=true", "--threshold=20", path}} {
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", args...).CombinedOutput()
		if err != nil || (args[0] == "verify" && len(out) > 0) {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
}
