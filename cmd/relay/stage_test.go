package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/fake"
	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/onehost/jsonlines"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	testNumber      = sms.PhoneNumber("+18585550100")
	testDestination = sms.PhoneNumber("+16195550123")
	testOperator    = "test-operator-token"
)

// newFake starts a fake Twilio for the test and returns it with its URL.
func newFake(tb testing.TB, change func(*twiliofake.Config)) (*twiliofake.Server, string) {
	tb.Helper()
	config := twiliofake.Config{
		AccountSid: fake.AccountSid, AuthToken: fake.AuthToken, Numbers: []sms.PhoneNumber{testNumber},
		StepDelay: time.Millisecond, Now: time.Now,
	}
	if change != nil {
		change(&config)
	}
	fake, err := twiliofake.New(config)
	if err != nil {
		tb.Fatal(err)
	}
	server := httptest.NewServer(fake)
	tb.Cleanup(func() {
		server.Close()
		fake.Close()
	})
	return fake, server.URL
}

// writeMaintenance writes a maintenance.json into the folder and returns its path.
func writeMaintenance(t *testing.T, folder, content string) string {
	t.Helper()
	path := filepath.Join(folder, "maintenance.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func testRoutes() string {
	return fmt.Sprintf(`{"routes":[{"TwilioNumber":%q,"DestinationCarrier":%q,"FallbackCarriers":[],"Active":true,`+
		`"LastUpdated":"2026-11-24T08:00:00Z"}]}`, testNumber, testDestination)
}

// serving is a relay serve in a process of its own.
type serving struct {
	url    string
	cmd    *exec.Cmd
	output *lockedBuffer
}

type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write keeps what a process says.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// relayProgram returns the program that [TestMain] makes of the tests' own binary.
func relayProgram(tb testing.TB) string {
	tb.Helper()
	path, err := exec.LookPath("relay")
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// buildRelay builds the program as people do.
func buildRelay(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "relay")
	if out, err := exec.CommandContext(tb.Context(), "go", "build", "-o", path, ".").CombinedOutput(); err != nil {
		tb.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// startServe starts the real program and waits until it serves.
func startServe(t *testing.T, binary, twilioURL, data, listen, routes, interval string, more ...string) *serving {
	t.Helper()
	cmd := exec.Command(binary, append([]string{
		"serve", "--listen", listen, "--data", data, "--routes", routes, "--retry-base", "200ms", "--send-timeout", "1s",
		"--pace-pair", "off", "--pace-number", "off", "--reconcile-interval", interval,
	}, more...)...)
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(),
		cli.EnvAccountSid + "=" + fake.AccountSid, cli.EnvAuthToken + "=" + fake.AuthToken,
		cli.EnvTwilioBaseURL + "=" + twilioURL, cli.EnvOperatorToken + "=" + testOperator,
	}
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &serving{cmd: cmd, output: &lockedBuffer{}}
	t.Cleanup(func() { s.kill() })
	s.url = waitForURL(t, stderr, s.output)
	return s
}

// waitForURL reads the log up to the line that says where the relay serves, and on from there.
func waitForURL(t *testing.T, stderr io.Reader, output io.Writer) string {
	t.Helper()
	found := make(chan string, 1)
	go func() {
		scanner := bufio.NewScanner(io.TeeReader(stderr, output))
		scanner.Buffer(nil, 1<<20)
		for scanner.Scan() {
			var line struct{ Msg, URL string }
			if json.Unmarshal(scanner.Bytes(), &line) == nil && line.Msg == "relay serves" {
				found <- line.URL
			}
		}
		close(found)
	}()
	select {
	case url, ok := <-found:
		if !ok {
			t.Fatalf("relay serve ended before it served")
		}
		return url
	case <-time.After(30 * time.Second):
		t.Fatal("relay serve did not say where it serves")
		return ""
	}
}

// kill ends the process as a power cut does. It may be called twice.
func (s *serving) kill() {
	if s.cmd.ProcessState == nil {
		_ = s.cmd.Process.Kill()
		_ = s.cmd.Wait()
	}
}

// stop ends the process as systemd does. Then all that was written is in the audit log, which may be a moment behind while the relay runs.
func (s *serving) stop(t *testing.T) {
	t.Helper()
	if err := s.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Fatal(fmt.Errorf("the relay did not stop cleanly: %w\n%s", err, lastLines(s.output.String())))
	}
}

// lastLines is the end of what a relay said.
func lastLines(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return strings.Join(lines[max(0, len(lines)-10):], "\n")
}

// trails reads the audit log, which has to verify, and returns the entries of each text, one of each id, in order of version.
func trails(t *testing.T, data string) map[string][]auditlog.Entry {
	t.Helper()
	if code, out, trouble := auditOf(t, "verify", "--data", data); code != cli.ExitDone {
		t.Errorf("relay audit verify: exit code %d\n%s%s", code, out, trouble)
	}
	bySid := map[string][]auditlog.Entry{}
	seen := map[string]bool{}
	err := jsonlines.Read(filepath.Join(data, datafolder.AuditFile), func(line auditlog.Line) error {
		var e auditlog.Entry
		if err := json.Unmarshal(line.Text, &e); err != nil {
			return err
		}
		if e.MessageSid != "" && !seen[e.ID] {
			seen[e.ID] = true
			bySid[e.MessageSid] = append(bySid[e.MessageSid], e)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return bySid
}

// completeTrail says what is missing in a text's trail: versions without gaps, each beginning where the last ended.
func completeTrail(entries []auditlog.Entry) error {
	for i, e := range entries {
		if e.Version != int64(i+1) {
			return fmt.Errorf("entry %d has version %d", i+1, e.Version)
		}
		if i > 0 && e.From != entries[i-1].To {
			return fmt.Errorf("version %d begins at %q, the one before ended at %q", e.Version, e.From, entries[i-1].To)
		}
	}
	return nil
}

// waitUntil asks again and again until ok, or fails the test.
func waitUntil(t *testing.T, what string, limit time.Duration, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("%s: not within %v", what, limit)
		case <-time.After(20 * time.Millisecond):
		}
	}
}
