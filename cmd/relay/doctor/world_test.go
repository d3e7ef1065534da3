package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/backups"
	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/shared/twilio"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	testNumber = sms.PhoneNumber("+18585550100")
	testPhone  = sms.PhoneNumber("+16195550123")
	testSecond = sms.PhoneNumber("+16195550124")
	testThread = sms.PhoneNumber("+18585550110")
	testToken  = "fedcba9876543210fedcba9876543210"
	testBase   = "https://relay.example.com"
	testSid    = "AC0123456789abcdef0123456789abcdef"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// world is a relay in which all is well until a test changes something.
type world struct {
	twilio account
	token  account
	routes []route.Route
	// unreadable are routes that cannot be read.
	unreadable []route.Unreadable
	records    []ledger.Record
	dead       int
	customers  relaytest.MemoryConversations
	door       frontDoor
	stack      *stack
	relay      Relay
}

// account is the account at Twilio.
type account struct {
	account twilio.Account
	numbers []twilio.Number
	texts   []sms.Listed
	err     error
}

func (a *account) Account(context.Context) (twilio.Account, error) { return a.account, a.err }

func (a *account) Numbers(_ context.Context, only sms.PhoneNumber) ([]twilio.Number, error) {
	var found []twilio.Number
	for _, n := range a.numbers {
		if only == "" || n.PhoneNumber == only {
			found = append(found, n)
		}
	}
	return found, a.err
}

func (a *account) List(context.Context, sms.ListFilter) ([]sms.Listed, error) { return a.texts, a.err }

// List has the routes.
func (w *world) List(context.Context) ([]route.Route, error) {
	return w.routes, route.ErrorOf(w.unreadable)
}

// texts lists the world's records as a ledger does.
type texts struct{ *world }

func (t texts) List(_ context.Context, q ledger.Query) (ledger.Page, error) {
	var page ledger.Page
	for _, r := range t.records {
		if (q.State == "" || q.State == r.State) && (q.Number == "" || q.Number == r.TwilioNumber) &&
			!r.ReceivedAt.Before(q.Since) && (q.Until.IsZero() || r.ReceivedAt.Before(q.Until)) {
			page.Records = append(page.Records, r)
		}
	}
	return page, nil
}

// letters counts the world's dead letters.
type letters struct{ *world }

func (l letters) Depth(context.Context) (visible, inFlight int, err error) { return l.dead, 0, nil }

// frontDoor answers as a relay does.
type frontDoor struct {
	down, open bool
	tokens     []string
	base       string
	health     string
	showStatus int
	// expires is when its certificate of 90 days ends.
	expires time.Time
}

