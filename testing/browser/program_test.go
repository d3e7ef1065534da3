package browser

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Who takes part.
const (
	number   = "+18585550100"
	customer = "+13125550147"
	bo, cy   = "+16195550123", "+16195550124"
	operator = "test-operator-token"
	password = "correct horse battery"
	routes   = `{"routes":[{"TwilioNumber":"` + number + `","DestinationCarrier":"` + bo + `","FallbackCarriers":["` + cy + `"],` +
		`"Active":true,"AnswerTimeout":"10m","TimeZone":"America/Los_Angeles","LastUpdated":"2026-11-24T08:00:00Z",` +
		`"Phones":[{"Name":"Bo","Number":"` + bo + `"},{"Name":"Cy","Number":"` + cy + `"}]}]}`
)

// patience is how long a test waits for anything.
const patience = time.Minute

// folder is where the program is, for all tests.
var folder string

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "relay-browser-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := os.RemoveAll(folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// build makes the program once, as people do, and returns its path.
var build = sync.OnceValues(func() (string, error) {
	path := filepath.Join(folder, "relay")
	out, err := exec.Command("go", "build", "-ldflags=-w", "-o", path, "../../cmd/relay").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return path, nil
})

// stage is a fake Twilio and a relay, each a process of its own, and a browser.
type stage struct {
	*testing.T
	program string
	env     []string
	// twilio and relay are where the pages of both are.
	twilio, relay string
	browser       context.Context
}

// newStage starts all of it, on ports that the kernel chooses.
func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{T: t, browser: openBrowser(t)}
	var err error
	if s.program, err = build(); err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	file, data := filepath.Join(home, "maintenance.json"), filepath.Join(home, "relay-data")
	if err := os.WriteFile(file, []byte(routes), 0o600); err != nil {
		t.Fatal(err)
	}
	s.env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + home, "RELAY_DATA=" + data, "RELAY_OPERATOR_TOKEN=" + operator,
		"TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001", "TWILIO_AUTH_TOKEN=faketokenfaketokenfaketokenfake1",
	}
	s.twilio = s.start("fake-twilio", "--listen", "127.0.0.1:0", "--number", number, "--step-delay", "10ms")
	s.env = append(s.env, "TWILIO_API_BASE_URL="+s.twilio)
	s.relay = s.start("serve", "--listen", "127.0.0.1:0", "--routes", file, "--pace-pair", "off", "--pace-number", "off",
		"--retry-base", "100ms", "--max-attempts", "2", "--reconcile-interval", "100ms", "--reconcile-looks", "1", "--log-format", "json")
	s.env = append(s.env, "PUBLIC_BASE_URL="+s.relay)
	s.run("", "number", "configure", number, "--apply")
	return s
}

var address = regexp.MustCompile(`http://127\.0\.0\.1:\d+`)

// start starts a server of the program, and returns where it serves. It must end well, and without having reported a defect.
func (s *stage) start(args ...string) string {
	s.Helper()
	cmd := exec.Command(s.program, args...)
	cmd.Env = s.env
	read, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	if err := cmd.Start(); err != nil {
		s.Fatal(err)
	}
	found, read2 := make(chan string, 1), make(chan struct{})
	var said bytes.Buffer
	go func() {
		defer close(read2)
		for lines := bufio.NewScanner(io.TeeReader(read, &said)); lines.Scan(); {
			if line := lines.Text(); strings.Contains(line, "relay serves") || strings.HasPrefix(line, "fake Twilio at") {
				found <- address.FindString(line)
			}
		}
	}()
	s.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		err := errors.Join(cmd.Wait(), write.Close())
		<-read2
		if err != nil {
			s.Errorf("relay %s: %v\n%s", args[0], err, said.String())
		}
		for line := range strings.Lines(said.String()) {
			if strings.Contains(line, `"ERROR"`) {
				s.Errorf("relay %s reports: %s", args[0], line)
			}
		}
	})
	select {
	case url := <-found:
		return url
	case <-time.After(patience):
		s.Fatalf("relay %s does not serve", args[0])
		return ""
	}
}

// run runs a command of the program to its end.
func (s *stage) run(input string, args ...string) {
	s.Helper()
	cmd := exec.CommandContext(s.Context(), s.program, args...)
	cmd.Env, cmd.Stdin = s.env, strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		s.Fatalf("relay %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}
