package main

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// blockOf returns the README's first block of one kind ("sh", or "" for output) that contains the words.
func blockOf(t *testing.T, kind, words string) string {
	t.Helper()
	page := readPage(t, filepath.Join("..", "..", "README.md"))
	for _, found := range regexp.MustCompile("(?s)```([a-z]*)\n(.*?)```").FindAllStringSubmatch(page, -1) {
		if found[1] == kind && strings.Contains(found[2], words) {
			return found[2]
		}
	}
	t.Fatalf("the README has no block with %q", words)
	return ""
}

// freeAddress is one that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // its address is all that is wanted
	return listener.Addr().String()
}

// TestTheReadmesFirstBlockRuns runs what a newcomer copies: a text is delivered, and nothing is left running. Only the addresses are
// others, and the second that a text may take is as long as it takes.
func TestTheReadmesFirstBlockRuns(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"bash", "curl"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("%s is not here", tool)
		}
	}
	folder, binary := t.TempDir(), buildRelay(t)
	fake, relay := freeAddress(t), freeAddress(t)
	script := strings.NewReplacer(
		"go build -o bin/relay ./cmd/relay", "true",
		"bin/relay fake-twilio", binary+" fake-twilio --listen "+fake+" --webhook http://"+relay+"/sms/inbound",
		"bin/relay serve", binary+" serve --listen "+relay,
		"bin/relay", binary, "127.0.0.1:8090", fake, "127.0.0.1:8080", relay,
		"\nsleep 1\n", "\nuntil "+binary+" status | grep -q delivered; do sleep 0.1; done\n",
	).Replace(blockOf(t, "sh", "fake-twilio &"))
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
	defer stop()
	command := exec.CommandContext(ctx, "bash", "-eu", "-c", script+"\nwait")
	command.Dir, command.WaitDelay = folder, time.Second
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + folder}
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range []string{`"status":"ok"`, `"status_code":200`, "delivered", "fake Twilio at http://" + fake} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the block's output has no %s:\n%s", want, out)
		}
	}
}

// TestTheReadmeShowsTheDemo wants each line of the demo that the README shows in what the demo prints. Only the times differ.
func TestTheReadmeShowsTheDemo(t *testing.T) {
	t.Parallel()
	times := regexp.MustCompile(`\(\d+ ms\)`)
	out, err := exec.CommandContext(t.Context(), relayProgram(t), "demo").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	printed := times.ReplaceAllString(string(out), "")
	for line := range strings.SplitSeq(times.ReplaceAllString(blockOf(t, "", "Route, from"), ""), "\n") {
		if !strings.Contains(printed, line+"\n") {
			t.Errorf("the demo does not print %q:\n%s", line, out)
		}
	}
}
