package doctor

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// provocation is one thing that is wrong, and what a check has to say of it.
type provocation struct {
	check  string
	status Status
	says   string
	wrong  func(*testing.T, *world)
}

// number changes the number at Twilio.
func (w *world) number(smsURL, method, fallback string) {
	n := &w.twilio.numbers[0]
	n.SmsURL, n.SmsMethod, n.SmsFallbackURL = smsURL, method, fallback
}

func refusedBy(kind fault.Kind, status int) error {
	return &fault.Error{Kind: kind, HTTPStatus: status, Err: errors.New("refused")}
}

// provocations has every way in which a check finds something. Every check is among them; see TestEveryCheckIsProvoked.
func provocations() []provocation {
	const url = testBase + "/sms/inbound#" + cli.Overrides
	return append([]provocation{
		{"relay-open", Fail, "no such file", func(_ *testing.T, w *world) { w.relay.OpenErr = errors.New("no such file") }},
		{"twilio-credentials", Fail, "refuses them", func(_ *testing.T, w *world) { w.twilio.err = refusedBy(fault.Fatal, 401) }},
		{"twilio-credentials", Warn, "may not read", func(_ *testing.T, w *world) { w.twilio.err = refusedBy(fault.Fatal, 403) }},
		{"twilio-credentials", Fail, "refuses them", func(_ *testing.T, w *world) {
			w.twilio.err = &fault.Error{Kind: fault.Fatal, HTTPStatus: 403, Code: 20403, Err: errors.New("suspended")}
		}},
		{"twilio-credentials", Fail, "did not answer", func(_ *testing.T, w *world) { w.twilio.err = refusedBy(fault.Transient, 0) }},
		{"auth-token", Fail, "does not accept", func(_ *testing.T, w *world) { w.token.err = refusedBy(fault.Fatal, 401) }},
		{"auth-token", Fail, "begins or ends with a space", func(_ *testing.T, w *world) { w.relay.AuthTokens = []string{testToken + " "} }},
		{"auth-token", Warn, "not 32", func(_ *testing.T, w *world) { w.relay.AuthTokens = []string{"hunter2"} }},
		{"auth-token", Warn, "3 Auth Tokens", func(_ *testing.T, w *world) { w.relay.AuthTokens = []string{testToken, "b", "c"} }},
		{"account-status", Fail, "suspended", func(_ *testing.T, w *world) { w.twilio.account.Status = "suspended" }},
		{"account-status", Warn, "trial", func(_ *testing.T, w *world) { w.twilio.account.Type = "Trial" }},
		{"clock-skew", Warn, "7s off", func(_ *testing.T, w *world) { w.twilio.account.Date = noon.Add(-7 * time.Second) }},
		{"clock-skew", Fail, "-2m off", func(_ *testing.T, w *world) { w.twilio.account.Date = noon.Add(2 * time.Minute) }},
		{"number-owned", Fail, "***0100 is not", func(_ *testing.T, w *world) { w.twilio.numbers = nil }},
		{"number-capabilities", Fail, "cannot do SMS", func(_ *testing.T, w *world) { w.twilio.numbers[0].SMS = false }},
		{"webhook-url", Fail, "has no webhook", func(_ *testing.T, w *world) { w.number("", "POST", "") }},
		{"webhook-url", Fail, "not a URL of PUBLIC_BASE_URL", func(_ *testing.T, w *world) {
			w.number("https://demo.example.com/welcome?token=hunter2", "POST", "")
		}},
		{"webhook-url", Fail, "not a URL of PUBLIC_BASE_URL", func(_ *testing.T, w *world) {
			w.number(testBase+":8443/sms/inbound", "POST", "")
		}},
		{"webhook-url", Fail, "TwiML application", func(_ *testing.T, w *world) { w.twilio.numbers[0].SmsApplicationSid = "AP1" }},
		{"webhook-method", Warn, `"GET"`, func(_ *testing.T, w *world) { w.number(url, "GET", "") }},
		{"webhook-method", Warn, "fallback", func(_ *testing.T, w *world) { w.twilio.numbers[0].SmsFallbackMethod = "GET" }},
		{"webhook-retries", Fail, "5xx", func(_ *testing.T, w *world) { w.number(testBase+"/sms/inbound", "POST", "") }},
		{"webhook-retries", Fail, "5xx", func(_ *testing.T, w *world) { w.number(testBase+"/sms/inbound#rc=5&rp=ct,rt", "POST", "") }},
		{"webhook-retries", Fail, "5xx", func(_ *testing.T, w *world) { w.number(testBase+"/sms/inbound#rc=0&rp=all", "POST", "") }},
		{"webhook-retries", Fail, "cannot read", func(_ *testing.T, w *world) { w.number(testBase+"/sms/inbound#rc=%zz", "POST", "") }},
		{"webhook-fallback", Warn, "no fallback", func(_ *testing.T, w *world) { w.number(url, "POST", "") }},
		{"webhook-fallback", Warn, "not the relay's", func(_ *testing.T, w *world) { w.number(url, "POST", "https://a.example.com/sorry") }},
		{"messaging-service", Warn, "in a Messaging Service", func(_ *testing.T, w *world) { w.twilio.texts[0].MessagingServiceSid = "MG1" }},
		{"routes-active", Fail, "no route is active", func(_ *testing.T, w *world) { w.routes[0].Active = false }},
		{"routes-active", Fail, "***0199 has no", func(_ *testing.T, w *world) { w.relay.Number = "+18585550199" }},
		{"routes-valid", Fail, "***0188 cannot be read", func(_ *testing.T, w *world) {
			w.unreadable = []route.Unreadable{{TwilioNumber: "+18585550188", Err: errors.New("attribute Active is missing")}}
		}},
		{"routes-valid", Fail, "not valid", func(_ *testing.T, w *world) { w.routes[0].DestinationCarrier = "6195550123" }},
		{"routes-valid", Fail, "not an E.164 number", func(_ *testing.T, w *world) { w.routes[0].DestinationCarrier = "+4407700900123" }},
		{"routes-valid", Fail, "cannot exist", func(_ *testing.T, w *world) { w.routes[0].DestinationCarrier = "+1619555012" }},
		{"routes-valid", Warn, "by hand", func(_ *testing.T, w *world) { w.routes[0].Version = 0 }},
		{"route-loops", Fail, "***0123 cannot be a phone of ***0100: it has a route", func(_ *testing.T, w *world) {
			w.routes = append(w.routes, route.Route{TwilioNumber: testPhone, DestinationCarrier: testSecond})
		}},
		{"route-loops", Fail, "***0123 cannot be a phone of ***0100: it has a route", func(_ *testing.T, w *world) {
			w.routes[0].DestinationCarrier = "+4407700900123"
			w.routes = append(w.routes, route.Route{TwilioNumber: "+447700900123", DestinationCarrier: testSecond})
		}},
		{"route-loops", Fail, "***0110 cannot be a thread of ***0101: it is a thread of ***0100", func(_ *testing.T, w *world) {
			w.routes[0].Threads = []sms.PhoneNumber{testThread}
			w.routes = append(w.routes, route.Route{TwilioNumber: "+18585550101", DestinationCarrier: testPhone, Threads: w.routes[0].Threads})
		}},
		{"opted-out", Warn, "***0123 of ***0100", func(_ *testing.T, w *world) { w.routes[0].OptedOut = []sms.PhoneNumber{testPhone} }},
		{"opted-out", Fail, "every phone", func(_ *testing.T, w *world) { w.routes[0].OptedOut = []sms.PhoneNumber{testPhone, testSecond} }},
		{"fallbacks", Warn, "no second phone", func(_ *testing.T, w *world) { w.routes[0].FallbackCarriers = nil }},
	}, slices.Concat(frontDoorProvocations(), textProvocations(), stackProvocations(), unverifiedProvocations())...)
}