// Do answers one request.
func (d *frontDoor) Do(r *http.Request) (*http.Response, error) {
	if d.down {
		return nil, &os.SyscallError{Syscall: "connect", Err: os.ErrDeadlineExceeded}
	}
	w := httptest.NewRecorder()
	switch {
	case r.URL.Path == "/sms/health":
		_, _ = io.WriteString(w, d.health)
	case r.URL.Path == "/sms/status":
		w.WriteHeader(d.showStatus)
	case !d.open && d.refuses(r):
		w.WriteHeader(http.StatusForbidden)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
	response := w.Result()
	if r.URL.Scheme == "https" {
		certificate := &x509.Certificate{NotBefore: d.expires.Add(-90 * 24 * time.Hour), NotAfter: d.expires}
		response.TLS = &tls.ConnectionState{PeerCertificates: []*x509.Certificate{certificate}}
	}
	return response, nil
}

func (d *frontDoor) refuses(r *http.Request) bool {
	validator, err := signature.NewValidator([]string{d.base}, d.tokens)
	if err != nil {
		return true
	}
	body, err := io.ReadAll(r.Body)
	return err != nil || validator.Validate(signature.Request{
		Method: r.Method, Path: r.URL.Path, RawQuery: r.URL.RawQuery, ContentType: r.Header.Get("Content-Type"),
		Body: body, Signature: r.Header.Get("X-Twilio-Signature"),
	}) != nil
}

// delivered is a text that reached a phone at noon.
func delivered(sid string, to sms.PhoneNumber) ledger.Record {
	return ledger.Record{
		MessageSid: sid, State: ledger.Delivered, TwilioNumber: testNumber, ReceivedAt: noon.Add(-time.Hour),
		Attempts: []ledger.Attempt{{
			Number: 1, To: to, StartedAt: noon.Add(-time.Hour), Outcome: ledger.OutcomeAccepted,
			Status: sms.StatusDelivered,
		}},
	}
}

// failed is a text whose attempt ended so, later than all that was delivered.
func failed(outcome fault.Kind, code int) ledger.Record {
	return ledger.Record{
		MessageSid: "SMfailed", State: ledger.Failed, TwilioNumber: testNumber, ReceivedAt: noon.Add(-time.Minute),
		Attempts: []ledger.Attempt{{Number: 1, To: testPhone, StartedAt: noon.Add(-time.Minute), Outcome: outcome.String(), ErrorCode: code}},
	}
}

// newWorld is a relay on one host in which all is well.
func newWorld(t *testing.T) *world {
	t.Helper()
	active := twilio.Account{Sid: testSid, Status: "active", Type: "Full", Date: noon}
	w := &world{
		twilio: account{
			account: active,
			numbers: []twilio.Number{{
				Sid: "PN1", PhoneNumber: testNumber, SMS: true,
				NumberSettings: twilio.NumberSettings{
					SmsURL: testBase + "/sms/inbound#" + cli.Overrides, SmsMethod: "POST",
					SmsFallbackURL: "https://second.example.com/sms/inbound", SmsFallbackMethod: "POST",
				},
			}},
			texts: []sms.Listed{{Sid: "SM1", To: testNumber}},
		},
		token: account{account: active},
		routes: []route.Route{{
			TwilioNumber: testNumber, DestinationCarrier: testPhone, FallbackCarriers: []sms.PhoneNumber{testSecond},
			Active: true, Version: 1,
		}},
		records: []ledger.Record{delivered("SM1", testPhone), delivered("SM2", testSecond)},
		door: frontDoor{
			expires: noon.Add(40 * 24 * time.Hour),
			tokens:  []string{testToken}, base: testBase, health: `{"status":"ok","version":"v1"}`,
			showStatus: http.StatusUnauthorized,
		},
	}
	w.stack = newStack()
	w.relay = Relay{
		Where: "here", Now: func() time.Time { return noon }, Routes: w, Ledger: texts{w}, DeadLetters: letters{w},
		Customers: &w.customers, Host: newHost(t),
		Twilio: &w.twilio, WithToken: &w.token, OwnTwilio: true, AuthTokens: []string{testToken}, PublicBaseURLs: []string{testBase},
		HTTP: &w.door, Build: telemetry.Build{Version: "v1"}, PacePair: &pace.Limit{N: 10, Per: 30 * time.Second},
	}
	return w
}

// newHost is a folder as relay serve makes it.
func newHost(t *testing.T) *Host {
	t.Helper()
	folder := t.TempDir()
	if err := os.Chmod(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	h := &Host{
		Folder: folder, Database: "relay.db", AuditLog: "audit.jsonl",
		Disk:         func(string) (free, total uint64, err error) { return 50 * giga, 100 * giga, nil },
		QuickCheck:   func(context.Context) ([]string, error) { return nil, nil },
		Schema:       func(context.Context) (sqlite.Schema, error) { return sqlite.Schema{Bytes: giga, GivesBack: true}, nil },
		Moved:        func(context.Context) (time.Time, bool, error) { return noon.Add(-30 * 24 * time.Hour), false, nil },
		OldestChange: func(context.Context) (time.Time, bool, error) { return noon, false, nil },
		CatchUp:      func() (backups.CatchUp, bool, error) { return backups.CatchUp{}, false, nil },
		Backups:      func() (backups.State, bool, error) { return backups.State{Every: time.Hour, Last: noon}, true, nil },
		Replica:      func() (backups.ReplicaState, bool, error) { return backups.ReplicaState{}, false, nil },
	}
	h.write(t, "relay.db", "database")
	h.write(t, "relay.db-wal", "log")
	h.write(t, "audit.jsonl", "{}\n")
	return h
}

func (h *Host) write(t *testing.T, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(h.Folder, name), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// examine makes the checks, all of them or those of the names.
func (w *world) examine(t *testing.T, only ...string) map[string]Result {
	t.Helper()
	byName := map[string]Result{}
	for _, r := range examine(t.Context(), w.relay, options{Only: only, Deadline: 10 * time.Second, Parallel: 4}) {
		byName[r.Name] = r
	}
	return byName
}

// wantNothingShown fails the test if what is said of a relay shows a secret or a whole number.
func wantNothingShown(t *testing.T, results map[string]Result) {
	t.Helper()
	text, err := json.Marshal(results)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{testToken, "5550100", "5550110", "5550123", "5550124", "hunter2"} {
		if strings.Contains(string(text), secret) {
			at := strings.Index(string(text), secret)
			t.Errorf("the results show %s: %s", secret, text[max(0, at-100):at])
		}
	}
}
