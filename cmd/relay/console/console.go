// Package console is the pages of a relay for people who have no shell, under /console: who waits for an answer, and what went back and
// forth. It decides only who may see what; what it shows and does is done by the functions of the commands.
package console

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"mime"
	"net/http"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/checkup"
	"quickdumpnow.com/smsrelay/cmd/relay/figures"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
)

// Path is where the console is, and everything of it is below.
const Path = "/console"

// Config is what a console is made of.
type Config struct {
	Door *signin.Door
	// Relay has the routes, the ledger and the conversations; the rest is not used.
	Relay *target.Target
	// API is what the operators' HTTP API is made of; the console says who asks.
	API operations.Config
	// Examine examines the relay, which may take a while; nil if that cannot be done here. Problems lists what is wrong now, as far as it is
	// known without.
	Examine  func(ctx context.Context) ([]checkup.Finding, error)
	Problems func() []string
	// PublicBaseURLs are where browsers reach the relay: where one is https, so is the way through its proxy.
	PublicBaseURLs []string
	// Live tells pages what has changed; without it they ask by the clock.
	Live   *Live
	Now    func() time.Time
	Logger *slog.Logger
}

// Console is an http.Handler.
type Console struct {
	Config
	files webfiles.Files
	cross *http.CrossOriginProtection
	pages map[string]page
	// needed is how many things need somebody.
	needed counted
	exam   exam
	// figures are counted from the ledger.
	figures *figures.Book
}

// page is what answers requests of a method for a path.
type page struct {
	// role is what a person needs; empty is a page for everybody.
	role  signin.Role
	serve func(v *visit) error
}

// New returns the console. The error says that its files cannot be read.
func New(config Config) (*Console, error) {
	own, err := webfiles.Read(Path)
	c := &Console{Config: config, files: own, cross: http.NewCrossOriginProtection()}
	c.figures = &figures.Book{Texts: config.Relay.Ledger, Now: config.Now}
	c.pages = map[string]page{
		"GET " + pathSignIn:             {"", c.showSignIn},
		"POST " + pathSignIn:            {"", c.signIn},
		"POST " + pathSignOut:           {signin.Viewer, c.signOut},
		"POST " + pathSignOutEverywhere: {signin.Viewer, c.signOutEverywhere},
		"GET " + Path:                   {signin.Viewer, c.waiting},
		"GET " + pathLive:               {signin.Viewer, c.watch},
		"POST " + pathPause:             {signin.Viewer, c.pause},
		"GET " + pathCustomer:           {signin.Viewer, c.customer},
		"POST " + pathWords:             {signin.Viewer, c.words},
		"POST " + pathTake:              {signin.Dispatcher, c.about((*Console).take)},
		"POST " + pathGive:              {signin.Dispatcher, c.about((*Console).give)},
		"POST " + pathAnswer:            {signin.Dispatcher, c.about((*Console).answer)},
		"POST " + pathDone:              {signin.Dispatcher, c.about((*Console).finish)},
		"POST " + pathBlock:             {signin.Dispatcher, c.about((*Console).block)},
		"POST " + pathUnblock:           {signin.Dispatcher, c.about((*Console).unblock)},
		"POST " + pathName:              {signin.Dispatcher, c.about((*Console).rename)},
		"POST " + pathResume:            {signin.Dispatcher, c.about((*Console).resume)},
	}
	if config.API.Users != nil {
		maps.Copy(c.pages, c.userPages())
	}
	maps.Copy(c.pages, c.timesPages())
	maps.Copy(c.pages, c.textPages())
	maps.Copy(c.pages, c.searchPages())
	if config.Examine != nil {
		maps.Copy(c.pages, c.healthPages())
	}
	if config.API.Mending != nil {
		maps.Copy(c.pages, c.needPages())
	}
	maps.Copy(c.pages, c.dutyPages())
	maps.Copy(c.pages, c.figuresPages())
	return c, err
}

const (
	pathSignIn            = Path + "/sign-in"
	pathSignOut           = Path + "/sign-out"
	pathSignOutEverywhere = Path + "/sign-out-everywhere"
	pathLive              = Path + "/live"
	pathPause             = pathLive + "/pause"
	pathTimes             = Path + "/times"
	pathCustomer          = Path + "/customer"
	pathWords             = pathCustomer + "/words"
	pathTake              = pathCustomer + "/take"
	pathGive              = pathCustomer + "/give"
	pathAnswer            = pathCustomer + "/answer"
	pathDone              = pathCustomer + "/done"
	pathBlock             = pathCustomer + "/block"
	pathUnblock           = pathCustomer + "/unblock"
	pathName              = pathCustomer + "/name"
	pathResume            = pathCustomer + "/resume"
	pathText              = Path + "/text"
	pathTextWords         = pathText + "/words"
	pathNeeds             = Path + "/needs"
	pathResend            = pathNeeds + "/resend"
	pathUncertain         = pathNeeds + "/uncertain"
	pathRedrive           = pathNeeds + "/redrive"
	pathHealth            = Path + "/health"
	pathExamine           = pathHealth + "/examine"
	pathUsers             = Path + "/users"
	pathUsersAdd          = pathUsers + "/add"
	pathUsersChange       = pathUsers + "/change"
	pathUsersPassword     = pathUsers + "/password"
	pathUsersSignOut      = pathUsers + "/sign-out"
	pathUsersRemove       = pathUsers + "/remove"
)