func frontDoorProvocations() []provocation {
	return []provocation{
		{"public-url", Fail, "not set", func(_ *testing.T, w *world) { w.relay.PublicBaseURLs = nil }},
		{"public-url", Fail, "path of the relay", func(_ *testing.T, w *world) { w.relay.PublicBaseURLs = []string{testBase + "/sms/inbound"} }},
		{"public-url", Fail, "cannot reach", func(_ *testing.T, w *world) { w.relay.PublicBaseURLs = []string{"http://127.0.0.1:8080"} }},
		{"public-url", Fail, "cannot reach", func(_ *testing.T, w *world) {
			w.relay.PublicBaseURLs = []string{"http://u:hunter2@relay.example.com"}
		}},
		{"front-door-health", Fail, "does not answer", func(_ *testing.T, w *world) { w.door.down = true }},
		{"front-door-health", Fail, "not a relay", func(_ *testing.T, w *world) { w.door.health = "<html>" }},
		{"front-door-health", Fail, "degraded: Twilio refuses", func(_ *testing.T, w *world) {
			w.door.health = `{"status":"degraded","problems":["Twilio refuses TWILIO_AUTH_TOKEN"],"version":"v1"}`
		}},
		{"front-door-health", Fail, "failing: the database", func(_ *testing.T, w *world) {
			w.door.health = `{"status":"failing","problems":["the database is damaged"],"version":"v1"}`
		}},
		{"certificate", Warn, "was not renewed", func(_ *testing.T, w *world) { w.door.expires = noon.Add(13 * 24 * time.Hour) }},
		{"front-door-signature", Fail, "refuses", func(_ *testing.T, w *world) { w.door.tokens = []string{"another"} }},
		{"front-door-signature", Fail, "refuses", func(_ *testing.T, w *world) { w.door.base = "https://old.example.com" }},
		{"front-door-forgery", Fail, "wrong signature", func(_ *testing.T, w *world) { w.door.open = true }},
		{"operator-routes", Fail, "anyone who asks", func(_ *testing.T, w *world) { w.door.showStatus = http.StatusOK }},
		{"version", Warn, "runs v0", func(_ *testing.T, w *world) { w.door.health = `{"status":"ok","version":"v0"}` }},
	}
}

