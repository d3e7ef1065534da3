//go:build unix

package lambdahost

import (
	"encoding/binary"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/testing/lambdahost/mapping"
)

// A function sees what Lambda and the template give it, what this machine adds, and nothing of this process's environment.
func TestEnvironment(t *testing.T) {
	t.Setenv("RELAY_SECRET_OF_THIS_MACHINE", "not for functions")
	s := started(t)
	response, body := s.ask(t, http.MethodPost, "/sms/inbound?environment", "", nil)
	if response.StatusCode != http.StatusOK {
		t.Fatalf("answer %d", response.StatusCode)
	}
	seen := strings.Split(body, "\n")
	for _, want := range []string{
		"AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=AKIDECHO", "AWS_LAMBDA_FUNCTION_NAME=Relay-Echo", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=128",
		"AWS_LAMBDA_LOG_GROUP_NAME=/relay/echo", "AWS_LAMBDA_LOG_FORMAT=JSON", "AWS_LAMBDA_LOG_LEVEL=INFO", "_HANDLER=bootstrap",
		"AWS_ENDPOINT_URL=" + s.endpoint, "QUEUE_URL=" + s.Name("Inbox"), "LIMIT=5", "ONLY_HERE=yes",
	} {
		if !slices.Contains(seen, want) {
			t.Errorf("the function does not see %s", want)
		}
	}
	if strings.Contains(body, "RELAY_SECRET_OF_THIS_MACHINE") {
		t.Error("the function sees this process's environment")
	}
}

// machines of ELF files, as their headers name them.
const (
	machineAMD64 = 62
	machineARM64 = 183
	machineRISCV = 243
)

// bootstrapFor returns this binary made out to be for another processor.
func bootstrapFor(t *testing.T, machine uint16) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	const atMachine = 18
	binary.LittleEndian.PutUint16(text[atMachine:], machine)
	path := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCommand starts a bootstrap of this machine's processor by itself, one for arm64 under an emulator if there is one, and no other.
func TestCommand(t *testing.T) {
	native, foreign := uint16(machineAMD64), uint16(machineARM64)
	if runtime.GOARCH == "arm64" {
		native, foreign = foreign, native
	}
	own := bootstrapFor(t, native)
	if got, err := Command(own); err != nil || !slices.Equal(got, []string{own}) {
		t.Errorf("of this machine: %v, %v", got, err)
	}
	got, err := Command(bootstrapFor(t, foreign))
	_, missing := exec.LookPath("qemu-aarch64-static")
	if _, other := exec.LookPath("qemu-aarch64"); other == nil {
		missing = nil
	}
	if hasEmulator := foreign == machineARM64 && missing == nil; hasEmulator != (err == nil) || hasEmulator &&
		(len(got) != 2 || !strings.Contains(got[0], "qemu-aarch64")) {
		t.Errorf("of another machine, with an emulator %v: %v, %v", hasEmulator, got, err)
	}
	if _, err := Command(bootstrapFor(t, machineRISCV)); err == nil || !strings.Contains(err.Error(), "RISCV") {
		t.Errorf("of a machine that nobody has: %v", err)
	}
	if _, err := Command(filepath.Join(t.TempDir(), "bootstrap")); err == nil || !strings.Contains(err.Error(), "make sam-build") {
		t.Errorf("of a bootstrap that was not built: %v, want a hint", err)
	}
}

// TestInvocationRecord is what Lambda leaves of a batch that was given up.
func TestInvocationRecord(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	s := started(t)
	s.config.Now = func() time.Time { return now }
	record := s.invocationRecord(s.functions["Mapped"], mapping.Lost{
		Condition: "RetryAttemptsExhausted", Tries: 3, ShardID: "shard-1", StreamARN: "arn:stream", Event: []byte(`{"Records":[]}`),
		Records: []mapping.Record{{SequenceNumber: "1", At: now.Add(-time.Minute)}, {SequenceNumber: "7", At: now}},
	})
	compare(t, "record", map[string]any{
		"version": "1.0", "timestamp": now, "payload": `{"Records":[]}`,
		"requestContext": map[string]any{
			"functionArn": "arn:aws:lambda:us-east-1:000000000000:function:Relay-Mapped",
			"condition":   "RetryAttemptsExhausted", "approximateInvokeCount": 3,
		},
		"DDBStreamBatchInfo": map[string]any{
			"shardId": "shard-1", "streamArn": "arn:stream", "batchSize": 2, "startSequenceNumber": "1", "endSequenceNumber": "7",
			"approximateArrivalOfFirstRecord": now.Add(-time.Minute), "approximateArrivalOfLastRecord": now,
		},
	}, record)
}

// TestClose ends the functions and the front door, and takes the stack away. A second stack can be started then.
func TestClose(t *testing.T) {
	s := started(t)
	s.got(t, "Mapped", &events.SQSEvent{})
	if err := s.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
	if _, err := http.Get(s.URL() + "/sms/health"); err == nil {
		t.Error("the front door still answers")
	}
	if _, err := s.Function("Echo").Invoke(t.Context(), []byte(`{}`)); err == nil {
		t.Error("a function still answers")
	}
	if s.Function("Nobody") != nil {
		t.Error("there is a function that the template does not have")
	}
}
