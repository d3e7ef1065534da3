package openapi

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	account  = "AC00000000000000000000000000000001"
	token    = "faketokenfaketokenfaketokenfake1"
	operator = "test-operator-token"
	number   = sms.PhoneNumber("+18585550100")
	routes   = `{"routes":[{"TwilioNumber":"+18585550100","DestinationCarrier":"+16195550123","FallbackCarriers":["+16195550124"],` +
		`"Active":true,"LastUpdated":"2026-11-24T08:00:00Z"}]}`
)

// TestSchemathesis: no request that schemathesis makes of the document is answered as the document does not say, and none
// that it makes wrong on purpose is accepted. The requests are the same ones each time.
func TestSchemathesis(t *testing.T) {
	program := relaytest.Tool(t, relaytest.ToolSchemathesis)
	url := serve(t)
	config, err := filepath.Abs("schemathesis.toml")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "--no-color", "--config-file", config, "run", url+"/openapi.json", "--header",
		"Authorization: Bearer "+operator,
		"--checks", "all", "--max-examples", "50", "--seed", "4711", "--generation-database", "none", "--continue-on-failure")
	cmd.Dir = t.TempDir() // It leaves its notes where it runs.
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("schemathesis: %v\n%s", err, out)
	}
	// A run that made no requests would pass, too.
	if made := generated.FindSubmatch(out); made == nil || atoi(string(made[1])) < 200 {
		t.Errorf("schemathesis made too few requests:\n%s", out)
	} else {
		t.Logf("%s requests", made[1])
	}
}

// generated finds how many requests schemathesis made.
var generated = regexp.MustCompile(`(?m)^\s*([0-9]+) generated, `)

func atoi(text string) int {
	n, _ := strconv.Atoi(text)
	return n
}

// serve starts the real program before a fake Twilio, and returns its URL.
func serve(t *testing.T) string {
	t.Helper()
	fake, err := twiliofake.New(twiliofake.Config{
		AccountSid: account, AuthToken: token, Numbers: []sms.PhoneNumber{number}, StepDelay: time.Millisecond, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	twilio := httptest.NewServer(fake)
	folder := t.TempDir()
	routesFile, binary := filepath.Join(folder, "maintenance.json"), filepath.Join(folder, "relay")
	if err := os.WriteFile(routesFile, []byte(routes), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/relay").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	cmd := exec.Command(binary, "serve", "--listen", "127.0.0.1:0", "--data", filepath.Join(folder, "relay-data"), "--routes", routesFile,
		"--pace-pair", "off", "--pace-number", "off", "--log-format", "json")
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + folder, "TWILIO_ACCOUNT_SID=" + account, "TWILIO_AUTH_TOKEN=" + token,
		"TWILIO_API_BASE_URL=" + twilio.URL, "RELAY_OPERATOR_TOKEN=" + operator,
	}
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	urls, ended := make(chan string, 1), make(chan struct{})
	go func() {
		defer close(ended)
		follow(t, log, urls)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
		if err := cmd.Wait(); err != nil {
			t.Errorf("relay serve: %v", err)
		}
		twilio.Close()
		fake.Close()
	})
	select {
	case url := <-urls:
		return url
	case <-ended:
		t.Fatal("relay serve ended")
	case <-time.After(30 * time.Second):
		t.Fatal("relay serve did not come up")
	}
	return ""
}

// follow reads the log to its end: it finds the line that says where the relay serves, and wants none that reports a defect.
func follow(t *testing.T, log io.Reader, urls chan<- string) {
	t.Helper()
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var line struct{ Level, Msg, URL string }
		if json.Unmarshal(lines.Bytes(), &line) != nil {
			t.Errorf("relay serve said %s", lines.Bytes())
			continue
		}
		if line.Msg == "relay serves" {
			urls <- line.URL
		}
		if line.Level == "ERROR" {
			t.Errorf("relay serve said %s", lines.Bytes())
		}
	}
}