func textProvocations() []provocation {
	add := func(r ledger.Record) func(*testing.T, *world) {
		return func(_ *testing.T, w *world) { w.records = append(w.records, r) }
	}
	return []provocation{
		{"dead-letters", Fail, "letters: 2", func(_ *testing.T, w *world) { w.dead = 2 }},
		{"unanswered", Fail, "answered: 1 (1 of ***0100)", func(t *testing.T, w *world) {
			t.Helper()
			w.routes[0].AnswerTimeout = route.Duration(15 * time.Minute)
			c := conversation.Conversation{TwilioNumber: testNumber, Customer: "+13125550111"}
			c, _ = c.Await(conversation.Taken{MessageSid: "SM1", At: noon}, 15*time.Minute, noon)
			if _, err := w.customers.Put(t.Context(), c.Escalate(conversation.Rota{}, 15*time.Minute, noon)); err != nil {
				t.Fatal(err)
			}
		}},
		{"reached-nobody", Fail, "nobody: 1 (1 to ***0100 failed, refused 21211)", add(lost(ledger.Failed, ledger.ReasonRefused, 21211))},
		{"reached-nobody", Fail, "nobody: 1 (1 to ***0100 undelivered 30003)", add(lost(ledger.Undelivered, "", 30003))},
		{"reached-nobody", Fail, "nobody: 3 (2 to ***0100 dropped, inactive; 1 to ***0100 dropped, no_route)", func(_ *testing.T, w *world) {
			w.records = append(w.records, lost(ledger.Dropped, ledger.ReasonInactive, 0), lost(ledger.Dropped, ledger.ReasonInactive, 0),
				lost(ledger.Dropped, ledger.ReasonNoRoute, 0), lost(ledger.Dropped, ledger.ReasonLoop, 0),
				lost(ledger.Dropped, ledger.ReasonKeyword, 0))
			old := lost(ledger.Dropped, ledger.ReasonNoRoute, 0)
			old.ReceivedAt = noon.Add(-25 * time.Hour)
			w.records = append(w.records, old)
		}},
		{"uncertain", Fail, "sent: 1", add(ledger.Record{
			MessageSid: "SM3", State: ledger.Uncertain, TwilioNumber: testNumber,
			ReceivedAt: noon.Add(-30 * 24 * time.Hour),
		})},
		{"sending-halted", Fail, "with 20003", add(failed(fault.Fatal, 20003))},
		{"backlog", Fail, "15m ago: 1", add(ledger.Record{
			MessageSid: "SM3", State: ledger.Queued, TwilioNumber: testNumber,
			ReceivedAt: noon.Add(-time.Hour), NotBefore: noon.Add(-16 * time.Minute),
		})},
		{"backlog", Fail, "15m ago: 1", add(ledger.Record{
			MessageSid: "SM3", State: ledger.Sending, TwilioNumber: testNumber,
			ReceivedAt: noon.Add(-time.Hour), LeaseUntil: noon.Add(-16 * time.Minute),
		})},
		{"loop-guard", Fail, "14107", add(failed(fault.Throttled, 14107))},
		{"loop-guard", Warn, "20/30s", func(_ *testing.T, w *world) { w.relay.PacePair = &pace.Limit{N: 20, Per: 30 * time.Second} }},
		{"loop-guard", Warn, "10/10s", func(_ *testing.T, w *world) { w.relay.PacePair = &pace.Limit{N: 10, Per: 10 * time.Second} }},
		{"loop-guard", Warn, "off", func(_ *testing.T, w *world) { w.relay.PacePair = &pace.Limit{} }},
		{"geo-permissions", Fail, "***0123 (21408)", add(failed(fault.Permanent, 21408))},
		{"compliance-registration", Fail, "30032", add(failed(fault.Permanent, 30032))},
		{"10dlc", Fail, "30034", add(failed(fault.Permanent, 30034))},
		{"disk-space", Fail, "100 MB", disk(100*mega, 100*giga)},
		{"disk-space", Fail, "1024 MB", disk(giga, 100*giga)},
		{"disk-space", Warn, "5120 MB", disk(5*giga, 100*giga)},
		{"wal-size", Warn, "64 MB", wal(walWarns)},
		{"wal-size", Fail, "512 MB", wal(walFails)},
		{"database-room", Warn, "600 MB of 1024 MB in relay.db are not used", func(_ *testing.T, w *world) {
			w.relay.Host.Schema = func(context.Context) (sqlite.Schema, error) {
				return sqlite.Schema{Bytes: giga, Unused: 600 * mega, Surplus: 400 * mega}, nil
			}
		}},
		{"database-integrity", Fail, "Tree 7", func(_ *testing.T, w *world) {
			w.relay.Host.QuickCheck = func(context.Context) ([]string, error) { return []string{"Tree 7 page 9: never used"}, nil }
		}},
		{"folder-moved", Warn, "not started on it yet", moved(time.Time{}, true)},
		{"folder-moved", Warn, "started on it at 2026", moved(noon.Add(-time.Hour), false)},
		{"folder-moved", Warn, "so far 3 are not in the folder", caughtUp(backups.CatchUp{Queued: 3})},
		{"folder-moved", Warn, "7 were not in the folder", caughtUp(backups.CatchUp{Queued: 7, DoneAt: noon})},
		{"folder-moved", Fail, "nobody gets those: Twilio is away", caughtUp(backups.CatchUp{Failure: "Twilio is away"})},
		{"backup", Fail, "disk full", backedUp(backups.State{Every: time.Hour, Last: noon, Failure: "disk full", FailedAt: noon})},
		{"backup", Fail, "is late", backedUp(backups.State{Every: time.Hour, Last: noon.Add(-3 * time.Hour)})},
		{"backup", Warn, "of 2026-11-18", backedUp(backups.State{Last: noon.Add(-8 * 24 * time.Hour)})},
		{"backup", Fail, "is 3m old: no answer", replicated(backups.ReplicaState{Last: noon.Add(-3 * time.Minute), Failure: "no answer"})},
		{"backup", Fail, "no replica in /srv/replica yet, after 3m", replicated(backups.ReplicaState{Since: noon.Add(-3 * time.Minute)})},
		{"backup", Warn, "audit log in it", backedUp(backups.State{Every: time.Hour, Last: noon, Unsound: true})},
		{"data-permissions", Fail, "audit.jsonl (-rw-r--r--)", chmod("audit.jsonl", 0o644)},
		{"data-permissions", Fail, "(-rwxr-xr-x)", chmod("", 0o755)},
		{"audit-file", Fail, "is missing", withoutAuditLog},
		{"audit-file", Warn, "is incomplete", halfALine},
		{"iterator-age", Warn, "1m30s behind", changedAt(noon.Add(-90 * time.Second))},
		{"iterator-age", Fail, "6m behind", changedAt(noon.Add(-6 * time.Minute))},
	}
}

