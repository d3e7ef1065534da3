package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// relayUser is a user that systemd could make for the unit: the relay needs no more rights than that one.
const relayUser = 61184

// debian is a root with nothing but Debian's smallest system in it, where no systemd runs.
type debian struct {
	t    *testing.T
	root string
}

// newDebian unpacks the root. debootstrap makes it once on each machine, with the packages of the mirror that apt uses here.
func newDebian(t *testing.T) debian {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("another root needs root")
	}
	need(t, "debootstrap")
	suite, mirror := aptSource(t)
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	packed := filepath.Join(cache, "smsrelay-debian-"+suite+".tar")
	if _, err := os.Stat(packed); errors.Is(err, os.ErrNotExist) {
		fresh := filepath.Join(t.TempDir(), "root")
		said(t, "debootstrap", "--variant=minbase", suite, fresh, mirror)
		if err := os.MkdirAll(cache, 0o700); err != nil {
			t.Fatal(err)
		}
		said(t, "tar", "--create", "--file", packed+".new", "--directory", fresh, "--exclude=./var/cache/apt/archives/*",
			"--exclude=./usr/share/doc/*", "--exclude=./usr/share/locale/*", "--exclude=./dev/*", ".")
		if err := os.Rename(packed+".new", packed); err != nil {
			t.Fatal(err)
		}
	}
	d := debian{t, t.TempDir()}
	if err := os.Chmod(d.root, 0o755); err != nil {
		t.Fatal(err)
	}
	said(t, "tar", "--extract", "--numeric-owner", "--file", packed, "--directory", d.root)
	// In place of what debootstrap made there, which not every container may make.
	if err := os.WriteFile(d.path("/dev/null"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	return d
}

// aptSource returns the suite of this machine, and the mirror that its apt takes it from.
func aptSource(t *testing.T) (suite, mirror string) {
	t.Helper()
	release, err := os.ReadFile("/etc/os-release")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(release)) {
		if name, found := strings.CutPrefix(strings.TrimSpace(line), "VERSION_CODENAME="); found {
			suite = name
		}
	}
	targets := said(t, "apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
	for line := range strings.Lines(targets) {
		if uri, rest, _ := strings.Cut(strings.TrimSpace(line), " "); suite != "" && rest == suite+" main" {
			return suite, uri
		}
	}
	t.Fatalf("apt has no mirror of %q:\n%s", suite, targets)
	return "", ""
}

func (d debian) path(path string) string { return filepath.Join(d.root, path) }

// run runs a command in the root, and returns what it printed.
func (d debian) run(stdin string, args ...string) (string, error) {
	d.t.Helper()
	command := exec.CommandContext(d.t.Context(), "chroot", append([]string{d.root}, args...)...)
	command.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C"}
	command.Dir, command.Stdin = "/", strings.NewReader(stdin)
	out, err := command.CombinedOutput()
	return string(out), err
}

// must is run for what has to succeed.
func (d debian) must(args ...string) string {
	d.t.Helper()
	out, err := d.run("", args...)
	if err != nil {
		d.t.Fatalf("%q: %v\n%s", args, err, out)
	}
	return out
}

// install hands a package to dpkg, or to what else installs it.
func (d debian) install(file string, args ...string) string {
	d.t.Helper()
	text, err := os.ReadFile(file)
	if err == nil {
		err = os.WriteFile(d.path("/tmp/"+filepath.Base(file)), text, 0o600)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	return d.must(append(args, "/tmp/"+filepath.Base(file))...)
}

// want says whether files have to be there.
func (d debian) want(there bool, paths ...string) {
	d.t.Helper()
	for _, path := range paths {
		if _, err := os.Lstat(d.path(path)); errors.Is(err, os.ErrNotExist) == there {
			d.t.Errorf("%s: there: %t, %v", path, !there, err)
		}
	}
}

// unitSetting returns what the installed unit says.
func (d debian) unitSetting(name string) string {
	d.t.Helper()
	text, err := os.ReadFile(d.path("/usr/lib/systemd/system/sms-relay.service"))
	if err != nil {
		d.t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(strings.TrimSpace(line), name+"="); found {
			return value
		}
	}
	d.t.Fatalf("the unit does not say %s", name)
	return ""
}

// start does what systemd does with the unit: it gives the user its folder, the credential and the settings, and runs ExecStart.
func (d debian) start(address string) (stop func()) {
	d.t.Helper()
	const credentials = "/run/credentials/sms-relay.service"
	data := d.unitSetting("WorkingDirectory")
	name, from, _ := strings.Cut(d.unitSetting("LoadCredential"), ":")
	route, err := os.ReadFile(d.path(from))
	if err != nil {
		d.t.Fatal(err)
	}
	for _, err := range []error{
		os.MkdirAll(d.path(credentials), 0o755), os.WriteFile(d.path(filepath.Join(credentials, name)), route, 0o644),
		os.MkdirAll(d.path(data), 0o700), os.Chown(d.path(data), relayUser, relayUser),
	} {
		if err != nil {
			d.t.Fatal(err)
		}
	}
	settings, err := os.ReadFile(d.path(d.unitSetting("EnvironmentFile")))
	if err != nil {
		d.t.Fatal(err)
	}
	words := strings.Fields(strings.ReplaceAll(d.unitSetting("ExecStart"), "${CREDENTIALS_DIRECTORY}", credentials))
	var log bytes.Buffer
	command := &exec.Cmd{
		Path: words[0], Args: words, Dir: data, Env: strings.Split(strings.TrimSpace(string(settings)), "\n"), Stdout: &log, Stderr: &log,
		SysProcAttr: &syscall.SysProcAttr{Chroot: d.root, Credential: &syscall.Credential{Uid: relayUser, Gid: relayUser}},
	}
	if err := command.Start(); err != nil {
		d.t.Fatal(err)
	}
	stop = func() {
		if command.ProcessState != nil {
			return
		}
		_ = command.Process.Signal(syscall.SIGTERM)
		if err := command.Wait(); err != nil || d.t.Failed() {
			d.t.Errorf("relay serve ended with %v:\n%s", err, log.String())
		}
	}
	d.t.Cleanup(stop)
	await(d.t, "the relay answers", func() bool { return get(address+"/sms/health") == nil })
	return stop
}

// text has the fake Twilio receive a customer's text, and waits until the phone has it.
func (d debian) text(twilio, words string) {
	d.t.Helper()
	before := d.delivered()
	response, err := http.PostForm(twilio+"/fake/inbound", url.Values{"From": {"+13125550147"}, "To": {"+18585550100"}, "Body": {words}})
	if err != nil {
		d.t.Fatal(err)
	}
	_ = response.Body.Close()
	await(d.t, words+" is delivered", func() bool { return d.delivered() > before })
}

// delivered is how many texts the relay knows that their phone has.
func (d debian) delivered() int {
	d.t.Helper()
	n := 0
	for line := range strings.Lines(d.must("relay", "status")) {
		if strings.HasPrefix(line, "SM") && strings.Contains(line, "delivered") {
			n++
		}
	}
	return n
}

// fakeTwilio starts one on this host, whose loopback the root has, too.
func fakeTwilio(t *testing.T, program string) (address string) {
	t.Helper()
	listen := freeAddress(t)
	command := exec.Command(program, "fake-twilio", "--listen", listen, "--number", "+18585550100", "--step-delay", "20ms")
	command.Dir = t.TempDir()
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = command.Process.Kill(), command.Wait() })
	await(t, "the fake Twilio answers", func() bool { return get("http://"+listen+"/") == nil })
	return "http://" + listen
}

