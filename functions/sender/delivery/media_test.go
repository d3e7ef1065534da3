package delivery_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// album keeps attachments as a media.Keeper does, under tokens that are their URLs, as far as it is told.
type album struct {
	s *sender
	// left are the URLs that do not fit, away those that cannot be had now.
	left, away []string
	asked      int
	// checks is called before each answer.
	checks func()
}

// withAlbum gives the sender an album.
func withAlbum(s *sender) *album {
	a := &album{s: s}
	s.Attachments, s.MediaBaseURL = a, base
	return a
}

// Keep implements delivery.Attachments.
func (a *album) Keep(_ context.Context, attachments []sms.Media) ([]sms.Media, error) {
	a.asked++
	if a.checks != nil {
		a.checks()
	}
	kept, failure := slices.Clone(attachments), error(nil)
	for i := range kept {
		one := &kept[i]
		switch {
		case one.Token != "" || one.Left:
		case slices.Contains(a.away, one.URL):
			failure = &fault.Error{Kind: fault.Transient, Err: errors.New("not there yet")}
		case slices.Contains(a.left, one.URL):
			one.Left, one.Size = true, 6_100_000
		default:
			one.Token, one.KeptUntil = one.URL, ledger.Stamp(a.s.clock.Now().Add(media.KeptFor))
		}
	}
	return kept, failure
}

// pictures gives a text attachments.
func pictures(urls ...string) func(e *queue.Envelope) {
	return func(e *queue.Envelope) {
		for _, url := range urls {
			e.Message.Media = append(e.Message.Media, sms.Media{URL: url, ContentType: "image/jpeg"})
		}
	}
}

const words = "The " + secretText + ", please (1)"

// sentAs checks the last POST.
func (s *sender) sentAs(body string, tokens ...string) {
	s.t.Helper()
	posts := s.twilio.Posts()
	if len(posts) == 0 {
		s.t.Fatal("nothing was sent")
	}
	last := posts[len(posts)-1].Outbound
	var urls []string
	for _, token := range tokens {
		urls = append(urls, base+"/m/"+token)
	}
	if last.Body != body || !slices.Equal(last.MediaURLs, urls) {
		s.t.Errorf("sent %q with %q, want %q with %q", last.Body, last.MediaURLs, body, urls)
	}
}

// TestAPictureGoesAlong, is copied before the claim, and the record says where the copy is.
func TestAPictureGoesAlong(t *testing.T) {
	s := newSender(t)
	a := withAlbum(s)
	a.checks = func() {
		if _, err := s.ledger.Get(t.Context(), relaytest.MessageSid(1)); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("there was a record before the picture was copied: error %v", err)
		}
	}
	s.queueUp(textOf(1, pictures("p", "q")))
	s.checkBack(0)
	s.sentAs(header+words, "p", "q")
	if r := s.record(1); r.Media[0].Token != "p" || r.Media[1].Token != "q" || r.Version != 2 {
		t.Errorf("record version %d has %+v", r.Version, r.Media)
	}
}

// TestWhatDoesNotFitIsMentioned, with what it is and how to get it.
func TestWhatDoesNotFitIsMentioned(t *testing.T) {
	s := newSender(t)
	withAlbum(s).left = []string{"q"}
	s.queueUp(textOf(1, pictures("p", "q")))
	s.checkBack(0)
	s.sentAs(header+words+" [picture image/jpeg 6.1 MB: relay media get "+relaytest.MessageSid(1)+" 2]", "p")
}

// TestWordsWaitAMinuteForAPicture, and go without it then; the customer's next text waits as long, and no longer.
func TestWordsWaitAMinuteForAPicture(t *testing.T) {
	s := newSender(t)
	withAlbum(s).away = []string{"p"}
	s.queueUp(textOf(1, pictures("p", "q")), textOf(2, nil))
	s.pump()
	s.checkPosts(0)
	begun := s.clock.Now()
	s.drain()
	posts := s.twilio.Posts()
	if len(posts) != 2 || !strings.Contains(posts[0].Body, "(1)") || !strings.Contains(posts[1].Body, "(2)") {
		t.Fatalf("sent %+v, want both texts in order", posts)
	}
	if waited := posts[0].At.Sub(begun); waited < 50*time.Second || waited > 75*time.Second {
		t.Errorf("the words waited %v, want about a minute", waited)
	}
	want := header + words + " [picture image/jpeg: relay media get " + relaytest.MessageSid(1) + " 1]"
	if posts[0].Body != want || !slices.Equal(posts[0].MediaURLs, []string{base + "/m/q"}) {
		t.Errorf("sent %q with %q, want %q", posts[0].Body, posts[0].MediaURLs, want)
	}
}

