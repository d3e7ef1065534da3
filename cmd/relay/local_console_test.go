package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var formToken = regexp.MustCompile(`name="form" value="([^"]+)"`)

// browser has a console of `relay console` open.
type browser struct {
	t *testing.T
	*http.Client
	base string
}

// browse runs relay console with the arguments until the test ends, and signs in.
func browse(t *testing.T, environment map[string]string, args ...string) *browser {
	t.Helper()
	said, out := io.Pipe()
	ctx, cancel := context.WithCancel(t.Context())
	var trouble strings.Builder
	p := program{cli.Program{Stdout: out, Stderr: &trouble, Lookup: func(name string) (string, bool) {
		value, ok := environment[name]
		return value, ok
	}}}
	ended := make(chan int, 1)
	go func() {
		ended <- p.run(ctx, append([]string{"console"}, args...))
		_ = out.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if code := <-ended; code != cli.ExitDone || trouble.Len() > 0 {
			t.Errorf("exit code %d\n%s", code, trouble.String())
		}
	})
	b := &browser{t: t, Client: &http.Client{}}
	b.Jar, _ = cookiejar.New(nil)
	lines := bufio.NewReader(said)
	form := url.Values{"name": {"operator"}}
	for !form.Has("password") {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatalf("relay console said no password: %v", err)
		}
		if at := strings.Index(line, "http://"); at >= 0 {
			b.base = strings.TrimSpace(line[at:])
		}
		if found := regexp.MustCompile(`password (\w+)\.`).FindStringSubmatch(line); found != nil {
			form.Set("password", found[1])
		}
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	if page := b.post("/sign-in", form); !strings.Contains(page, "Who is waiting?") {
		t.Fatalf("after the sign-in:\n%s", page)
	}
	return b
}

func (b *browser) get(path string) string {
	b.t.Helper()
	return b.read(b.Get(b.base + path))
}

func (b *browser) post(path string, form url.Values) string {
	b.t.Helper()
	return b.read(b.PostForm(b.base+path, form))
}

func (b *browser) read(response *http.Response, err error) string {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was read.
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		b.t.Fatalf("status %d, error %v\n%s", response.StatusCode, err, page)
	}
	return string(page)
}

// customer looks at the page of the one who waits, and has the texts' words shown.
func (b *browser) customer(number, customer sms.PhoneNumber) (page string) {
	b.t.Helper()
	named := url.Values{"number": {string(number)}, "customer": {string(customer)}}
	page = b.get("/customer?" + named.Encode())
	token := formToken.FindStringSubmatch(page)
	if token == nil {
		b.t.Fatalf("the page has no form:\n%s", page)
	}
	named.Set("form", token[1])
	return b.post("/customer/words", named)
}

// wantExamined waits until the relay has been examined, with that check among others.
func (b *browser) wantExamined(check string) {
	b.t.Helper()
	var page string
	for range 600 {
		if page = b.get("/health"); !strings.Contains(page, "is being examined") {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if !strings.Contains(page, "<strong>"+check+"</strong>") {
		b.t.Errorf("the check %s was not made:\n%s", check, page)
	}
}

// waits puts a customer into the stores who waits for an answer.
func waits(t *testing.T, routes route.Table, records ledger.Store, conversations conversation.Store) {
	t.Helper()
	now := time.Now()
	if _, err := route.Seed(t.Context(), routes, []route.Route{{
		TwilioNumber: testNumber, DestinationCarrier: testDestination, Active: true, AnswerTimeout: route.Duration(10 * time.Minute),
		LastUpdated: now,
	}}, now); err != nil {
		t.Fatal(err)
	}
	r := relaytest.Record(1, now.Add(-time.Hour))
	r.TwilioNumber = testNumber
	if _, err := records.Create(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	c, use := conversation.Conversation{TwilioNumber: testNumber, Customer: r.Customer}.Take(conversation.TagUse{Tag: "A05"}, r.ReceivedAt)
	c.Spell = conversation.Spell{
		MessageSid: r.MessageSid, BeganAt: r.ReceivedAt, NewestSid: r.MessageSid, NewestAt: r.ReceivedAt, Texts: 1, DueAt: now,
	}
	if _, err := conversations.PutTag(t.Context(), c, use); err != nil {
		t.Fatal(err)
	}
}

func TestLocalConsole(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	db, err := sqlite.Open(t.Context(), filepath.Join(folder, datafolder.DatabaseFile), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close() //nolint:errcheck // nothing is written any more.
	waits(t, db.Routes(), db.Ledger(), db.Conversations())
	b := browse(t, map[string]string{cli.EnvOperator: "ada"}, "--data", folder)
	if page := b.customer(testNumber, relaytest.Customer); !strings.Contains(page, relaytest.Record(1, time.Now()).Body) {
		t.Errorf("the customer's page:\n%s", page)
	}
	seen, err := db.Ledger().Get(t.Context(), relaytest.Record(1, time.Now()).MessageSid)
	if err != nil || seen.Reading.By != "ada" {
		t.Errorf("read by %+v, error %v; want ada", seen.Reading, err)
	}
	if page := b.get(""); strings.Contains(page, "Users") {
		t.Errorf("it has users:\n%s", page)
	}
	b.wantExamined("disk-space")
}

func TestLocalConsoleIsLocal(t *testing.T) {
	t.Parallel()
	for _, listen := range []string{"0.0.0.0:0", ":8090", "192.0.2.1:8090", "8090"} {
		p := program{cli.Program{Stdout: io.Discard, Stderr: io.Discard, Lookup: func(string) (string, bool) { return "", false }}}
		if code := p.run(t.Context(), []string{"console", "--data", t.TempDir(), "--listen", listen}); code != cli.ExitUsage {
			t.Errorf("--listen %s: exit code %d, want %d", listen, code, cli.ExitUsage)
		}
	}
}
