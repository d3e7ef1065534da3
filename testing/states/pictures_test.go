package states_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// album is where Twilio keeps pictures: each is a JPEG that says its own address. It may be closed.
type album struct{ closed atomic.Bool }

// FetchMedia implements [media.Source].
func (a *album) FetchMedia(_ context.Context, url string, _ int64) (media.Content, error) {
	if a.closed.Load() {
		return media.Content{}, &fault.Error{Kind: fault.Transient, Err: errors.New("gone, as in the story")}
	}
	content := contentOf(url)
	return media.Content{
		ReadCloser: io.NopCloser(strings.NewReader(content)), ContentType: "image/jpeg", Size: int64(len(content)),
	}, nil
}

func contentOf(url string) string { return "a picture from " + url }

// pictures are the stories of texts with pictures, both ways.
func pictures() []story {
	return []story{
		{"a customer's picture goes to the phone", func(s *stage) {
			s.ended(withPictures(s.text(1), "sofa", "door"))
			s.rests(1, "", "sending sent", "1@0 accepted queued")
			s.posted(s.first)
			s.showed(s.first, "sofa", "door")
		}},
		{"a phone's picture goes to the customer", func(s *stage) {
			tag := s.meets(s.customer)
			s.ended(withPictures(s.writes(2, s.first, tag+" "+words), "truck"))
			s.rests(2, "", "queued sending sent", "1@0 accepted queued")
			s.got(s.customer, words)
			s.showed(s.customer, "truck")
			s.left(0, 0)
		}},
		{"a number that takes no pictures: the words go again, and mention it", func(s *stage) {
			s.twilio.script = []answer{refused(fault.Permanent, 21620)}
			s.ended(withPictures(s.text(1), "sofa"))
			s.rests(1, "", "sending queued sending sent", "1@0 permanent, 2@0 accepted queued")
			s.posted(s.first, s.first)
			s.showed(s.first)
			if last := s.twilio.Posts()[1].Body; !strings.HasSuffix(last, " bytes: relay media get "+s.sid(1)+" 1]") {
				s.t.Errorf("the phone reads %q, want how to get the picture", last)
			}
		}},
		{"a picture of words that are held is still there when the phone names the customer", func(s *stage) {
			s.askedAbout("truck")
			s.album.closed.Store(true)
			s.hears(s.writes(4, s.first, s.tagOf(s.customer)))
			s.rests(3, "", "queued sending sent", "1@0 accepted queued")
			s.rests(4, ledger.ReasonInstruction, "dropped", "")
			s.got(s.customer, words)
			s.showed(s.customer, "truck")
		}},
	}
}

// withPictures gives a text pictures.
func withPictures(e queue.Envelope, names ...string) queue.Envelope {
	message := *e.Message
	for _, name := range names {
		message.Media = append(message.Media, sms.Media{URL: "https://api.twilio.com/" + name, ContentType: "image/jpeg"})
	}
	e.Message = &message
	return e
}

// showed wants the last message to someone to have these pictures: at addresses of the relay's own, where the store still has them.
func (s *stage) showed(who sms.PhoneNumber, want ...string) {
	s.t.Helper()
	var urls []string
	for _, p := range s.twilio.Posts() {
		if p.To == who && !strings.HasPrefix(p.Ref.RelayID, "NT") {
			urls = p.MediaURLs
		}
	}
	var got []string
	for _, url := range urls {
		token, isOurs := strings.CutPrefix(url, base+media.Path)
		item, content, err := s.media.Open(s.t.Context(), media.Token(token))
		if !isOurs || err != nil {
			s.t.Fatalf("the picture at %q: error %v", url, err)
		}
		read, err := io.ReadAll(content)
		s.must(errors.Join(err, content.Close()))
		if item.ContentType != "image/jpeg" {
			s.t.Errorf("a picture is %s", item.ContentType)
		}
		got = append(got, string(read))
	}
	var contents []string
	for _, name := range want {
		contents = append(contents, contentOf("https://api.twilio.com/"+name))
	}
	if diff := cmp.Diff(contents, got); diff != "" {
		s.t.Errorf("pictures (-want +got):\n%s", diff)
	}
}
