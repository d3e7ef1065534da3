package fakepages_test

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/fakepages"
	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	account  = "AC00000000000000000000000000000001"
	token    = "faketokenfaketokenfaketokenfake1"
	number   = sms.PhoneNumber("+18585550100")
	customer = sms.PhoneNumber("+13125550147")
	onDuty   = sms.PhoneNumber("+16195550123")
	png      = "\x89PNG\r\n\x1a\n"
)

// stage is the pages of a fake Twilio with an application behind it, which answers each text of the customer.
type stage struct {
	*twiliofake.Server
	pages *fakepages.Pages
	url   string
	// status is what the application answers.
	status int
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{status: http.StatusOK}
	app := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(s.status)
		_, _ = io.WriteString(w, "<Response><Message>We are <![CDATA[<on>]]> our way</Message></Response>")
	}))
	fake, err := twiliofake.New(twiliofake.Config{
		AccountSid: account, AuthToken: token, Numbers: []sms.PhoneNumber{number}, Webhook: twiliofake.Webhook{URL: app.URL + "/hook"},
		Now: time.Now, Exchanges: 200,
	})
	if err != nil {
		t.Fatal(err)
	}
	pages, err := fakepages.New(fakepages.Config{
		Fake: fake, AccountSid: account, AuthToken: token, Number: number, Phones: []sms.PhoneNumber{customer, onDuty},
		Console: "http://127.0.0.1:8080/console",
	})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(pages)
	t.Cleanup(func() { listener.Close(); fake.Close(); app.Close() })
	s.Server, s.pages, s.url = fake, pages, listener.URL
	return s
}

// answer is a page with its headers.
type answer struct {
	*http.Response
	page string
}

func (s *stage) send(t *testing.T, method, path, contentType string, body io.Reader) answer {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, s.url+path, body)
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	response, err := client.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response, string(page)}
}

func (s *stage) get(t *testing.T, path string, want int, parts ...string) string {
	t.Helper()
	got := s.send(t, http.MethodGet, path, "", http.NoBody)
	got.want(t, want, parts...)
	return got.page
}

// post sends a form as a browser does, name, value, name, value.
func (s *stage) post(t *testing.T, path string, fields ...string) answer {
	t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return s.send(t, http.MethodPost, path, "application/x-www-form-urlencoded", strings.NewReader(form.Encode()))
}

