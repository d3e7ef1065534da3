package simulation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing/iotest"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// picture is an attachment at Twilio.
type picture struct {
	url string
	// of is the text that it came with.
	of    string
	state pictureState
	// tries counts how often it was asked for.
	tries int
}

// pictureState is what comes of it when a picture is asked for.
type pictureState int

const (
	pictureThere pictureState = iota
	// At first: pictureLate is not there yet, the connection of pictureCut breaks off, and pictureSlow takes too long.
	pictureLate
	pictureCut
	pictureSlow
	// pictureGone: it is not there. pictureLarge: it is too large. pictureStrange: its type is not passed on.
	pictureGone
	pictureLarge
	pictureStrange
	// pictureAway: there is never an answer.
	pictureAway
)

// copied is what the relay keeps of a picture.
type copied struct {
	media.Item

	of  string
	url string
}

// picturesOf returns the attachments of a text as the webhook names them.
func (s *schedule) picturesOf(sid string, n int) []sms.Media {
	var all []sms.Media
	for i := range n {
		url := fmt.Sprintf("https://api.twilio.com/2010-04-01/Accounts/AC0/Messages/%s/Media/ME%d", sid, i)
		if s.album[url] == nil {
			state := one(s.chance, pictureThere, pictureThere, pictureThere, pictureThere, pictureLate, pictureCut, pictureSlow, pictureGone,
				pictureLarge, pictureStrange, pictureAway)
			s.album[url] = &picture{url: url, of: sid, state: state}
		}
		all = append(all, sms.Media{URL: url, ContentType: "image/jpeg"})
	}
	return all
}

// numPictures returns how many pictures what somebody writes now has.
func (s *schedule) numPictures() int {
	if s.Pictures == 0 || !s.chance.odds(s.Pictures) {
		return 0
	}
	return 1 + s.chance.of(2)
}

// mediaDoor is where senders fetch pictures from Twilio, and where they keep them.
type mediaDoor struct{ *schedule }

func (s *schedule) newToken() media.Token {
	s.tokens++
	return media.Token(fmt.Sprintf("%032d", s.tokens))
}

var errAway = &fault.Error{Kind: fault.Transient, Err: errors.New("no answer")}

// FetchMedia implements [media.Source].
func (d mediaDoor) FetchMedia(ctx context.Context, url string, limit int64) (media.Content, error) {
	c := call{op: "media.Fetch", read: true, what: func() string { return url[strings.LastIndex(url, "Messages/"):] }}
	return through(ctx, d.schedule, c, func(a *actor) (media.Content, error) {
		p := d.album[url]
		p.tries++
		content := []byte(url)
		found := media.Content{ReadCloser: io.NopCloser(bytes.NewReader(content)), ContentType: "image/jpeg", Size: int64(len(content))}
		isFirst := p.tries < 3 && !d.chance.calm
		switch {
		case p.state == pictureAway, p.state == pictureLate && isFirst:
			return media.Content{}, errAway
		case p.state == pictureSlow && isFirst:
			a.rest(time.Now().Add(sendTimeout + time.Second))
			return media.Content{}, errAway
		case p.state == pictureCut && isFirst:
			broken := io.MultiReader(bytes.NewReader(content[:10]), iotest.ErrReader(errAway))
			found.ReadCloser = io.NopCloser(broken)
		case p.state == pictureGone:
			return media.Content{}, &fault.Error{Kind: fault.Permanent, HTTPStatus: http.StatusNotFound, Err: errors.New("not found")}
		case p.state == pictureLarge:
			return media.Content{}, &media.TooLargeError{ContentType: "video/mp4", Size: limit + 1}
		case p.state == pictureStrange:
			found.ContentType = "text/html"
		}
		return found, nil
	})
}

// Put implements [media.Store].
func (d mediaDoor) Put(ctx context.Context, item media.Item, content io.Reader) error {
	c := call{op: "media.Put", what: func() string { return string(item.Token[len(item.Token)-2:]) }}
	_, err := through(ctx, d.schedule, c, func(*actor) (none, error) {
		url, err := io.ReadAll(content)
		if err == nil {
			d.copies[item.Token] = copied{Item: item, of: d.album[string(url)].of, url: string(url)}
		}
		return none{}, err
	})
	return err
}