func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // it only had to find a port.
	return listener.Addr().String()
}

// get is nil once something answers there.
func get(address string) error {
	response, err := http.Get(address)
	if err == nil {
		_, _ = io.Copy(io.Discard, response.Body)
		err = response.Body.Close()
	}
	return err
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for until := time.Now().Add(time.Minute); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("not within a minute: %s", what)
		}
	}
}

const (
	firstVersion, secondVersion = "v1.2.3", "v1.2.4"
	debPattern, rpmPattern      = "sms-relay_*.deb", "sms-relay-*.rpm"
)

// TestThePackageOnDebian is the life of a package: installed, set up, upgraded, removed and purged.
func TestThePackageOnDebian(t *testing.T) {
	d := newDebian(t)
	first, second := release(t, firstVersion), release(t, secondVersion)
	if out := d.install(only(t, first, debPattern), "dpkg", "--install"); !strings.Contains(out, `"relay init" sets the relay up`) {
		t.Errorf("dpkg says\n%s", out)
	}
	if out := d.must("relay", "version"); !strings.HasPrefix(out, "relay "+firstVersion+" ") {
		t.Errorf("relay version says %s", out)
	}
	twilio, listen := fakeTwilio(t, only(t, first, "relay_*_linux_*64")), freeAddress(t)
	out, err := d.run("faketokenfaketokenfaketokenfake1\n", "relay", "init", "--yes", "--account-sid", "AC00000000000000000000000000000001",
		"--auth-token-file", "-", "--twilio-api-base-url", twilio, "--listen", listen, "--public-base-url", "http://"+listen,
		"--number", "+18585550100", "--phone", "Ann=+16195550123")
	if err == nil || !strings.Contains(out, "no relay answers at http://"+listen) {
		t.Fatalf("relay init says, while the relay does not run: %v\n%s", err, out)
	}
	stop := d.start("http://" + listen)
	if out := d.must("relay", "init", "--yes"); !strings.Contains(out, "went the whole way and arrived") {
		t.Errorf("relay init says\n%s", out)
	}
	d.text(twilio, "Is my dumpster coming?")

	// dpkg exchanges the program under the relay. Where systemd runs, the package restarts it.
	d.install(only(t, second, debPattern), "dpkg", "--install")
	d.text(twilio, "And who is this?")
	stop()
	stop = d.start("http://" + listen)
	if out := d.must("relay", "version"); !strings.HasPrefix(out, "relay "+secondVersion+" ") {
		t.Errorf("relay version says %s", out)
	}
	d.text(twilio, "It has come. Thank you!")
	if n := d.delivered(); n != 4 {
		t.Errorf("%d texts are delivered, want 3 and the canary", n)
	}
	stop()

	kept := []string{
		"/etc/sms-relay/relay.env", "/etc/sms-relay/maintenance.json", "/var/lib/sms-relay/relay.db", "/var/lib/sms-relay/audit.jsonl",
	}
	gone := []string{"/usr/bin/relay", "/usr/lib/systemd/system/sms-relay.service"}
	d.want(true, append(kept, gone...)...)
	d.must("dpkg", "--remove", "sms-relay")
	d.want(true, kept...)
	d.want(false, gone...)
	d.must("dpkg", "--purge", "sms-relay")
	d.want(false, "/etc/sms-relay", "/var/lib/sms-relay")
}

