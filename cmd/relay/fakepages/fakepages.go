// Package fakepages is what `relay fake-twilio` shows in a browser: phones side by side, every request and callback with its verdict,
// messages to search, and what can be set: faults, registrations and opt-outs. It decides nothing; all of it is done by twiliofake.
package fakepages

import (
	"errors"
	"log/slog"
	"net/http"
	"sync"

	"github.com/a-h/templ"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Config is what the pages are about.
type Config struct {
	Fake *twiliofake.Server
	// AccountSid and AuthToken are what an application has to be given; they are shown.
	AccountSid, AuthToken string
	// Number is the number that phones text at first, and Phones those that are shown before anybody has texted.
	Number sms.PhoneNumber
	Phones []sms.PhoneNumber
	// Console is the address of the relay's console, empty if there is none to go to.
	Console string
	Logger  *slog.Logger
}

// Pages is an http.Handler: the pages, and for every other path the fake itself.
type Pages struct {
	Config
	files webfiles.Files
	mux   *http.ServeMux
	// closing is closed by Close.
	closing chan struct{}
	close   func()
}

// The paths of the pages. What they send to is below.
const (
	pathPhones       = "/"
	pathLive         = "/live"
	pathTexts        = "/phones/texts"
	pathText         = "/phones/text"
	pathReact        = "/phones/react"
	pathRequests     = "/requests"
	pathNews         = "/requests/news"
	pathMessages     = "/messages"
	pathMessagesNews = "/messages/news"
	pathSettings     = "/settings"
	pathFaults       = "/settings/faults"
	pathRegistration = "/settings/registration"
	pathCampaign     = "/settings/campaign"
	pathOptOut       = "/settings/opt-out"
	pathOptIn        = "/settings/opt-in"
	pathReset        = "/settings/reset"
)

// New returns the pages. The error says that their files are damaged.
func New(config Config) (*Pages, error) {
	files, err := webfiles.Read("")
	if err != nil {
		return nil, err
	}
	if config.Logger == nil {
		config.Logger = slog.New(slog.DiscardHandler)
	}
	closing := make(chan struct{})
	p := &Pages{
		Config: config, files: files, mux: http.NewServeMux(), closing: closing, close: sync.OnceFunc(func() { close(closing) }),
	}
	cross := http.NewCrossOriginProtection()
	for pattern, serve := range map[string]func(*visit) error{
		"GET " + pathPhones + "{$}": p.showPhones,
		"GET " + pathLive:           p.watch,
		"GET " + pathTexts:          p.showTexts,
		"POST " + pathText:          p.text,
		"POST " + pathReact:         p.react,
		"GET " + pathRequests:       p.showRequests,
		"GET " + pathNews:           p.showNews,
		"GET " + pathMessages:       p.showMessages,
		"GET " + pathMessagesNews:   p.showMessagesNews,
		"GET " + pathSettings:       p.showSettings,
		"POST " + pathFaults:        p.setFaults,
		"POST " + pathRegistration:  p.register,
		"POST " + pathCampaign:      p.setCampaign,
		"POST " + pathOptOut:        p.optOut,
		"POST " + pathOptIn:         p.optIn,
		"POST " + pathReset:         p.reset,
	} {
		p.mux.Handle(pattern, cross.Handler(p.page(serve)))
	}
	p.mux.Handle("/", config.Fake)
	return p, nil
}

// Close ends the connections on which pages are told what happens, which would stay open.
func (p *Pages) Close() { p.close() }

// ServeHTTP answers one request.
func (p *Pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if file, found := p.files[r.URL.EscapedPath()]; found {
		file.Serve(w, r)
		return
	}
	p.mux.ServeHTTP(w, r)
}

// visit is one request for a page.
type visit struct {
	webfiles.Visit

	pages *Pages
	// seen is the last change before the page was made: what comes while it is made is shown twice, and not missed.
	seen int64
}

// page serves one page, and says what went wrong if it cannot.
func (p *Pages) page(serve func(*visit) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen, _ := p.Fake.Changes()
		v := &visit{Visit: webfiles.NewVisit(w, r), pages: p, seen: seen}
		err := serve(v)
		if err == nil || r.Context().Err() != nil {
			return // a browser that is gone asks no more.
		}
		told, ok := errors.AsType[webfiles.RefusalError](err)
		if !ok {
			told = webfiles.RefusalError{Status: http.StatusInternalServerError, Words: "This could not be done: " + err.Error()}
		}
		if err := v.Show(told.Status, problemPage(v.frame("Sorry"), told.Words)); err != nil {
			p.Logger.LogAttrs(r.Context(), slog.LevelError, "page not shown", slog.String("error", err.Error()))
		}
	})
}

// goTo has the browser show another page.
func (v *visit) goTo(path string) error {
	v.GoTo(path)
	return nil
}

// nothingNew answers a page that renews itself, and has all there is.
func (v *visit) nothingNew() error {
	v.W.WriteHeader(http.StatusNoContent)
	return nil
}

// around is what all pages have around them, and textsOf are the texts of a phone. The compiler would put a copy of either wherever it is
// used.
//
//go:noinline
func around(f frame) templ.ComponentFunc { return layout(f).Render }

//go:noinline
func textsOf(one phone) templ.ComponentFunc { return bubbles(one).Render }

// frame is what all pages have.
type frame struct {
	Title, Console string
	// Path is the page's own, and Live what it listens to. Own is the path of the style of these pages, Files are those of the other files.
	Path, Live, Own string
	Files           webfiles.Loaded
}

func (v *visit) frame(title string) frame {
	files := v.pages.files
	return frame{
		Title: title, Console: v.pages.Console, Path: v.R.URL.Path, Live: liveAfter(v.seen), Own: files.Path("fake.css"), Files: files.Loaded(),
	}
}
