package main

import (
	"flag"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var releaseDump = flag.String("release.dump", "", "where TestLastReleasesDatabase writes a database of the last release, as text")

const releaseRoutes = `{"routes":[{"TwilioNumber":"+18585550100","DestinationCarrier":"+16195550123","FallbackCarriers":["+16195550124"],
"Active":true,"LastUpdated":"2026-11-24T08:00:00Z","Phones":[{"Name":"Ann","Number":"+16195550123"},{"Name":"Bo","Number":"+16195550124"}],
"AnswerTimeout":"15m","ClaimTime":"4h"}]}`

// TestLastReleasesDatabase has the last release relay texts, with an answer, and writes down its database while some wait: a file of
// shared/onehost/sqlite/testdata/releases. It needs sqlite3.
func TestLastReleasesDatabase(t *testing.T) {
	if *releaseDump == "" {
		t.Skip("only with -release.dump FILE, at a release")
	}
	var busy atomic.Bool
	fake, twilioURL := newFake(t, func(c *twiliofake.Config) {
		c.Faults.BeforeCreate = func(url.Values) twiliofake.Fault {
			if busy.Load() {
				return twiliofake.Fault{Status: 429, RetryAfter: time.Second}
			}
			return twiliofake.Fault{}
		}
	})
	folder := t.TempDir()
	data := filepath.Join(folder, "relay-data")
	routes := writeMaintenance(t, folder, releaseRoutes)
	program := relaytest.BuildLastRelease(t, "./cmd/relay")
	relay := startServe(t, program, twilioURL, data, "127.0.0.1:0", routes, "1s", "--pace-number", "5/1s")
	text := func(in twiliofake.Inbound) string {
		t.Helper()
		in.To = testNumber
		response, err := fake.SendInbound(t.Context(), in, relay.url+webhook.PathInbound)
		if err != nil || !response.Taken {
			t.Fatalf("text not accepted: %+v, error %v", response, err)
		}
		return response.MessageSid
	}
	await := func(sid string, wanted ledger.State) {
		t.Helper()
		waitUntil(t, string(wanted), time.Minute, func() bool { return stateOf(t, relay.url, sid) == wanted })
	}
	for n := range 2 {
		await(text(twiliofake.Inbound{From: burstCustomer(n), Body: "Is the gate open?"}), ledger.Delivered)
	}
	await(text(twiliofake.Inbound{From: testDestination, Body: "Yes, come in."}), ledger.Dropped)
	busy.Store(true)
	for n := range 3 {
		await(text(twiliofake.Inbound{From: burstCustomer(n), Body: "Thank you!"}), ledger.Queued)
	}
	relay.kill()
	database := filepath.Join(data, datafolder.DatabaseFile)
	ask := func(what ...string) string {
		t.Helper()
		said, err := exec.CommandContext(t.Context(), "sqlite3", append([]string{database}, what...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("sqlite3 %q: %v\n%s", what, err, said)
		}
		return string(said)
	}
	// Which machine it was, and which file, is nobody's business.
	ask("UPDATE identity SET machine = '', device = '1', inode = '2'")
	dump := "-- A database of " + relaytest.LastRelease + ".\nPRAGMA journal_mode = WAL;\n" + ask(".dump") +
		"PRAGMA user_version = " + ask("PRAGMA user_version")
	if err := os.WriteFile(*releaseDump, []byte(dump), 0o600); err != nil {
		t.Fatal(err)
	}
}
