package console_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// about is a form about the customer.
func (b *browser) about(fields ...string) url.Values {
	b.Helper()
	form := url.Values{"number": {string(business)}, "customer": {string(ann)}, "form": {b.form()}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return form
}

func (b *browser) post(path string, form url.Values) *httptest.ResponseRecorder {
	b.Helper()
	return b.do(http.MethodPost, "/console/customer/"+path, form)
}

// follow shows the page that an answer leads to.
func (b *browser) follow(answer *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	b.Helper()
	b.want(answer, http.StatusSeeOther)
	return b.do(http.MethodGet, answer.Header().Get("Location"), nil)
}

func (s *stage) kept() conversation.Conversation {
	s.Helper()
	c, err := s.relay.Conversations.Get(s.Context(), business, ann)
	if err != nil {
		s.Fatal(err)
	}
	return c
}

// wantSent waits until Twilio has a message with these words.
func (s *stage) wantSent(to sms.PhoneNumber, words string) (media []string) {
	s.Helper()
	for range 500 {
		for _, p := range s.twilio.Posts() {
			if p.To == to && strings.Contains(p.Body, words) {
				return p.MediaURLs
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	s.Fatalf("%s was not sent %q: %+v", string(to), words, s.twilio.Posts())
	return nil
}

// wantOnRecord fails unless the relay has on record that somebody did that once.
func (s *stage) wantOnRecord(deed conversation.Deed, by string) {
	s.Helper()
	n := 0
	for _, a := range s.actions() {
		if a.Deed == deed && a.By == by {
			n++
		}
	}
	if n != 1 {
		s.Errorf("on record is %+v, want %s of %s once", s.actions(), deed, by)
	}
}

// TestTakeIt: whoever has a phone on duty takes a customer with one press, on the first view, and only while nobody has him.
func TestTakeIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.waits(ann, sid(1), time.Minute, nil)
	b := s.as(signin.Dispatcher)
	if page := b.do(http.MethodGet, "/console", nil); strings.Contains(page.Body.String(), "Take it") {
		t.Error("somebody without a phone is shown that he can take a customer")
	}
	b.want(b.post("take", b.about()), http.StatusConflict, "You have no phone on duty here")
	s.hasPhone("the-dispatcher", "Bo")
	b.want(b.do(http.MethodGet, "/console", nil), http.StatusOK, "Take it")
	form := b.about("back", "/console?only=unanswered")
	if answer := b.post("take", form); answer.Header().Get("Location") != "/console?did=taken&only=unanswered" {
		t.Errorf("it leads to %s: %s", answer.Header().Get("Location"), answer.Body)
	}
	b.want(b.do(http.MethodGet, "/console?did=taken", nil), http.StatusOK, "You have the customer now.", "Bo")
	for _, elsewhere := range []string{"https://example.com/console", "//example.com/console", "/console/users", "%"} {
		form.Set("back", elsewhere)
		b.want(b.follow(b.post("take", form)), http.StatusOK, "You have the customer now.", "Who has them")
	}
	if k := s.kept().Claim; k.Phone != bos {
		t.Errorf("the claim is %+v", k)
	}
	// The phone that has the customer got the text, and knows it.
	s.wantSent(bos, "frozen")
	s.wantSent(bos, "you have …0147")
	// The same form once more changes nothing, and is on record once.
	b.want(b.post("take", form), http.StatusSeeOther)
	s.wantOnRecord(conversation.DeedGive, "the-dispatcher")
	if page := b.do(http.MethodGet, "/console", nil); strings.Contains(page.Body.String(), "Take it") {
		t.Error("a customer whom somebody has can be taken")
	}
}

// TestAConflictOnTheList: why nothing was done is said on the list, next to whom it is about, with how things are now.
func TestAConflictOnTheList(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.waits(ann, sid(2), time.Minute, nil)
	b := s.as(signin.Dispatcher)
	b.want(b.post("done", b.about("newest", sid(1), "back", "/console?only=free")), http.StatusConflict,
		"<h1>Who is waiting?</h1>", `aria-current="page">Nobody has them (1)`, "autofocus>"+string(ann),
		"Nothing was done: The customer wrote again meanwhile: look at that text first. This is how it is now.",
		`name="newest" value="`+sid(2)+`"`)
	b.want(b.post("done", b.about("newest", sid(1), "back", "/console?only=held")), http.StatusConflict,
		"who is not on this page any more: The customer wrote again meanwhile", ">"+string(ann)+"</a>")
	if !s.kept().IsOpen() {
		t.Error("the waiting is over all the same")
	}
}

// TestHandOver: with or without a phone, to any phone on duty; who has an old page in front of him is told who was quicker.
func TestHandOver(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.waits(ann, sid(1), time.Minute, nil)
	b := s.as(signin.Dispatcher)
	b.want(b.do(http.MethodGet, annsPage(), nil), http.StatusOK, "Hand over",
		`<option value="`+string(bos)+`"`, `<option value="`+string(phone)+`"`)
	b.want(b.follow(b.post("give", b.about("phone", string(bos)))), http.StatusOK, "The customer is handed over.")
	s.wantSent(bos, "the office gave you …0147")
	// Somebody else's page is of before.
	old := b.about("phone", string(phone))
	b.want(b.post("give", old), http.StatusConflict, "Bo has the customer.", "Hand over")
	s.pass(time.Second)
	// Once he has seen that, he hands over from Bo, who is told.
	now := b.about("phone", string(phone), "from", string(bos))
	b.want(b.do(http.MethodGet, annsPage(), nil), http.StatusOK, `name="from" value="`+string(bos)+`"`)
	b.want(b.follow(b.post("give", now)), http.StatusOK, "handed over")
	s.wantSent(bos, "…0123 has")
	if k := s.kept().Claim; k.Phone != phone {
		t.Errorf("the claim is %+v", k)
	}
	b.want(b.post("give", b.about("phone", "+16195550199")), http.StatusUnprocessableEntity, "is no phone of")
	b.want(s.as(signin.Viewer).post("give", s.as(signin.Viewer).about("phone", string(bos))), http.StatusForbidden)
}

var answerKey = regexp.MustCompile(`name="key" value="([^"]+)"`)

// pictures is a form with files, as browsers send it.
func (b *browser) pictures(form url.Values, contentType string, size int) *httptest.ResponseRecorder {
	b.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, values := range form {
		if err := w.WriteField(name, values[0]); err != nil {
			b.Fatal(err)
		}
	}
	file, err := w.CreatePart(textproto.MIMEHeader{
		"Content-Disposition": {`form-data; name="pictures"; filename="gate.jpg"`}, "Content-Type": {contentType},
	})
	if err == nil {
		_, err = file.Write(bytes.Repeat([]byte("x"), size))
	}
	if err != nil || w.Close() != nil {
		b.Fatal(err)
	}
	b.header.Set("Content-Type", w.FormDataContentType())
	defer b.header.Del("Content-Type")
	return b.doBody(http.MethodPost, "/console/customer/answer", &body)
}

// TestAnswer: the customer gets the words and the pictures once, however often the form is sent, and who wrote is on record.
func TestAnswer(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.waits(ann, sid(1), time.Minute, nil)
	b := s.as(signin.Dispatcher)
	key := answerKey.FindStringSubmatch(b.do(http.MethodGet, annsPage(), nil).Body.String())
	if key == nil {
		t.Fatal("the page has no form to answer")
	}
	form := b.about("key", key[1], "body", "We are on\r\nour way")
	for range 2 {
		b.want(b.follow(b.pictures(form, "image/jpeg", 1000)), http.StatusOK, "Your answer is on its way.")
	}
	if media := s.wantSent(ann, "We are on\nour way"); len(media) != 1 || !strings.HasPrefix(media[0], "https://relay.example.com/m/") {
		t.Errorf("with it came %v", media)
	}
	s.wantOnRecord(conversation.DeedReply, "the-dispatcher")
	form.Set("body", "We are there")
	b.want(b.pictures(form, "image/jpeg", 1000), http.StatusConflict, "This form was sent before, with other words", "We are there</textarea>")
	form.Set("body", "We are on\r\nour way")
	form.Set("key", "another")
	b.want(b.pictures(form, "text/html", 10), http.StatusUnprocessableEntity, "this kind of file cannot go with a text", "our way</textarea>")
	b.want(b.pictures(form, "image/jpeg", 5_000_001), http.StatusUnprocessableEntity, "too large")
	b.want(b.pictures(form, "image/jpeg", 6_000_000), http.StatusRequestEntityTooLarge, "5 MB")
	b.want(b.pictures(b.about("key", "third", "body", ""), "image/jpeg", 10), http.StatusBadRequest, "Body: want 1 to 1600 characters")
	n := 0
	for _, p := range s.twilio.Posts() {
		if p.To == ann {
			n++
		}
	}
	if n != 1 {
		t.Errorf("the customer got %d texts: %+v", n, s.twilio.Posts())
	}
	// Without pictures, as a plain form.
	b.want(b.follow(b.post("answer", b.about("key", "fourth", "body", "See you"))), http.StatusOK, "on its way")
	s.wantSent(ann, "See you")
}

// TestWhoOptedOutIsNotAnswered, and is offered no form for it.
func TestWhoOptedOutIsNotAnswered(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.waits(ann, sid(1), time.Minute, func(c *conversation.Conversation) {
		c.OptOut = conversation.OptOut{OptedOut: true, Word: "STOP", Since: s.now, MessageSid: sid(9)}
	})
	b := s.as(signin.Dispatcher)
	if page := b.do(http.MethodGet, annsPage(), nil); strings.Contains(page.Body.String(), "Send the answer") {
		t.Error("the page has a form to answer who opted out")
	}
	b.want(b.post("answer", b.about("key", "k", "body", "Hello")), http.StatusConflict, "texted STOP")
}

// TestNameAndBlock: what a form asks is done in the person's name, and a second time it changes nothing.
func TestNameAndBlock(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.waits(ann, sid(1), time.Minute, nil)
	b := s.as(signin.Dispatcher)
	for range 2 {
		b.want(b.follow(b.post("name", b.about("name", "Ann Miller"))), http.StatusOK, "The name is kept.", "Ann Miller")
	}
	if c := s.kept(); c.Name != "Ann Miller" || c.NamedBy != "the-dispatcher" {
		t.Errorf("kept is %+v", c)
	}
	b.want(b.follow(b.post("name", b.about("name", " "))), http.StatusOK, "The name is kept.")
	for range 2 {
		b.want(b.follow(b.post("block", b.about())), http.StatusOK, "No text of the customer goes to a phone any more.", "Let the texts through")
	}
	if c := s.kept(); !c.Blocked.On || c.Blocked.By != "the-dispatcher" || c.Name != "" {
		t.Errorf("kept is %+v", c)
	}
	b.want(b.follow(b.post("unblock", b.about())), http.StatusOK, "go to the phones again")
	if c := s.kept(); c.Blocked.On {
		t.Errorf("kept is %+v", c)
	}
}

// TestActionsOfNobody: each is refused to who is not signed in, has no role for it, or was sent by another site.
func TestActionsOfNobody(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.waits(ann, sid(1), time.Minute, nil)
	before := s.kept()
	stranger, viewer, dispatcher := s.browser(), s.as(signin.Viewer), s.as(signin.Dispatcher)
	page := viewer.do(http.MethodGet, annsPage(), nil).Body.String() + viewer.do(http.MethodGet, "/console", nil).Body.String()
	for _, path := range []string{"take", "give", "answer", "done", "block", "unblock", "name", "resume"} {
		form := dispatcher.about("phone", "Bo", "body", "x", "key", "k", "name", "Zoe", "newest", sid(1))
		stranger.want(stranger.post(path, form), http.StatusSeeOther)
		viewer.want(viewer.post(path, viewer.about("phone", "Bo", "body", "x")), http.StatusForbidden, "A viewer may not do this")
		if strings.Contains(page, "/console/customer/"+path) {
			t.Errorf("a viewer is shown the form to %s", path)
		}
		form.Set("form", "another")
		dispatcher.want(dispatcher.post(path, form), http.StatusForbidden, "earlier sign-in")
		dispatcher.header.Set("Sec-Fetch-Site", "cross-site")
		dispatcher.want(dispatcher.post(path, dispatcher.about()), http.StatusForbidden, "Another site")
		dispatcher.header.Del("Sec-Fetch-Site")
	}
	if after := s.kept(); after.Version != before.Version || len(s.actions()) > 0 {
		t.Errorf("something was done: %+v", after)
	}
}