// text writes on a phone, with a file if content is not empty.
func (s *stage) text(t *testing.T, from sms.PhoneNumber, body, content string) answer {
	t.Helper()
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	for name, value := range map[string]string{"From": string(from), "To": string(number), "Body": body, "back": "/?phone=%2B13125550147"} {
		if err := writer.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	kind := "image/png"
	if content == "" {
		kind = "application/octet-stream" // a browser sends an empty file for none
	}
	part, err := writer.CreatePart(map[string][]string{
		"Content-Disposition": {`form-data; name="Media"; filename="a"`}, "Content-Type": {kind},
	})
	if err == nil {
		_, err = io.WriteString(part, content)
	}
	if err != nil || writer.Close() != nil {
		t.Fatal(err)
	}
	return s.send(t, http.MethodPost, "/phones/text", writer.FormDataContentType(), &form)
}

func (a answer) want(t *testing.T, status int, parts ...string) {
	t.Helper()
	if a.StatusCode != status {
		t.Errorf("%s: status %d, want %d", a.Request.URL, a.StatusCode, status)
	}
	for _, part := range parts {
		if !strings.Contains(a.page, part) {
			t.Errorf("%s has no %q:\n%s", a.Request.URL, part, a.page)
		}
	}
}

func (s *stage) settle(t *testing.T) {
	t.Helper()
	if err := s.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// TestHeaders: each page lets a browser run its own scripts and nothing else, and comes from its own host alone.
func TestHeaders(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.text(t, customer, "Hello <script>", "")
	s.settle(t)
	for _, path := range []string{"/", "/requests", "/messages", "/settings", "/phones/texts?phone=x"} {
		answer := s.send(t, http.MethodGet, path, "", http.NoBody)
		policy := answer.Header.Get("Content-Security-Policy")
		nonce := regexp.MustCompile(`script-src 'nonce-([^']+)'`).FindStringSubmatch(policy)
		if nonce == nil || !strings.Contains(policy, "require-trusted-types-for 'script'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %q", path, policy)
			continue
		}
		if got := strings.Count(answer.page, "<script "); got != 3 || strings.Count(answer.page, `<script src="/assets/`) != got {
			t.Errorf("%s: %d scripts", path, got)
		}
		for _, attribute := range regexp.MustCompile(` nonce="([^"]*)"`).FindAllStringSubmatch(answer.page, -1) {
			if attribute[1] != nonce[1] {
				t.Errorf("%s: the nonce %s is not that of the page", path, attribute[1])
			}
		}
		for _, loaded := range regexp.MustCompile(`(?:src|<link [^>]*href)="([^"]*)"`).FindAllStringSubmatch(answer.page, -1) {
			if s.send(t, http.MethodGet, loaded[1], "", http.NoBody).StatusCode != http.StatusOK || !strings.HasPrefix(loaded[1], "/") {
				t.Errorf("%s loads %s", path, loaded[1])
			}
		}
		for _, inline := range []string{"<style", " style=", " onclick=", "javascript:", "<script>"} {
			if strings.Contains(answer.page, inline) {
				t.Errorf("%s has %q", path, inline)
			}
		}
	}
}

// TestPhones: what a customer writes is on the phone, the answer too, and what comes later.
func TestPhones(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.get(t, "/", http.StatusOK, "Phone +13125550147", "Phone +16195550123", "http://127.0.0.1:8080/console")
	got := s.text(t, customer, "Is the <sofa> gone?", png)
	got.want(t, http.StatusSeeOther)
	if where := got.Header.Get("Location"); where != "/?phone=%2B13125550147" {
		t.Errorf("leads to %s", where)
	}
	s.settle(t)
	page := s.get(t, "/?phone=%2B13125550147", http.StatusOK, "Is the &lt;sofa&gt; gone?", "We are &lt;on&gt; our way", "React")
	if strings.Contains(page, "Phone +16195550123") {
		t.Error("a phone that nobody asked for is shown")
	}
	picture := regexp.MustCompile(`<img src="(/fake/media/ME[0-9a-f]+)"`).FindStringSubmatch(page)
	if picture == nil || s.get(t, picture[1], http.StatusOK) != png {
		t.Errorf("the picture is %v", picture)
	}
	renew := regexp.MustCompile(`hx-get="(/phones/texts[^"]*)"`).FindStringSubmatch(page)[1]
	renew = strings.ReplaceAll(renew, "&amp;", "&")
	s.text(t, customer, "Hello?", "").want(t, http.StatusSeeOther)
	s.settle(t)
	if newer := s.get(t, renew, http.StatusOK, "Hello?", "gone?"); strings.Contains(newer, "<html") {
		t.Error("a phone is renewed by a whole page")
	}
}

func TestReact(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.text(t, customer, "Hello", "")
	s.settle(t)
	sent, _ := s.FindMessages(twiliofake.MessageFilter{Direction: "outbound"})
	s.post(t, "/phones/react", "MessageSid", sent[0].Sid, "Emoji", "👍", "back", "https://example.com/").want(t, http.StatusSeeOther)
	s.get(t, "/", http.StatusOK, "Liked “We are &lt;on&gt; our way”")
	s.post(t, "/phones/react", "MessageSid", "SM1", "Emoji", "👍").want(t, http.StatusBadRequest, "there is no message SM1")
}

// TestFormsLeadNowhereElse: what a form says of where it came from is a page of phones, or none.
func TestFormsLeadNowhereElse(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for _, back := range []string{"https://example.com/", "//example.com/", "/\\example.com", "/settings", "javascript:alert(1)", "%"} {
		got := s.post(t, "/phones/text", "From", string(customer), "To", string(number), "Body", "Hello", "back", back)
		if where := got.Header.Get("Location"); got.StatusCode != http.StatusSeeOther || strings.TrimSuffix(where, "?") != "/" {
			t.Errorf("%s: %d to %s", back, got.StatusCode, where)
		}
	}
}

func TestWhatIsNotSent(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.text(t, customer, "", "").want(t, http.StatusBadRequest, "Write something, or choose a picture.")
	s.text(t, "ann", "Hello", "").want(t, http.StatusBadRequest, "Say who texts")
	s.status = http.StatusForbidden
	s.text(t, customer, "Hello", "").want(t, http.StatusBadGateway, "did not accept the text", "HTTP status 403 (11200)")
	s.get(t, "/requests?refused=1", http.StatusOK, "not accepted: HTTP status 403 (11200)", "which the Auth Token verifies")
}

// TestRequests are found by what is in them, and a page of them says when there are more.
func TestRequests(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.get(t, "/requests", http.StatusOK, "Nothing yet")
	for range 60 {
		s.text(t, customer, "Hello", "")
	}
	s.settle(t)
	page := s.get(t, "/requests?kind=webhook", http.StatusOK, "accepted with 200, replies: 1", "X-Twilio-Signature")
	if got := strings.Count(page, "<details"); got != 50 {
		t.Errorf("%d requests", got)
	}
	older := regexp.MustCompile(`href="([^"]*before=[^"]*)"`).FindStringSubmatch(page)[1]
	if got := strings.Count(s.get(t, strings.ReplaceAll(older, "&amp;", "&"), http.StatusOK), "<details"); got != 10 {
		t.Errorf("%d older requests", got)
	}
	news := strings.ReplaceAll(regexp.MustCompile(`hx-get="([^"]*)"`).FindStringSubmatch(page)[1], "&amp;", "&")
	s.get(t, news, http.StatusNoContent)
	s.text(t, customer, "One more", "")
	s.get(t, news, http.StatusOK, "1 more since this page was made", `href="/requests?kind=webhook"`)
	s.get(t, "/requests?text=one+MORE", http.StatusOK, "One more")
	s.get(t, "/messages?text=one+MORE", http.StatusOK, "One more", "received")
	page = s.get(t, "/messages?direction=inbound", http.StatusOK)
	news = strings.ReplaceAll(regexp.MustCompile(`hx-get="([^"]*)"`).FindStringSubmatch(page)[1], "&amp;", "&")
	s.get(t, news, http.StatusNoContent)
	s.text(t, customer, "One more", "")
	s.get(t, news, http.StatusOK, "1 more since this page was made", `href="/messages?direction=inbound"`)
	if got := s.get(t, "/messages?direction=inbound", http.StatusOK, "Older"); strings.Contains(got, "our way") {
		t.Error("a search for texts of phones finds answers")
	}
}

func TestSettings(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.get(t, "/settings", http.StatusOK, account, token, s.url, string(number), "None. A phone opts out by texting STOP")
	faults := []string{
		"error_rate", "12.5", "accept_then_drop", "0", "drop_callback", "0", "duplicate_callback", "100", "reorder_callback", "0",
		"latency_least", "1ms", "latency_most", "2ms", "list_lag", "3s", "loop_guard", "15", "seed", "7",
	}
	s.post(t, "/settings/faults", faults...).want(t, http.StatusSeeOther)
	want := twiliofake.Misbehaviour{
		Odds:    twiliofake.Odds{ErrorRate: 0.125, DuplicateCallback: 1, LatencyLeast: time.Millisecond, LatencyMost: 2 * time.Millisecond},
		ListLag: 3 * time.Second, LoopGuard: 15, Seed: 7,
	}
	if got := s.Misbehaviour(); got != want {
		t.Errorf("set are %+v", got)
	}
	for at, wrong := range map[int]string{1: "x", 3: "101", 11: "soon", 13: "-1s", 17: "-1", 19: "-1"} {
		spoilt := append([]string{}, faults...)
		spoilt[at] = wrong
		s.post(t, "/settings/faults", spoilt...).want(t, http.StatusBadRequest, "nothing has changed")
	}
	if got := s.Misbehaviour(); got != want {
		t.Errorf("set are %+v", got)
	}
	s.get(t, "/settings", http.StatusOK, "503 or 429: 12.5 %", `value="2ms"`)
	s.post(t, "/settings/registration", "number", string(number), "registration", "suspended").want(t, http.StatusSeeOther)
	s.get(t, "/settings", http.StatusOK, `<option value="suspended" selected>`)
	s.post(t, "/settings/registration", "number", string(number), "registration", "maybe").want(t, http.StatusBadRequest)
	s.post(t, "/settings/registration", "number", "+18585550199", "registration", "none").want(t, http.StatusNotFound)
	s.post(t, "/settings/opt-out", "number", string(number), "phone", string(customer)).want(t, http.StatusSeeOther)
	s.post(t, "/settings/opt-out", "number", string(number), "phone", "ann").want(t, http.StatusBadRequest)
	s.get(t, "/settings", http.StatusOK, "+13125550147 wants nothing from +18585550100")
	s.post(t, "/settings/opt-in", "number", string(number), "phone", string(customer)).want(t, http.StatusSeeOther)
	s.campaigns(t)
	s.post(t, "/settings/reset").want(t, http.StatusSeeOther)
	if len(s.OptOuts()) > 0 || s.Misbehaviour() != (twiliofake.Misbehaviour{}) {
		t.Errorf("left are %v, %+v", s.OptOuts(), s.Misbehaviour())
	}
}

// campaigns sets how far the campaign of a Messaging Service is, which an application has made.
func (s *stage) campaigns(t *testing.T) {
	t.Helper()
	ask := func(path string, fields ...string) string {
		t.Helper()
		form := url.Values{}
		for i := 0; i < len(fields); i += 2 {
			form.Add(fields[i], fields[i+1])
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+"/v1/Services"+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.SetBasicAuth(account, token)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = response.Body.Close() }()
		var made struct{ Sid string }
		if err := json.NewDecoder(response.Body).Decode(&made); err != nil || made.Sid == "" {
			t.Fatalf("%s: %s, %v", path, response.Status, err)
		}
		return made.Sid
	}
	s.get(t, "/settings", http.StatusOK, "None. Applications make them")
	service := ask("", "FriendlyName", "Dumpsters")
	s.get(t, "/settings", http.StatusOK, "Dumpsters ("+service+"). No campaign")
	known, _ := s.Number(number)
	ask("/"+service+"/PhoneNumbers", "PhoneNumberSid", known.Sid)
	campaign := ask("/"+service+"/Compliance/Usa2p", "BrandRegistrationSid", "BN"+service[2:], "UsAppToPersonUsecase", "MIXED",
		"Description", strings.Repeat("We answer. ", 5), "MessageFlow", strings.Repeat("They text us. ", 5), "MessageSamples",
		"It comes at two o'clock.", "MessageSamples", "It comes at four o'clock.", "HasEmbeddedLinks", "false", "HasEmbeddedPhone", "false")
	s.post(t, "/settings/campaign", "campaign", campaign, "status", "SUSPENDED").want(t, http.StatusSeeOther)
	s.get(t, "/settings", http.StatusOK, "Dumpsters ("+service+"): +18585550100", `<option value="SUSPENDED" selected>`)
	s.post(t, "/settings/campaign", "campaign", campaign, "status", "APPROVED").want(t, http.StatusBadRequest)
	s.post(t, "/settings/campaign", "campaign", "QE1", "status", "VERIFIED").want(t, http.StatusNotFound)
}

// TestOnlyItsOwnPagesSendForms: another site's page cannot text or reset through somebody's browser.
func TestOnlyItsOwnPagesSendForms(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.text(t, customer, "Hello", "")
	for _, path := range []string{"/phones/text", "/phones/react", "/settings/faults", "/settings/reset"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.url+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Sec-Fetch-Site", "cross-site")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if response.StatusCode != http.StatusForbidden {
			t.Errorf("%s: %d", path, response.StatusCode)
		}
	}
	if len(s.Messages()) == 0 {
		t.Error("it was reset")
	}
}

// TestTheAPIIsBehindThePages: what is no page is Twilio's.
func TestTheAPIIsBehindThePages(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.get(t, "/2010-04-01/Accounts/"+account+"/Messages.json", http.StatusUnauthorized, `"code":20003`)
	s.get(t, "/fake/messages", http.StatusOK, `"messages":[]`)
	s.get(t, "/nothing", http.StatusNotFound, `"code":20404`)
}
