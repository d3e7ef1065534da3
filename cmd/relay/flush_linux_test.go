package main

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
)

// TestFlushedBeforeTheAnswer looks at what the program asks of the system: what is kept of a text is on the disk (fsync has returned)
// before a byte of the answer to Twilio is written.
func TestFlushedBeforeTheAnswer(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("needs strace")
	}
	folder := t.TempDir()
	fake, twilioURL := newFake(t, nil)
	relay := startServe(t, relayProgram(t), twilioURL, filepath.Join(folder, "relay-data"), "127.0.0.1:0",
		writeMaintenance(t, folder, testRoutes()), "500ms")
	trace := filepath.Join(folder, "trace")
	stop := watchCalls(t, relay.cmd.Process.Pid, trace)
	const texts = 20
	var sids []string
	for n := range texts {
		in := twiliofake.Inbound{From: burstCustomer(n), To: testNumber, Body: fmt.Sprintf("text %d", n)}
		response, err := fake.SendInbound(t.Context(), in, relay.url+webhook.PathInbound)
		if err != nil || !response.Taken {
			t.Fatalf("text %d: %+v, %v", n, response, err)
		}
		sids = append(sids, response.MessageSid)
	}
	stop()
	calls, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	for n, sid := range sids {
		if err := flushedFirst(string(calls), sid, n); err != nil {
			t.Error(err)
		}
	}
}

// watchCalls has strace write down a process' writes and flushes, until stop.
func watchCalls(t *testing.T, pid int, file string) (stop func()) {
	t.Helper()
	cmd := exec.Command("strace", "-f", "-y", "-s", "65536", "-e", "trace=write,pwrite64,fsync,fdatasync", "-o", file, "-p", strconv.Itoa(pid))
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt) // it may be gone.
		_ = cmd.Wait()                       // it says that it was interrupted.
	}
	lines := bufio.NewScanner(said)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "attached") {
			go func() {
				for lines.Scan() { // strace goes on while somebody reads.
				}
			}()
			t.Cleanup(stop)
			time.Sleep(100 * time.Millisecond)
			return stop
		}
		if strings.Contains(lines.Text(), "not permitted") {
			stop()
			t.Skip("this host lets nobody trace: " + lines.Text())
		}
	}
	stop()
	t.Fatal("strace attached to nothing")
	return nil
}

var (
	keeps = regexp.MustCompile(`^(\d+) +pwrite64\(\d+<[^>]*relay\.db-wal>, "`)
	asks  = regexp.MustCompile(`^(\d+) +f(data)?sync\(\d+<[^>]*relay\.db-wal>`)
	done  = regexp.MustCompile(`^(\d+) +(f(data)?sync\(\d+<[^>]*relay\.db-wal>\)|<\.\.\. f(data)?sync resumed>\)) += 0`)
	told  = regexp.MustCompile(`^(\d+) +write\(\d+<[^>]*>, "HTTP/1\.1 200 OK`)
)

// flushedFirst says what is wrong with the order of the calls for the nth text: its first page in the log, a flush that began after that
// and ended well, and only then the nth answer.
func flushedFirst(calls, sid string, n int) error {
	var isKept, isFlushed bool
	flushing := map[string]bool{}
	answers := 0
	for line := range strings.Lines(calls) {
		switch {
		case told.MatchString(line):
			if answers == n {
				if !isFlushed {
					return fmt.Errorf("text %d was answered before it was on the disk (in the log: %t)", n, isKept)
				}
				return nil
			}
			answers++
		case !isKept:
			isKept = keeps.MatchString(line) && strings.Contains(line, sid)
		case done.MatchString(line):
			thread := done.FindStringSubmatch(line)[1]
			isFlushed = isFlushed || flushing[thread] || asks.MatchString(line)
		case asks.MatchString(line):
			flushing[asks.FindStringSubmatch(line)[1]] = true
		}
	}
	return fmt.Errorf("text %d has no answer among the calls", n)
}
