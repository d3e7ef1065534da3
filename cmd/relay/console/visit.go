package console

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"
)

// visit is one request for a page.
type visit struct {
	webfiles.Visit

	console *Console
	// person is who is signed in, by the session's token.
	person signin.Person
	token  string
}

// formField is the field of each form that has the token of [signin.FormToken].
const formField = "form"

// isRenewal reports whether the page renews itself.
func (v *visit) isRenewal() bool {
	return v.R.Method == http.MethodGet && v.R.Header.Get("HX-Request") == "true"
}

// toSignIn has the browser show the page to sign in. A page that renews itself would take it for its own part.
func (v *visit) toSignIn() {
	if v.isRenewal() {
		v.W.Header().Set("HX-Redirect", pathSignIn)
		v.W.WriteHeader(http.StatusNoContent)
		return
	}
	v.GoTo(pathSignIn)
}

// frame is what all pages have.
type frame struct {
	Title  string
	Person signin.Person
	// Form is the token that each form carries.
	Form string
	// Files are the paths of the files.
	Files webfiles.Loaded
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
		ctx := v.R.Context()
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
		places[i].IsHere = one.Path == v.R.URL.Path
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
	f := frame{Title: title, Person: v.person, Files: v.console.files.Loaded()}
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
	if v.R.TLS != nil || strings.EqualFold(v.R.Header.Get("X-Forwarded-Proto"), "https") {
		return true
	}
	return slices.ContainsFunc(v.console.PublicBaseURLs, func(base string) bool {
		public, err := url.Parse(base)
		return err == nil && public.Scheme == "https" && strings.EqualFold(public.Host, v.R.Host)
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
	found, err := v.R.Cookie(v.cookieName())
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
	http.SetCookie(v.W, kept)
}

// source is the address that the request came from. A proxy on this host says for whom it asks, last in its header.
func (v *visit) source() string {
	host, _, err := net.SplitHostPort(v.R.RemoteAddr)
	if err != nil {
		return ""
	}
	peer, err := netip.ParseAddr(host)
	if err != nil || !peer.Unmap().IsLoopback() {
		return host
	}
	said := strings.Split(strings.Join(v.R.Header.Values("X-Forwarded-For"), ","), ",")
	if last := strings.TrimSpace(said[len(said)-1]); last != "" {
		return last
	}
	return host
}
