package onehost

import (
	"bytes"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/textproto"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// dispatcher is somebody's browser.
type dispatcher struct {
	*testing.T
	http.Client

	base string
}

// post sends a form, and returns the page that comes of it.
func (d *dispatcher) post(path, contentType string, body io.Reader) string {
	d.Helper()
	request, err := http.NewRequestWithContext(d.Context(), http.MethodPost, d.base+path, body)
	if err != nil {
		d.Fatal(err)
	}
	request.Header.Set("Content-Type", contentType)
	request.Header.Set("Sec-Fetch-Site", "same-origin")
	return d.read(d.Do(request))
}

func (d *dispatcher) read(response *http.Response, err error) string {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it is only read.
	page, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		d.Fatalf("%d, %v: %s", response.StatusCode, err, page)
	}
	return string(page)
}

var formToken = regexp.MustCompile(`name="form" value="([^"]+)"`)

const password = "a horse and a battery"

// dispatching lets a dispatcher with a phone sign in while a customer waits, and returns the list that she sees.
func dispatching(t *testing.T, r *Relay) (d *dispatcher, page string) {
	t.Helper()
	ctx, now := t.Context(), time.Now().UTC().Truncate(time.Millisecond)
	way := relaytest.Route()
	way.Phones = []route.Phone{{Name: "Ann", Number: relaytest.Destination}}
	if _, err := r.db.Routes().Put(ctx, way); err != nil {
		t.Fatal(err)
	}
	all := signin.NewUsers(filepath.Join(r.config.Data, datafolder.UsersFolder))
	if _, err := all.Add(signin.User{Name: "anna", Role: signin.Dispatcher, Phone: "Ann"}, password, now); err != nil {
		t.Fatal(err)
	}
	before := conversation.Conversation{TwilioNumber: relaytest.TwilioNumber, Customer: relaytest.Customer}
	waits := before
	waits.Spell = conversation.Spell{
		MessageSid: relaytest.MessageSid(1), BeganAt: now, NewestSid: relaytest.MessageSid(1), NewestAt: now, Texts: 1,
	}
	if _, err := auditlog.PutConversation(ctx, r.db.Conversations(), before, waits, now); err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	d = &dispatcher{t, http.Client{Jar: jar}, r.URL()}
	return d, d.post("/console/sign-in", plain, strings.NewReader(url.Values{"name": {"anna"}, "password": {password}}.Encode()))
}

// plain is the type of a form without files.
const plain = "application/x-www-form-urlencoded"

// withPicture writes a form with a picture of a million bytes.
func withPicture(t *testing.T, form url.Values) (contentType string, body io.Reader) {
	t.Helper()
	var written bytes.Buffer
	w := multipart.NewWriter(&written)
	for name := range form {
		if err := w.WriteField(name, form.Get(name)); err != nil {
			t.Fatal(err)
		}
	}
	picture, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="pictures"; filename="gate.jpg"`}, "Content-Type": {"image/jpeg"},
	})
	if err == nil {
		_, err = picture.Write(bytes.Repeat([]byte("x"), 1_000_000))
	}
	if err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), &written
}

// TestTakeAndAnswerInTheBrowser: over the front door that people use, the relay's own sender carries out what a page orders.
func TestTakeAndAnswerInTheBrowser(t *testing.T) {
	r, _ := started(t, nil)
	ctx := t.Context()
	d, page := dispatching(t, r)
	if !strings.Contains(page, "Take it") {
		t.Fatalf("the list is %s", page)
	}
	form := url.Values{
		"form": {formToken.FindStringSubmatch(page)[1]}, "number": {string(relaytest.TwilioNumber)}, "customer": {string(relaytest.Customer)},
	}
	page = d.post("/console/customer/take", plain, strings.NewReader(form.Encode()))
	c, err := r.db.Conversations().Get(ctx, relaytest.TwilioNumber, relaytest.Customer)
	if err != nil || c.Claim.Phone != relaytest.Destination || !strings.Contains(page, "You have the customer now.") {
		t.Errorf("the claim is %+v, %v; the page %s", c.Claim, err, page)
	}
	form.Set("body", "Here is the gate")
	form.Set("key", "once")
	contentType, body := withPicture(t, form)
	if page = d.post("/console/customer/answer", contentType, body); !strings.Contains(page, "on its way") {
		t.Errorf("after the answer: %s", page)
	}
	isAnswer := func(one ledger.Record) bool {
		return one.Manual && one.Body == "Here is the gate" && len(one.Media) == 1
	}
	isThere := false
	for range 500 {
		found, err := r.db.Ledger().List(ctx, ledger.Query{Number: relaytest.TwilioNumber, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if isThere = slices.ContainsFunc(found.Records, isAnswer); isThere {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if !isThere || r.media.Used() != 1_000_000 {
		t.Errorf("the answer is in the ledger: %t; %d bytes of pictures are kept", isThere, r.media.Used())
	}
}
