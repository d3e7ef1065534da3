package console

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/a-h/templ"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	// liveCookie is there while somebody wants no page to change by itself.
	liveCookie = "relay-live"
	livePaused = "paused"
	// maxNamed is how many customers the news of a moment name.
	maxNamed = 3
)

// liveFrame says how a page is kept up to date.
type liveFrame struct {
	// Path is what the page listens to; empty if it does not.
	Path string
	// Back is the page's own path, IsPaused says that nothing is live because somebody wants it so.
	Back     string
	IsPaused bool
}

// live says how a page at a path is kept up to date that is about a number and a customer; an empty one is all. It is called before what
// the page shows is read: what changes after that, the page is told.
func (v *visit) live(path string, number, customer sms.PhoneNumber) liveFrame {
	f := liveFrame{Back: path, IsPaused: cookieOf(v.R, liveCookie) == livePaused}
	if v.console.Live == nil || f.IsPaused {
		return f
	}
	f.Path = pathLive + "?" + url.Values{
		"after": {strconv.FormatInt(v.console.Live.Newest(), 10)}, "number": {string(number)}, "customer": {string(customer)},
	}.Encode()
	return f
}

// renewed are the attributes of a part of a page, and also of another, that are asked for anew at a path when there is news. Times that say
// how long ago something was go on meanwhile.
func (f frame) renewed(ctx context.Context, path, part, other string) templ.Attributes {
	if f.Live.Back == "" || f.Live.IsPaused {
		return nil
	}
	attributes := templ.Attributes{
		"hx-get": path, "hx-trigger": "every 20s", "hx-select": part, "hx-target": part, "hx-swap": "outerMorph", "hx-nonce": templ.GetNonce(ctx),
	}
	if f.Live.Path != "" {
		attributes["hx-trigger"] = "news from:#live, every 60s"
	}
	if other != "" {
		attributes["hx-select-oob"] = other + ":outerMorph"
	}
	return attributes
}

// cookieOf returns what the browser keeps under that name, which is no secret.
func cookieOf(r *http.Request, name string) string {
	found, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return found.Value
}

// keep has the browser keep something that is no secret for a year; empty takes it away.
func (v *visit) keep(name, value string) {
	kept := &http.Cookie{ //nolint:gosec // it is secure wherever the way is https, as the session's.
		Name: name, Value: value, Path: Path, MaxAge: int((365 * 24 * time.Hour).Seconds()), HttpOnly: true, Secure: v.isSecure(),
		SameSite: http.SameSiteStrictMode,
	}
	if value == "" {
		kept.MaxAge = -1
	}
	http.SetCookie(v.W, kept)
}

// back has the browser show the page again that the form was on.
func (v *visit) back() {
	to := v.R.PostForm.Get("back")
	if parsed, err := url.Parse(to); err != nil || parsed.Host != "" || parsed.Path != Path && !strings.HasPrefix(parsed.Path, Path+"/") {
		to = Path
	}
	v.GoTo(to)
}

// pause stops all pages of the browser from changing by themselves, or lets them again.
func (c *Console) pause(v *visit) error {
	value := ""
	if v.R.PostForm.Get("live") == livePaused {
		value = livePaused
	}
	v.keep(liveCookie, value)
	c.Live.end(v.token)
	v.back()
	return nil
}

// stream is the connection of a page that is told of changes.
type stream struct {
	*visit
	watcher
	webfiles.Stream

	// after is the last change that the page knows.
	after int64
}