// lost is a text of an hour ago that ended.
func lost(state ledger.State, reason ledger.Reason, code int) ledger.Record {
	r := ledger.Record{MessageSid: "SM3", State: state, Reason: reason, TwilioNumber: testNumber, ReceivedAt: noon.Add(-time.Hour)}
	if code != 0 {
		r.Attempts = []ledger.Attempt{{Number: 1, To: testPhone, Outcome: "unreachable", ErrorCode: code, StartedAt: noon.Add(-time.Hour)}}
	}
	return r
}

func disk(free, total uint64) func(*testing.T, *world) {
	return func(_ *testing.T, w *world) {
		w.relay.Host.Disk = func(string) (uint64, uint64, error) { return free, total, nil }
	}
}

// wal makes a log of that size, without writing it.
func wal(size int64) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		t.Helper()
		if err := os.Truncate(filepath.Join(w.relay.Host.Folder, "relay.db-wal"), size); err != nil {
			t.Fatal(err)
		}
	}
}

func chmod(name string, mode os.FileMode) func(*testing.T, *world) {
	return func(t *testing.T, w *world) {
		t.Helper()
		if err := os.Chmod(filepath.Join(w.relay.Host.Folder, name), mode); err != nil {
			t.Fatal(err)
		}
	}
}

func withoutAuditLog(t *testing.T, w *world) {
	t.Helper()
	if err := os.Remove(filepath.Join(w.relay.Host.Folder, "audit.jsonl")); err != nil {
		t.Fatal(err)
	}
}

