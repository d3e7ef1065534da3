package relaytest

import (
	"os"
	"os/exec"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
)

// The variables in which `make test-aws` says where its emulators are.
const (
	EmulatorDynamoDB = "RELAY_TEST_DYNAMODB_URL"
	EmulatorSQS      = "RELAY_TEST_SQS_URL"
	EmulatorMoto     = "RELAY_TEST_MOTO_URL"
)

// ToolSchemathesis is the variable in which `make test-aws` says where its schemathesis is.
const ToolSchemathesis = "RELAY_TOOL_SCHEMATHESIS"

// Tool returns the path of the program that variable names. Without it the test is skipped.
func Tool(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		t.Skip("no " + variable + ": run make test-aws")
	}
	return path
}

// Promtool returns the path of Prometheus' promtool. Without it the test is skipped.
func Promtool(t *testing.T) string {
	t.Helper()
	path := os.Getenv("RELAY_TOOL_PROMTOOL")
	if path == "" {
		var err error
		if path, err = exec.LookPath("promtool"); err != nil {
			t.Skip("promtool is not here: run make promtool, then make test")
		}
	}
	return path
}

// The variables in which the Makefile says where Twilio's libraries are: a Python that has its own, and a folder of Node's packages.
const (
	LibraryPython = "RELAY_LIBRARY_PYTHON"
	LibraryNode   = "RELAY_LIBRARY_NODE"
)

// Library returns where the library is that variable names. Without it the test is skipped, but not in CI, which has both.
func Library(t *testing.T, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	switch {
	case path != "":
	case os.Getenv("CI") == "true":
		t.Fatal("no " + variable + ": CI runs make libraries before make test")
	default:
		t.Skip("no " + variable + ": run make libraries, then make test")
	}
	return path
}

// Emulator returns the configuration of clients of the emulator that variable points to, with the patience that a busy
// machine needs. Without the emulator the test is skipped.
func Emulator(t *testing.T, variable string) awsclient.Config {
	t.Helper()
	endpoint := os.Getenv(variable)
	if endpoint == "" {
		t.Skip("no " + variable + ": run make test-aws")
	}
	return awsclient.Config{
		Region: "us-east-1", AccessKeyID: "local", SecretAccessKey: "local", Endpoint: endpoint, AttemptTimeout: 30 * time.Second,
	}
}
