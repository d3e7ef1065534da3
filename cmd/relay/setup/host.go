package setup

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// Where things are on a host that root sets up.
const (
	systemFolder = "/etc/sms-relay"
	systemData   = "/var/lib/sms-relay"
)

// host is the machine that init sets up.
type host struct {
	// under is the folder in which the system's folders are: empty, but in tests.
	under string
	// isRoot says that this is root on Linux, runs that systemd runs here.
	isRoot, runs bool
	// program is the path of this program.
	program string
	// systemctl runs systemd's command of that name.
	systemctl func(ctx context.Context, args ...string) error
	// resolve looks a domain up.
	resolve func(ctx context.Context, domain string) error
	// patience is how long a relay that systemd has started may take to answer: it gets a certificate first.
	patience time.Duration
}

// thisHost is the one that this program runs on.
func thisHost() host {
	program, err := os.Executable()
	if resolved, notFound := filepath.EvalSymlinks(program); err == nil && notFound == nil {
		program = resolved
	}
	folder, err := os.Stat("/run/systemd/system")
	return host{
		isRoot: runtime.GOOS == "linux" && os.Geteuid() == 0, runs: err == nil && folder.IsDir(), program: program,
		systemctl: systemctl, resolve: resolve, patience: time.Minute,
	}
}

func systemctl(ctx context.Context, args ...string) error {
	out, err := exec.CommandContext(ctx, "systemctl", args...).CombinedOutput() //nolint:gosec // the arguments are init's own.
	if said := strings.TrimSpace(string(out)); err != nil && said != "" {
		return errors.New(said)
	}
	if err != nil {
		return fmt.Errorf("systemctl %s: %w", args[0], err)
	}
	return nil
}

func resolve(ctx context.Context, domain string) error {
	const enough = 5 * time.Second
	ctx, stop := context.WithTimeout(ctx, enough)
	defer stop()
	_, err := net.DefaultResolver.LookupHost(ctx, domain)
	return err
}

// path is where a file of the system is.
func (h host) path(path string) string { return filepath.Join(h.under, path) }

// usualFolder is where the files are unless somebody says otherwise.
func (h host) usualFolder() string {
	if h.isRoot {
		return systemFolder
	}
	return "."
}

// isSystem reports whether the relay is one of the system, not one of a person's folder.
func (j *job) isSystem() bool { return j.host.isRoot && filepath.Clean(j.folder) == systemFolder }