func halfALine(t *testing.T, w *world) {
	t.Helper()
	w.relay.Host.write(t, "audit.jsonl", "{}\n{")
}

func changedAt(at time.Time) func(*testing.T, *world) {
	return func(_ *testing.T, w *world) {
		w.relay.Host.OldestChange = func(context.Context) (time.Time, bool, error) { return at, true, nil }
	}
}

func TestEachThingThatIsWrongIsFound(t *testing.T) {
	for _, p := range provocations() {
		t.Run(p.check+"/"+p.says, func(t *testing.T) {
			w := newWorldFor(t, p.check)
			p.wrong(t, w)
			results := w.examine(t, p.check)
			got := results[p.check]
			if got.Status != p.status || !strings.Contains(got.Found, p.says) {
				t.Errorf("got %s: %s; want %s: …%s…", got.Status, got.Found, p.status, p.says)
			}
			if got.Fix == "" || got.Why == "" {
				t.Errorf("it does not say what fixes it, or why it matters: %+v", got)
			}
			wantNothingShown(t, w.examine(t))
		})
	}
}

// newWorldFor returns a relay of the set that the check is for.
func newWorldFor(t *testing.T, name string) *world {
	t.Helper()
	check, found := find(name)
	if !found {
		t.Fatalf("there is no check %s", name)
	}
	w := newWorld(t)
	if check.On == onAWS {
		w.relay.Host, w.relay.AWS = nil, w.stack.aws()
	}
	return w
}

// TestEveryCheckIsProvoked demands of each check that it is seen to find something, and to find nothing.
func TestEveryCheckIsProvoked(t *testing.T) {
	provoked := map[string]bool{}
	for _, p := range provocations() {
		provoked[p.check] = true
	}
	seen := map[string]bool{}
	for _, c := range Checks() {
		if seen[c.Name] {
			t.Errorf("there are two checks %s", c.Name)
		}
		seen[c.Name] = true
		if !provoked[c.Name] {
			t.Errorf("no row makes %s find something", c.Name)
		}
		if got := newWorldFor(t, c.Name).examine(t, c.Name)[c.Name]; got.Status != OK {
			t.Errorf("%s in a world in which all is well: %s: %s", c.Name, got.Status, got.Found)
		}
	}
	if len(seen) < 25 {
		t.Errorf("%d checks, want 25 or more", len(seen))
	}
}

