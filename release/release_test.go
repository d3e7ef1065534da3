package main

import (
	"debug/elf"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// here is a platform that this machine runs. Packages are for Linux.
var here = platform{"linux", runtime.GOARCH}

// source is the relay's folder.
const source = ".."

// made is one release for each version that a test asked for. They are removed with the tests.
var made = struct {
	sync.Mutex
	under   string
	folders map[string]string
}{folders: map[string]string{}}

func TestMain(m *testing.M) {
	under, err := os.MkdirTemp("", "smsrelay-release-*")
	if err != nil {
		panic(err)
	}
	made.under = under
	code := m.Run()
	_ = os.RemoveAll(under)
	os.Exit(code)
}

func buildOf(version string) build {
	return build{version: version, commit: strings.Repeat("0123456789", 4), time: time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)}
}

// release makes a release of that version for this machine, and returns its folder.
func release(t *testing.T, version string) string {
	t.Helper()
	made.Lock()
	defer made.Unlock()
	if made.folders[version] == "" {
		folder := filepath.Join(made.under, version)
		if err := buildOf(version).make(t.Context(), source, folder, []string{here.system + "/" + here.processor}); err != nil {
			t.Fatal(err)
		}
		made.folders[version] = folder
	}
	return made.folders[version]
}

// only returns the one file in the folder that the pattern names.
func only(t *testing.T, folder, pattern string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(folder, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s is %q, %v", pattern, found, err)
	}
	return found[0]
}

// said runs a program, and returns what it printed.
func said(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, out)
	}
	return string(out)
}

// need skips a test whose tool is missing. CI has them all.
func need(t *testing.T, tool string) {
	t.Helper()
	_, err := exec.LookPath(tool)
	switch {
	case err == nil:
	case os.Getenv("CI") != "":
		t.Fatalf("%s is not here", tool)
	default:
		t.Skipf("%s is not here", tool)
	}
}

func TestTheProgramNeedsNothing(t *testing.T) {
	program := only(t, release(t, "v1.2.3"), "relay_1.2.3_linux_*64")
	file, err := elf.Open(program)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close() //nolint:errcheck // it is only read.
	for _, p := range file.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("it has a segment %s, so it is not static", p.Type)
		}
	}
	for _, s := range file.Sections {
		if s.Type == elf.SHT_SYMTAB || strings.HasPrefix(s.Name, ".debug") {
			t.Errorf("it has a section %s, so it is not stripped", s.Name)
		}
	}
	want := "relay v1.2.3 (commit " + buildOf("").commit + ", 2026-11-28T10:00:00Z), "
	text, err := os.ReadFile(program + ".cdx.json")
	for _, want := range []string{`"bomFormat": "CycloneDX"`, `"version": "v1.2.3"`, `"modernc.org/sqlite"`, `"std"`} {
		if err != nil || !strings.Contains(string(text), want) {
			t.Errorf("the list of what is in it: %v, and %s is missing", err, want)
		}
	}
	if got := said(t, program, "version"); !strings.HasPrefix(got, want) {
		t.Errorf("relay version says %q, want %q", got, want)
	}
}

// TestThePackagesHaveOneUnit which relay init has, too, and nothing that others may write.
func TestThePackagesHaveOneUnit(t *testing.T) {
	need(t, "dpkg-deb")
	folder := t.TempDir()
	said(t, "dpkg-deb", "--extract", only(t, release(t, "v1.2.3"), "sms-relay_1.2.3_*.deb"), folder)
	want, err := os.ReadFile(filepath.Join(source, "cmd", "relay", "setup", "sms-relay.service"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(folder, "usr", "lib", "systemd", "system", "sms-relay.service"))
	if err != nil || string(got) != string(want) {
		t.Errorf("%v, and the unit is\n%s", err, got)
	}
	if info, err := os.Stat(filepath.Join(folder, "etc", "sms-relay")); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder of the settings: %v, %v", info, err)
	}
	if info, err := os.Stat(filepath.Join(folder, "usr", "bin", "relay")); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("the program: %v, %v", info, err)
	}
}

func TestTheOtherPackageIsTheSame(t *testing.T) {
	need(t, "rpm")
	const format = `[%{FILEMODES:perms} %{FILEUSERNAME} %{FILENAMES}\n]%{VERSION} %{BUILDTIME}`
	got := said(t, "rpm", "--query", "--package", "--queryformat", format,
		only(t, release(t, "v1.2.3"), "sms-relay-1.2.3-*.rpm"))
	want := `drwx------ root /etc/sms-relay
-rwxr-xr-x root /usr/bin/relay
-rw-r--r-- root /usr/lib/systemd/system/sms-relay.service
-rw-r--r-- root /usr/share/doc/sms-relay/copyright
1.2.3 1795860000`
	if got != want {
		t.Errorf("the package has\n%s\nwant\n%s", got, want)
	}
}

func TestEachFileHasItsSum(t *testing.T) {
	folder := release(t, "v1.2.3")
	text, err := os.ReadFile(filepath.Join(folder, sumsName))
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for line := range strings.Lines(string(text)) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		named = append(named, name)
		if is, err := sumOf(filepath.Join(folder, filepath.FromSlash(name))); err != nil || hex.EncodeToString(is) != sum {
			t.Errorf("%s: %v, %x; want %s", name, err, is, sum)
		}
	}
	for _, pattern := range []string{"relay_*_linux_*64", "*.deb", "*.rpm", "*.cdx.json", "*_docker_*.tar"} {
		if name := filepath.Base(only(t, folder, pattern)); !slices.Contains(named, name) {
			t.Errorf("%s is missing in %q", name, named)
		}
	}
}