// Serves reports whether a path is the console's, and there is anybody who could sign in. Nobody else learns that there is a console.
func (c *Console) Serves(path string) bool {
	if path != Path && !strings.HasPrefix(path, Path+"/") {
		return false
	}
	open, err := c.Door.IsOpen()
	return open || err != nil
}

// ServeHTTP answers one request.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if f, found := c.files[r.URL.EscapedPath()]; found {
		f.Serve(w, r)
		return
	}
	r = r.WithContext(withTimes(r.Context(), timesOf(cookieOf(r, timesCookie))))
	v := &visit{Visit: webfiles.NewVisit(w, r), console: c}
	err := c.serve(v)
	if err == nil || r.Context().Err() != nil {
		return // a browser that is gone asks no more.
	}
	refused, ok := errors.AsType[webfiles.RefusalError](err)
	if !ok {
		c.Logger.LogAttrs(r.Context(), slog.LevelError, "console failed", slog.String("path", r.URL.Path), slog.String("error", err.Error()))
		refused = webfiles.RefusalError{
			Status: http.StatusInternalServerError, Words: "The relay could not do this. Its log says why. Please try again.",
		}
	}
	if err := v.Show(refused.Status, problemPage(v.frame("Sorry"), refused.Words)); err != nil {
		c.Logger.LogAttrs(r.Context(), slog.LevelError, "page not shown", slog.String("error", err.Error()))
	}
}

// serve finds the page, and serves it to whoever may have it.
func (c *Console) serve(v *visit) error {
	p, err := c.find(v)
	if err != nil {
		return err
	}
	isForm := v.R.Method == http.MethodPost
	if isForm {
		if err := c.checkOrigin(v); err != nil {
			return err
		}
	}
	if p.role == "" {
		if isForm {
			if err := v.ReadForm(); err != nil {
				return err
			}
		}
		return p.serve(v)
	}
	v.token = v.cookie()
	switch v.person, err = c.who(v); {
	case errors.Is(err, signin.ErrNotSignedIn):
		v.toSignIn()
		return nil
	case err != nil:
		return err
	case !v.person.Role.Includes(p.role):
		return webfiles.Refuse(http.StatusForbidden, "A "+string(v.person.Role)+" may not do this. An owner can give you another role.")
	}
	if v.isRenewal() && cookieOf(v.R, liveCookie) == livePaused {
		// Another page of the browser stopped them all.
		v.W.Header().Set("HX-Refresh", "true")
		v.W.WriteHeader(http.StatusNoContent)
		return nil
	}
	if isForm {
		if err := v.readOwnForm(); err != nil {
			return err
		}
	}
	return p.serve(v)
}

// who returns who is signed in. A page that renews itself keeps no session alive.
func (c *Console) who(v *visit) (signin.Person, error) {
	if v.isRenewal() {
		return c.Door.Watches(v.token)
	}
	return c.Door.Who(v.token)
}

func (c *Console) find(v *visit) (page, error) {
	method, path := v.R.Method, v.R.URL.EscapedPath()
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if p, found := c.pages[method+" "+path]; found {
		return p, nil
	}
	for _, other := range []string{http.MethodGet, http.MethodPost} {
		if _, found := c.pages[other+" "+path]; found {
			v.W.Header().Set("Allow", other)
			return page{}, webfiles.Refuse(http.StatusMethodNotAllowed, "This page is not asked for in this way.")
		}
	}
	return page{}, webfiles.Refuse(http.StatusNotFound, "There is no such page.")
}

// checkOrigin refuses what a page of another site has sent.
func (c *Console) checkOrigin(v *visit) error {
	if err := c.cross.Check(v.R); err != nil {
		c.Logger.LogAttrs(v.R.Context(), slog.LevelWarn, "console refused another site's request", slog.String("path", v.R.URL.Path),
			slog.String("source_ip", v.source()))
		return webfiles.Refuse(http.StatusForbidden, "Another site sent this request. Only the console's own pages may.")
	}
	return nil
}

// readOwnForm reads a form that a page of the person's own session has.
func (v *visit) readOwnForm() error {
	read := v.ReadForm
	if kind, _, _ := mime.ParseMediaType(v.R.Header.Get("Content-Type")); kind == "multipart/form-data" {
		read = v.readUpload
	}
	if err := read(); err != nil {
		return err
	}
	if !signin.IsFormToken(v.token, v.R.PostForm.Get(formField)) {
		return webfiles.Refuse(http.StatusForbidden, "This form is of an earlier sign-in. Go back, load the page again, and send it once more.")
	}
	return nil
}