// Look implements [media.Store]. Senders never look.
func (mediaDoor) Look(context.Context, media.Token) (media.Item, error) { panic("a sender looks") }

// Open implements [media.Store]. Senders never look.
func (mediaDoor) Open(context.Context, media.Token) (media.Item, io.ReadCloser, error) {
	panic("a sender looks")
}

// checkPictures holds the pictures of a POST against the text that it is of: they are that text's own, each once and in their order, and
// the relay has them for as long as Twilio may ask.
func (s *schedule) checkPictures(p *post, r ledger.Record, name string) {
	if len(p.out.MediaURLs) > 0 && (r.Notice || r.SecondPart) {
		s.violated("%s has pictures", name)
	}
	last := ""
	for _, offered := range p.out.MediaURLs {
		token, _ := strings.CutPrefix(offered, publicBaseURL+media.Path)
		kept, ok := s.copies[media.Token(token)]
		switch {
		case !ok:
			s.violated("%s offers %s, and there is no such copy", name, offered)
		case kept.of != r.MessageSid && (!r.IsRung() || kept.of != r.ParentSid):
			s.violated("%s offers a picture of %s", name, nameOf(kept.of))
		case kept.url <= last:
			s.violated("%s offers %s after %s", name, kept.url, last)
		case s.truly() && kept.ExpiresAt.Before(time.Now().Add(p.out.ValidityPeriod+time.Hour)):
			s.violated("%s offers a picture that is kept for %v more", name, time.Until(kept.ExpiresAt))
		}
		last = kept.url
	}
	// What does not fit is in the second part.
	isSaid := strings.Contains(p.out.Body, "relay media get "+r.MessageSid) || strings.HasSuffix(p.out.Body, "(1/2)")
	if left := len(r.Media) - len(p.out.MediaURLs); left > 0 && plan.TakesMedia(r) && !r.IsAnswer() && !isSaid {
		s.violated("%s leaves %d pictures out, and says nothing about it: %q", name, left, p.out.Body)
	}
}

// leftOutNote is what a customer reads of pictures that could not be sent.
var leftOutNote = regexp.MustCompile(`^\[([0-9]+) (?:picture|video|file|attachment)s? could not be sent\]$`)

// saysAll reports whether a POST to a customer says the words, with the pictures or with how many of them could not be sent.
func saysAll(p *post, w *writing) bool {
	left := w.pictures - len(p.out.MediaURLs)
	if left <= 0 {
		return left == 0 && p.out.Body == w.words
	}
	if sms.Length(w.words) > sms.MaxBody-40 && p.out.Body == w.words {
		return true // There is no room for a note.
	}
	note, ok := strings.CutPrefix(p.out.Body, w.words+" ")
	found := leftOutNote.FindStringSubmatch(note)
	return ok && found != nil && found[1] == fmt.Sprint(left)
}

// beMore adds what else there is where people answer.
func (s *scenario) beMore(draw *rapid.T) {
	s.beImpatient(draw)
	s.beCurious(draw)
	s.beAway(draw)
	s.beClosed(draw)
	s.beRinging(draw)
	s.beVerified(draw)
	s.beOwned(draw)
	s.beHolding(draw)
	s.beTurning(draw)
	s.beHoldingNewcomers(draw)
}

// beCurious has people send pictures, operators name customers, and clocks jump, where people answer and nobody waits for that.
func (s *scenario) beCurious(draw *rapid.T) {
	pictures := rapid.SampledFrom([]int{0, 0, 0, 150, 500}).Draw(draw, "pictures")
	names := rapid.SampledFrom([]int{0, 0, 3, 10}).Draw(draw, "names")
	jump := rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(draw, "people's jumps")
	if s.Habit == 0 || s.AnswerTimeout > 0 {
		return
	}
	s.Pictures, s.Names = pictures, names
	if s.Threads == 0 {
		s.Jump = jump
	}
}

// hadPictures reports whether the earlier POST had pictures, which Twilio may have refused, and the later one has none.
func hadPictures(earlier, later *post) bool {
	return len(earlier.out.MediaURLs) > 0 && !slices.ContainsFunc(later.out.MediaURLs, func(url string) bool {
		return slices.Contains(earlier.out.MediaURLs, url)
	})
}