// TestThePackagesAskSystemd for what they need, where it runs. A script plays systemctl, and writes down what it is asked.
func TestThePackagesAskSystemd(t *testing.T) {
	d := newDebian(t)
	if err := os.MkdirAll(d.path("/run/systemd/system"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(d.path("/usr/bin/systemctl"), []byte("#!/bin/sh\necho \"$*\" >>/asked\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	first, second := release(t, firstVersion), release(t, secondVersion)
	asked := func(what string, lines ...string) {
		t.Helper()
		text, err := os.ReadFile(d.path("/asked"))
		if want := strings.Join(lines, "\n") + "\n"; err != nil || string(text) != want {
			t.Errorf("%s: %v, systemctl is asked\n%swant\n%s", what, err, text, want)
		}
		_ = os.Remove(d.path("/asked"))
	}
	const reload, restart, disable = "daemon-reload", "try-restart sms-relay.service", "disable --now sms-relay.service"
	d.install(only(t, first, debPattern), "dpkg", "--install")
	asked("install", reload)
	d.install(only(t, second, debPattern), "dpkg", "--install")
	asked("upgrade", reload, restart)
	d.must("dpkg", "--remove", "sms-relay")
	asked("remove", disable, reload)
	d.must("dpkg", "--purge", "sms-relay")

	need(t, "rpm")
	rpm := func(args ...string) { said(t, "rpm", append([]string{"--root", d.root, "--nodeps"}, args...)...) }
	rpm("--install", only(t, first, rpmPattern))
	asked("install", reload)
	rpm("--upgrade", only(t, second, rpmPattern))
	asked("upgrade", reload, restart)
	if out := d.must("relay", "version"); !strings.HasPrefix(out, fmt.Sprintf("relay %s ", secondVersion)) {
		t.Errorf("relay version says %s", out)
	}
	rpm("--erase", "sms-relay")
	asked("remove", disable, reload)
	d.want(false, "/usr/bin/relay")
}