// TestWordsOfATimeToComeDoNotWait for a picture: the front door's clock was a day ahead when the text came, and it is right now.
func TestWordsOfATimeToComeDoNotWait(t *testing.T) {
	s := newSender(t)
	withAlbum(s).away = []string{"p"}
	s.queueUp(textOf(1, func(e *queue.Envelope) {
		pictures("p")(e)
		e.ReceivedAt = s.clock.Now().Add(24 * time.Hour)
	}))
	s.pump()
	s.sentAs(header + words + " [picture image/jpeg: relay media get " + relaytest.MessageSid(1) + " 1]")
}

// TestAPictureThatComesInTime goes along.
func TestAPictureThatComesInTime(t *testing.T) {
	s := newSender(t)
	a := withAlbum(s)
	a.away = []string{"p"}
	s.queueUp(textOf(1, pictures("p")))
	s.pump()
	a.away = nil
	s.drain()
	s.sentAs(header+words, "p")
}

// TestRefusalOfAPicture: a number that cannot send pictures sends the words.
func TestRefusalOfAPicture(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Permanent, fault.Unreachable} {
		s := newSender(t)
		withAlbum(s)
		s.twilio.answer = answers(refusal(kind, 21620))
		s.queueUp(textOf(1, pictures("p")))
		s.drain()
		s.checkPosts(2)
		s.sentAs(header + words + " [picture image/jpeg: relay media get " + relaytest.MessageSid(1) + " 1]")
		if r := s.record(1); r.State != ledger.Sent || r.Attempts[1].To != relaytest.Destination {
			t.Errorf("%v: the text is %s, second attempt to %s", kind, r.State, r.Attempts[1].To)
		} else if first, second := r.Attempts[0].Media, r.Attempts[1].Media; first != "k" || second != "l" {
			t.Errorf("%v: the attempts say that they went with %q and %q, want the picture in the first alone", kind, first, second)
		}
	}
}

// TestRefusalThatIsNotThePictures: the words are refused for themselves then, and the next phone is tried.
func TestRefusalThatIsNotThePictures(t *testing.T) {
	s := newSender(t)
	withAlbum(s)
	s.twilio.answer = answers(refusal(fault.Unreachable, 21614), refusal(fault.Unreachable, 21614))
	s.queueUp(textOf(1, pictures("p")))
	s.drain()
	s.checkPosts(3)
	if last := s.twilio.Posts()[2]; last.To != relaytest.Fallback {
		t.Errorf("the third POST went to %s", last.To)
	}
}

// TestPictureThatTwilioCannotHave: the message fails after Twilio took it, and the words go again without the picture.
func TestPictureThatTwilioCannotHave(t *testing.T) {
	s := newSender(t)
	withAlbum(s)
	s.queueUp(textOf(1, pictures("p")))
	s.checkBack(0)
	receipt := receiptOf(1, 1, relaytest.OutboundSid(1), sms.StatusFailed)
	receipt.Receipt.ErrorCode = 11200
	s.queueUp(receipt)
	s.drain()
	s.checkPosts(2)
	s.sentAs(header + words + " [picture image/jpeg: relay media get " + relaytest.MessageSid(1) + " 1]")
	if last := s.twilio.Posts()[1]; last.To != relaytest.Destination {
		t.Errorf("it went to %s, want the same phone", last.To)
	}
}

// TestLookForAPicture: a message with the same words and no picture is not it, once it is sent.
func TestLookForAPicture(t *testing.T) {
	s := newSender(t)
	withAlbum(s)
	s.twilio.answer = answers(&fault.Error{Kind: fault.Unknown, Err: errors.New("no answer")})
	s.queueUp(textOf(1, pictures("p")))
	s.drain()
	s.checkPosts(1)
	if r := s.record(1); r.State != ledger.Sent || r.Attempts[0].OutboundSid == "" {
		t.Errorf("the text is %s with %+v, want the message found", r.State, r.Attempts)
	}
}

// TestAnswerWithAPicture goes to the customer, and what does not fit is mentioned without anything of the relay's.
func TestAnswerWithAPicture(t *testing.T) {
	s := newSender(t)
	withAlbum(s).left = []string{"q"}
	s.queueUp(textOf(1, nil))
	s.settle()
	s.clock.Advance(time.Minute)
	answer := textOf(2, pictures("p", "q"))
	answer.Message.From, answer.Message.Body, answer.ReceivedAt = relaytest.Destination, "This one?", s.clock.Now()
	s.queueUp(answer)
	s.settle()
	s.sentAs("This one? [1 picture could not be sent]", "p")
	if last := s.twilio.Posts()[len(s.twilio.Posts())-1]; last.To != relaytest.Customer {
		t.Errorf("it went to %s", last.To)
	}
	s.clock.Advance(time.Minute)
	only := textOf(3, pictures("p"))
	only.Message.From, only.Message.Body, only.ReceivedAt = relaytest.Destination, "", s.clock.Now()
	s.queueUp(only)
	s.settle()
	s.sentAs("", "p")
}
