//go:build linux || darwin

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// startTimeout bounds one start; a loaded CI machine takes many times what an idle one does.
	startTimeout = 2 * time.Minute
	// startAttempts bounds how often a port may be lost to somebody else between choosing and binding it.
	startAttempts = 5
	// startInterval is how often a starting emulator is looked at.
	startInterval = 50 * time.Millisecond
)

// errPortTaken says that somebody else bound the port first: worth another try on another port.
var errPortTaken = errors.New("the chosen port was taken by another program")

// server is an emulator that runs.
type server struct {
	emulator emulator
	url      string
	process  *process
	output   *tail
	stop     context.CancelFunc
}

// startAll starts the chosen emulators side by side and returns once all of them answer. Those it returns are to be
// stopped also when it returns an error.
func startAll(ctx context.Context, opts options, folders map[string]string, stderr io.Writer) ([]*server, error) {
	servers := make([]*server, len(opts.chosen))
	group, ctx := errgroup.WithContext(ctx)
	for i, e := range opts.chosen {
		output := func() *tail {
			if opts.verbose {
				return &tail{echo: stderr, prefix: e.name}
			}
			return &tail{}
		}
		group.Go(func() error {
			s, err := startOne(ctx, e, folders[e.name], output)
			servers[i] = s
			if err == nil && opts.verbose {
				say(stderr, "%s answers at %s", e.product, s.url)
			}
			return err
		})
	}
	err := group.Wait()
	var running []*server
	for _, s := range servers {
		if s != nil {
			running = append(running, s)
		}
	}
	return running, err
}

// startOne starts an emulator on a port of its own and waits until it answers.
func startOne(ctx context.Context, e emulator, folder string, output func() *tail) (*server, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("no answer within %s", startTimeout))
	defer cancel()
	var err error
	for range startAttempts {
		var port int
		if port, err = freePort(ctx); err != nil {
			break
		}
		var s *server
		if s, err = startOn(ctx, e, folder, port, output()); err == nil {
			return s, nil
		}
		if !errors.Is(err, errPortTaken) {
			break
		}
	}
	return nil, fmt.Errorf("start %s: %w", e.product, err)
}

// startOn starts an emulator on a port. It leaves nothing running when it fails.
func startOn(ctx context.Context, e emulator, folder string, port int, output *tail) (*server, error) {
	// The emulators outlive an interrupted start-up or command until stopAll, so that the command ends first.
	life, stop := context.WithCancel(context.WithoutCancel(ctx))
	args := e.command(folder, port)
	cmd := exec.CommandContext(life, args[0], args[1:]...) //nolint:gosec // the argument vector is fixed in this package
	cmd.Dir = os.TempDir()
	cmd.Env = withoutAWS(cmd.Environ())
	cmd.Stdout, cmd.Stderr = output, output
	p, err := start(cmd, ownGroup)
	if err != nil {
		stop()
		return nil, err
	}
	s := &server{emulator: e, url: fmt.Sprintf("http://127.0.0.1:%d", port), process: p, output: output, stop: stop}
	if err := s.await(ctx, port); err != nil {
		stopAll([]*server{s})
		return nil, fmt.Errorf("%w; its last output:\n%s", err, output.tail())
	}
	return s, nil
}

// await returns nil once the emulator said that it has bound the port and then answered there.
func (s *server) await(ctx context.Context, port int) error {
	ticker := time.NewTicker(startInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-s.process.done:
			if portTaken(s.output) {
				return errPortTaken
			}
			return fmt.Errorf("it ended at once (%w)", s.process.reason())
		case <-ticker.C:
		}
		if portTaken(s.output) { // ElasticMQ stays up without its port
			return errPortTaken
		}
		if s.output.contains(s.emulator.bound(port)) && answers(ctx, s.url+s.emulator.probe) {
			return nil
		}
	}
}

// portTaken reports whether a program complained that its port is in use; the JVM and Python use the same words for it.
func portTaken(output *tail) bool {
	return output.contains("Address already in use")
}

// answers reports whether an HTTP server gives any answer at all.
func answers(ctx context.Context, url string) bool {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	return response.Body.Close() == nil
}

// freePort asks the kernel for a port that nobody listens on. Somebody may before the emulator does: see errPortTaken.
func freePort(ctx context.Context) (int, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("look for a free port: %w", err)
	}
	address, ok := listener.Addr().(*net.TCPAddr)
	if !ok {
		return 0, errors.Join(errors.New("look for a free port: not a TCP address"), listener.Close())
	}
	return address.Port, listener.Close()
}

// stopAll stops the emulators side by side and returns when all of them are gone.
func stopAll(running []*server) {
	for _, s := range running {
		s.stop()
	}
	for _, s := range running {
		<-s.process.done
	}
}
