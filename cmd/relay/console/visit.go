package console

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/a-h/templ"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
)

// visit is one request for a page.
type visit struct {
	w       http.ResponseWriter
	r       *http.Request
	console *Console
	// nonce is what the page's own scripts carry.
	nonce string
	// person is who is signed in, by the session's token.
	person signin.Person
	token  string
}

// formField is the field of each form that has the token of [signin.FormToken].
const formField = "form"

// show writes a page, whole or not at all.
func (v *visit) show(status int, page templ.Component) error {
	var text bytes.Buffer
	if err := page.Render(withTimes(templ.WithNonce(v.r.Context(), v.nonce), v.times()), &text); err != nil {
		return err
	}
	v.w.WriteHeader(status)
	_, _ = v.w.Write(text.Bytes()) // whoever is gone misses nothing.
	return nil
}

// goTo has the browser show another page.
func (v *visit) goTo(path string) {
	v.w.Header().Set("Location", path)
	v.w.WriteHeader(http.StatusSeeOther)
}

// isRenewal reports whether the page renews itself.
func (v *visit) isRenewal() bool {
	return v.r.Method == http.MethodGet && v.r.Header.Get("HX-Request") == "true"
}

// toSignIn has the browser show the page to sign in. A page that renews itself would take it for its own part.
func (v *visit) toSignIn() {
	if v.isRenewal() {
		v.w.Header().Set("HX-Redirect", pathSignIn)
		v.w.WriteHeader(http.StatusNoContent)
		return
	}
	v.goTo(pathSignIn)
}

// frame is what all pages have.
type frame struct {
	Title  string
	Person signin.Person
	// Form is the token that each form carries.
	Form string
	// CSS, Icon, HTMX, Guard and Stream are the paths of the files.
	CSS, Icon, HTMX, Guard, Stream string
	// Live says how the page is kept up to date; it is zero for one that stays as it is.
	Live liveFrame
	// Places are the pages that all others lead to, Needs is how much one of them has that needs somebody.
	Places []place
	Needs  int
}

// menuLabel is what the button is called that shows the places on a phone.
func (f frame) menuLabel() string {
	if f.Needs == 0 {
		return "Menu"
	}
	return fmt.Sprintf("Menu (%d to see to)", f.Needs)
}

// MayAct reports whether the person may see to customers.
func (f frame) MayAct() bool { return f.Person.Role.Includes(signin.Dispatcher) }

// place is a page that all others lead to.
type place struct {
	Label, Path string
	// IsHere says that the page is this one.
	IsHere bool
}

// places lists the pages for the person, and says how much needs somebody.
func (v *visit) places() (places []place, needs int) {
	places = []place{{"Who is waiting?", Path, false}}
	if v.console.API.Mending != nil {
		ctx := v.r.Context()
		needs = v.console.needed.count(v.console.Now(), func() (int, error) { return v.console.countNeeds(ctx) })
		places = append(places, place{needsLabel(needs), pathNeeds, false})
	}
	places = append(places, place{"What happened to a text?", pathText, false}, place{searchTitle, pathSearch, false},
		place{"Who is on duty?", pathDuty, false}, place{"How is it going?", pathFigures, false})
	if v.console.Examine != nil {
		places = append(places, place{"Is it well?", pathHealth, false})
	}
	if v.person.Role.Includes(signin.Owner) && v.console.API.Users != nil {
		places = append(places, place{"Users", pathUsers, false})
	}
	for i, one := range places {
		places[i].IsHere = one.Path == v.r.URL.Path
	}
	return places, needs
}

// needsLabel is what the page of what needs somebody is called, with how much that is.
func needsLabel(n int) string {
	const label = "What needs me?"
	if n == 0 {
		return label
	}
	return fmt.Sprintf("%s (%d)", label, n)
}

func (v *visit) frame(title string) frame {
	f := frame{
		Title: title, Person: v.person, CSS: v.console.files.Path("console.css"), Icon: v.console.files.Path("favicon.svg"),
		HTMX: v.console.files.Path("htmx.min.js"), Guard: v.console.files.Path("hx-csp.min.js"),
		Stream: v.console.files.Path("hx-sse.min.js"),
	}
	if v.person.Name != "" {
		f.Form = signin.FormToken(v.token)
		f.Places, f.Needs = v.places()
	}
	return f
}

// The names of the cookie with the session's token. A browser takes the first one over https alone, and from nobody but this host.
const (
	secureCookie = "__Host-relay-session"
	plainCookie  = "relay-session"
)

// isSecure reports whether the browser's way to here is https, up to a proxy or all of it.
func (v *visit) isSecure() bool {
	if v.r.TLS != nil || strings.EqualFold(v.r.Header.Get("X-Forwarded-Proto"), "https") {
		return true
	}
	return slices.ContainsFunc(v.console.PublicBaseURLs, func(base string) bool {
		public, err := url.Parse(base)
		return err == nil && public.Scheme == "https" && strings.EqualFold(public.Host, v.r.Host)
	})
}

func (v *visit) cookieName() string {
	if v.isSecure() {
		return secureCookie
	}
	return plainCookie
}

// cookie returns the session's token that came with the request, empty if there is none.
func (v *visit) cookie() string {
	found, err := v.r.Cookie(v.cookieName())
	if err != nil {
		return ""
	}
	return found.Value
}

// setCookie keeps a session's token in the browser; an empty one takes it away.
func (v *visit) setCookie(token string) {
	kept := &http.Cookie{ //nolint:gosec // it is secure wherever the way is https: from this host it is not.
		Name: v.cookieName(), Value: token, Path: "/", MaxAge: int(signin.MaxAge.Seconds()), HttpOnly: true, Secure: v.isSecure(),
		SameSite: http.SameSiteStrictMode,
	}
	if token == "" {
		kept.MaxAge = -1
	}
	http.SetCookie(v.w, kept)
}

// source is the address that the request came from. A proxy on this host says for whom it asks, last in its header.
func (v *visit) source() string {
	host, _, err := net.SplitHostPort(v.r.RemoteAddr)
	if err != nil {
		return ""
	}
	peer, err := netip.ParseAddr(host)
	if err != nil || !peer.Unmap().IsLoopback() {
		return host
	}
	said := strings.Split(strings.Join(v.r.Header.Values("X-Forwarded-For"), ","), ",")
	if last := strings.TrimSpace(said[len(said)-1]); last != "" {
		return last
	}
	return host
}