// TestWhatIsNotThereIsPassedOver: without anything, nothing is said to be well.
func TestWhatIsNotThereIsPassedOver(t *testing.T) {
	w := newWorld(t)
	w.relay = Relay{Now: w.relay.Now, HTTP: &w.door, Host: &Host{
		Folder: t.TempDir(), Database: "relay.db", AuditLog: "audit.jsonl",
		Disk: w.relay.Host.Disk,
	}, OpenErr: errors.New("no")}
	for name, got := range w.examine(t) {
		switch name {
		case "relay-open", "public-url", "audit-file", "data-permissions":
			if got.Status != Fail {
				t.Errorf("%s: %s: %s", name, got.Status, got.Found)
			}
		case "disk-space", "wal-size":
		default:
			if got.Status != Skipped {
				t.Errorf("%s: %s: %s", name, got.Status, got.Found)
			}
		}
	}
}

// TestOneFaultIsToldOnce: what others depend on fails alone, and they say where to look.
func TestOneFaultIsToldOnce(t *testing.T) {
	for check, wrong := range map[string]func(*world){
		"twilio-credentials": func(w *world) { w.twilio.err = refusedBy(fault.Transient, 0); w.token.err = w.twilio.err },
		"front-door-health":  func(w *world) { w.door.down = true },
		"number-owned":       func(w *world) { w.twilio.numbers = nil },
	} {
		w := newWorld(t)
		wrong(w)
		for name, got := range w.examine(t) {
			if (got.Status == Fail) != (name == check) {
				t.Errorf("%s is wrong, and %s says %s: %s", check, name, got.Status, got.Found)
			}
		}
	}
}

// TestSeveralNumbers: the worst has the word, and each is named.
func TestSeveralNumbers(t *testing.T) {
	w := newWorld(t)
	second := w.routes[0]
	second.TwilioNumber = "+18585550101"
	w.routes = append(w.routes, second)
	if got := w.examine(t)["webhook-url"]; got.Status != Skipped || !strings.Contains(got.Found, "***0101") {
		t.Errorf("got %+v", got)
	}
	w.number("", "POST", "")
	if got := w.examine(t)["webhook-url"]; got.Status != Fail || !strings.Contains(got.Found, "***0100") {
		t.Errorf("got %+v", got)
	}
}

// TestNumbersInTwoSpellings: what Twilio and the table write differently is one number.
func TestNumbersInTwoSpellings(t *testing.T) {
	w := newWorld(t)
	w.twilio.numbers[0].PhoneNumber = "+525512345678"
	w.routes[0].TwilioNumber = "+5215512345678"
	for _, w.relay.Number = range []sms.PhoneNumber{"", "+525512345678"} {
		for _, check := range []string{"number-owned", "webhook-url", "routes-active"} {
			if got := w.examine(t)[check]; got.Status != OK {
				t.Errorf("%q: %s: %+v", w.relay.Number, check, got)
			}
		}
	}
}

// TestACheckThatHangs fails alone, when its time is up.
func TestACheckThatHangs(t *testing.T) {
	w := newWorld(t)
	never := make(chan struct{})
	defer close(never)
	w.relay.Host.OldestChange = func(context.Context) (time.Time, bool, error) { <-never; return noon, false, nil }
	for _, r := range examine(t.Context(), w.relay, options{
		Only: []string{"iterator-age", "disk-space"}, Deadline: 50 * time.Millisecond,
		Parallel: 1,
	}) {
		if want := map[string]Status{"iterator-age": Fail, "disk-space": OK}[r.Name]; r.Status != want {
			t.Errorf("%s: %s: %s", r.Name, r.Status, r.Found)
		}
	}
}
