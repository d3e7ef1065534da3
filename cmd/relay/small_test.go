package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// smallHost is how much memory TestOnASmallHost leaves the relay, the system's cache of its files included.
const smallHost = 64 << 20

// A thousand texts come at once to a relay that may use 64 MB of memory: it sends each once.
func TestOnASmallHost(t *testing.T) {
	t.Parallel()
	group := memoryGroup(t, smallHost)
	script := filepath.Join(t.TempDir(), "relay.sh")
	text := fmt.Sprintf("#!/bin/sh\necho $$ >'%s/cgroup.procs' && exec '%s' \"$@\"\n", group, relayProgram(t))
	if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	fake, twilioURL := newFake(t, nil)
	data, routes := filepath.Join(folder, "relay-data"), writeMaintenance(t, folder, testRoutes())
	relay := startServe(t, script, twilioURL, data, "127.0.0.1:0", routes, "1s")
	acknowledged := burst(t, fake, relay.url, 20)
	if len(acknowledged) != 20*burstCustomers {
		t.Fatalf("%d texts were acknowledged", len(acknowledged))
	}
	for body, sid := range acknowledged {
		isOut := func() bool {
			state := stateOf(t, relay.url, sid)
			return state == ledger.Sent || state == ledger.Delivered
		}
		waitUntil(t, body+" is out", 2*time.Minute, isOut)
	}
	for sid, n := range sentByText(t, fake) {
		if n > 1 {
			t.Errorf("%s was sent %d times", sid, n)
		}
	}
	most, err := os.ReadFile(filepath.Join(group, "memory.max_usage_in_bytes"))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s bytes of memory at most, of %d", strings.TrimSpace(string(most)), smallHost)
}

// memoryGroup makes a control group (version 1) whose processes may use so many bytes of memory, and returns its folder.
func memoryGroup(t *testing.T, limit int) string {
	t.Helper()
	group := filepath.Join("/sys/fs/cgroup/memory", fmt.Sprintf("smsrelay-test-%d", os.Getpid()))
	if err := os.Mkdir(group, 0o700); err != nil {
		t.Skipf("no memory group of version 1 can be made here: %v", err)
	}
	t.Cleanup(func() {
		// Its processes are gone a moment after they were killed.
		for range 100 {
			if os.Remove(group) == nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Error("the memory group is still used")
	})
	if err := os.WriteFile(filepath.Join(group, "memory.limit_in_bytes"), fmt.Append(nil, limit), 0o600); err != nil {
		t.Fatal(err)
	}
	return group
}
