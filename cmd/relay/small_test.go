package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// smallHost is how much memory TestOnASmallHost leaves the relay, the system's cache of its files included.
const smallHost = 64 << 20

// A thousand texts come at once to a relay that may use 64 MB of memory, while people sign in: it sends each once.
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
	users := signin.NewUsers(filepath.Join(data, datafolder.UsersFolder))
	if _, err := users.Add(signin.User{Name: "anna", Role: signin.Viewer}, smallPassword, time.Now()); err != nil {
		t.Fatal(err)
	}
	var people errgroup.Group
	for range 3 {
		people.Go(func() error { return signIn(t.Context(), relay.url) })
	}
	acknowledged := burst(t, fake, relay.url, 20)
	if err := people.Wait(); err != nil {
		t.Error(err)
	}
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

const smallPassword = "as long as it has to be"

// signIn signs a user in to the relay's console, and reads who is waiting.
func signIn(ctx context.Context, relay string) error {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	form := url.Values{"name": {"anna"}, "password": {smallPassword}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, relay+"/console/sign-in", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	client := http.Client{Jar: jar, Timeout: time.Minute}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close() //nolint:errcheck // it was read to its end.
	page, err := io.ReadAll(response.Body)
	if err == nil && (response.StatusCode != http.StatusOK || !strings.Contains(string(page), "anna, viewer")) {
		err = fmt.Errorf("anna signed in, and was answered %s: %.300s", response.Status, page)
	}
	return err
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