// watch tells a page of changes until it is closed, or its session is over: a line of news that is read aloud, and that it is to renew
// itself. It says nothing that the page itself would not.
func (c *Console) watch(v *visit) error {
	query := v.R.URL.Query()
	after, err := webfiles.LastChange(v.R)
	if c.Live == nil || err != nil {
		return webfiles.Refuse(http.StatusNotFound, "There is no such page.")
	}
	s := &stream{
		visit: v, after: after,
		watcher: watcher{number: sms.PhoneNumber(query.Get("number")), customer: sms.PhoneNumber(query.Get("customer")), session: v.token},
	}
	if err := c.Live.join(&s.watcher); err != nil {
		v.W.Header().Set("Retry-After", "60")
		return webfiles.Refuse(http.StatusServiceUnavailable, "Too many pages are open. This one renews itself once a minute.")
	}
	defer c.Live.leave(&s.watcher)
	s.Stream, err = webfiles.OpenStream(v.W)
	for s.ring(); err == nil; {
		select {
		case <-v.R.Context().Done():
			return nil
		case <-c.Live.closing:
			return nil
		case <-s.rung:
			err = s.tell()
		}
	}
	return nil
}

// tell tells what has changed, once it is the page's turn. The error says that the connection is to end.
func (s *stream) tell() error {
	found, newest, isComplete := s.console.Live.since(s.after, &s.watcher)
	if len(found) == 0 && isComplete {
		s.after = newest
		return s.try()
	}
	s.console.Live.ask(&s.watcher)
	if err := wait(s, s.turn); err != nil {
		return err
	}
	found, newest, isComplete = s.console.Live.since(s.after, &s.watcher)
	if err := s.check(); err != nil {
		return err
	}
	s.after = newest
	if err := s.News(newest, s.wordsFor(found, isComplete)); err != nil {
		return err
	}
	timer := time.NewTimer(restTime)
	defer timer.Stop()
	return wait(s, timer.C)
}

// errOver means that nobody is to be told any more.
var errOver = errors.New("the connection is over")

// try looks whether the browser and the session are still there.
func (s *stream) try() error {
	if err := s.check(); err != nil {
		return err
	}
	return s.Try()
}

// check has the page look for itself, and ends the connection, if its session is over or the person wants nothing live.
func (s *stream) check() error {
	_, err := s.console.Door.Watches(s.token)
	isEnded := s.isEnded.Load()
	if err == nil && !isEnded {
		return nil
	}
	if errors.Is(err, signin.ErrNotSignedIn) || isEnded {
		_ = s.Over() // it is over whether the page knows or not.
	}
	return errOver
}

// wait waits until it is time. The error says that the connection is over meanwhile.
func wait[T any](s *stream, until <-chan T) error {
	select {
	case <-until:
		return nil
	case <-s.R.Context().Done():
	case <-s.console.Live.closing:
	}
	return errOver
}

// wordsFor says what is new for people who do not see it, empty if no text has come in.
func (s *stream) wordsFor(found []Event, isComplete bool) string {
	if !isComplete {
		return "The connection was away for a while. The page shows how things are now."
	}
	texts, names := 0, []string{}
	seen := map[Event]bool{}
	for _, e := range found {
		if !e.IsText || s.isPhones(e) {
			continue
		}
		texts++
		who := Event{TwilioNumber: e.TwilioNumber, Customer: e.Customer}
		if seen[who] || len(names) == maxNamed {
			continue
		}
		seen[who], names = true, append(names, s.nameOf(e))
	}
	switch texts {
	case 0:
		return ""
	case 1:
		return "New text from " + names[0] + "."
	}
	return cli.Plural(texts, "new text") + ", from " + strings.Join(names, ", ") + "."
}

// isPhones reports whether a phone on duty wrote the text. If that cannot be read, nobody is told of the text.
func (s *stream) isPhones(e Event) bool {
	routes, err := s.console.Relay.Routes.Lookup(s.R.Context(), e.TwilioNumber.Spellings()...)
	way, _ := route.Find(routes, e.TwilioNumber)
	return err != nil || way.IsPhone(e.Customer)
}

func (s *stream) nameOf(e Event) string {
	kept, err := s.console.Relay.Conversations.Get(s.R.Context(), e.TwilioNumber, e.Customer)
	if err != nil {
		return string(e.Customer)
	}
	return cmp.Or(kept.Name, string(e.Customer))
}
