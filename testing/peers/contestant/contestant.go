//go:build linux

// Package contestant builds what is measured: the relay's functions as `make build` does, but for this machine; the peers as their users
// would; and the raw loop. It knows how each is told of the certificate that vouches for the stand-ins of AWS and Twilio.
package contestant

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"quickdumpnow.com/smsrelay/testing/peers/job"
	"quickdumpnow.com/smsrelay/testing/peers/lambda"
)

// Contestant is one of those that are measured.
type Contestant struct {
	// Name is shown to people.
	Name string
	// Works is whether it does the functions' work, which is checked.
	Works bool
	// Programs and Sizes, in bytes of what is uploaded, are by function.
	Programs map[string]lambda.Program
	Sizes    map[string]int64
}

// The names of those that others are compared with.
const (
	Ours  = "this relay"
	Again = "this relay again"
	Raw   = "raw loop"
)

// Builder builds the contestants.
type Builder struct {
	// Root is the repository's folder. Packages is where `make bench-peers` has put the packages for Python and Node; empty leaves
	// those two out.
	Root, Packages string
	// Environment is what each program sees of the environment.
	Environment []string
	// Authority is the certificate that vouches for the stand-ins, in PEM.
	Authority []byte
}

// systemRoots are where Debian and its kin, and Amazon Linux, keep the certificates that a system trusts.
func systemRoots() []string {
	return []string{"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"}
}

// Build builds all of them, the relay's first.
func (b Builder) Build(ctx context.Context) ([]Contestant, error) {
	folder := filepath.Join(b.Root, "build", "peers")
	if err := os.MkdirAll(folder, 0o750); err != nil {
		return nil, err
	}
	roots, err := b.trusted(systemRoots()...)
	if err != nil {
		return nil, fmt.Errorf("the system's certificates: %w (Debian: apt-get install ca-certificates)", err)
	}
	system := filepath.Join(folder, "system.pem")
	if err := os.WriteFile(system, roots, 0o600); err != nil {
		return nil, err
	}
	goEnvironment := append([]string{"SSL_CERT_FILE=" + system}, b.Environment...)
	template := []string{"GOMAXPROCS=1", "GOGC=400", "GOMEMLIMIT=160MiB", "GODEBUG=schedtrace=2147483647"}
	ours, err := b.ours(ctx, folder, append(template, goEnvironment...))
	if err != nil {
		return nil, err
	}
	again := ours
	again.Name = Again
	raw, err := b.compiled(ctx, Raw, folder, func(string) string { return "rawloop" }, append([]string{"GOMAXPROCS=1"}, goEnvironment...))
	if err != nil {
		return nil, err
	}
	defaults, err := b.compiled(ctx, "Go with all defaults", folder, func(function string) string { return "godefaults/" + function },
		goEnvironment)
	if err != nil {
		return nil, err
	}
	defaults.Works = true
	all := []Contestant{ours, again, raw, defaults}
	if b.Packages == "" {
		return all, nil
	}
	for _, interpreted := range []func(string) (Contestant, error){b.python, b.node} {
		c, err := interpreted(folder)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

// trusted returns the first of the files that is there, with the stand-ins' certificate added.
func (b Builder) trusted(files ...string) (bundle []byte, err error) {
	for _, file := range files {
		if bundle, err = os.ReadFile(file); err == nil { //nolint:gosec // a file of certificates.
			return append(append(bundle, '\n'), b.Authority...), nil
		}
	}
	return nil, err
}

// ours builds the relay's functions by the Makefile's own rule. On AWS they find its certificates among the five that they have built in;
// here a sixth is built in, so that they meet the stand-ins as they meet AWS.
func (b Builder) ours(ctx context.Context, folder string, environment []string) (Contestant, error) {
	c := newContestant(Ours)
	c.Works = true
	builtIn := filepath.Join("shared", "aws", "awsclient", "roots.pem")
	bundle, err := b.trusted(filepath.Join(b.Root, builtIn))
	if err != nil {
		return c, err
	}
	overlay := filepath.Join(folder, "overlay.json")
	replaced := filepath.Join(folder, "roots.pem")
	if err := os.WriteFile(replaced, bundle, 0o600); err != nil {
		return c, err
	}
	text := fmt.Sprintf(`{"Replace":{%q:%q}}`, filepath.Join(b.Root, builtIn), replaced)
	if err := os.WriteFile(overlay, []byte(text), 0o600); err != nil {
		return c, err
	}
	for _, function := range job.Functions() {
		bootstrap := filepath.Join("build", "peers", "ours", function, "bootstrap")
		build := exec.CommandContext(ctx, "make", "--no-print-directory", "-C", b.Root, bootstrap) //nolint:gosec // its own Makefile.
		build.Env = append(os.Environ(), "GOFLAGS="+os.Getenv("GOFLAGS")+" -overlay="+overlay)
		if out, err := build.CombinedOutput(); err != nil {
			return c, fmt.Errorf("make %s: %w\n%s", bootstrap, err, out)
		}
		if err := c.take(function, filepath.Join(b.Root, bootstrap), environment); err != nil {
			return c, err
		}
	}
	return c, nil
}

// compiled builds programs of this module without any flags, but for those that AWS's instructions have. source is where each is.
func (b Builder) compiled(
	ctx context.Context, name, folder string, source func(function string) string, environment []string,
) (Contestant, error) {
	c := newContestant(name)
	for _, function := range job.Functions() {
		bootstrap := filepath.Join(folder, filepath.FromSlash(source(function)), "bootstrap")
		arguments := []string{"build", "-tags", "lambda.norpc", "-o", bootstrap, "./" + source(function)}
		build := exec.CommandContext(ctx, "go", arguments...) //nolint:gosec // as above.
		build.Dir = filepath.Join(b.Root, "testing", "peers")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			return c, fmt.Errorf("go build %s: %w\n%s", source(function), err, out)
		}
		if err := c.take(function, bootstrap, environment); err != nil {
			return c, err
		}
	}
	return c, nil
}

func newContestant(name string) Contestant {
	return Contestant{Name: name, Programs: map[string]lambda.Program{}, Sizes: map[string]int64{}}
}

// take notes a bootstrap.
func (c *Contestant) take(function, bootstrap string, environment []string) (err error) {
	c.Programs[function] = lambda.Program{
		Command: []string{bootstrap}, Folder: filepath.Dir(bootstrap),
		Environment: append([]string{"_HANDLER=bootstrap", "LAMBDA_TASK_ROOT=" + filepath.Dir(bootstrap)}, environment...),
	}
	c.Sizes[function], err = zipped(bootstrap)
	return err
}
