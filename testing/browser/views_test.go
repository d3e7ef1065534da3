package browser

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// views are all pages of the console and of the fake Twilio, with something that each shows. What a page's navigation leads to has to be
// here, so that no new page is forgotten.
func (s *stage) views() []view {
	about := "?" + url.Values{"number": {number}, "customer": {customer}}.Encode()
	console, fake := s.relay+"/console", s.twilio
	return []view{
		{console, "", "Ann Miller"},
		{console, `//button[.="Pause what changes by itself"]`, "No page changes by itself."},
		{console, `//button[.="Keep pages up to date"]`, "Pause what changes by itself"},
		{console + "?only=unanswered", "", "Nobody waits"},
		{console + "/customer" + about, "", "Show what they say"},
		{console + "/customer" + about, `//button[.="Show what they say"]`, "Is the gate open?"},
		{console + "/needs", "", "Nobody knows whether"},
		{console + "/health", "", "Examine it again"},
		{console + "/text", "", "newest texts"},
		{console + "/text", `//ol[@class="texts"]//a`, "What happened"},
		{console + "/search", "", "Words in the text"},
		{console + "/search?" + url.Values{"number": {customer}, "words": {"gate"}}.Encode(), "", "you have read these texts"},
		{console + "/duty?" + url.Values{"customer": {customer}, "at": {"Sat 22:30"}}.Encode(), "", "The text would go to"},
		{console + "/duty", "", "The week"},
		{console + "/duty", `//button[.="Take it out"]`, "Put it in force"},
		{console + "/times", "", "By the clocks of"},
		{console + "/figures", "", "Delivery by phone"},
		{console + "/figures?over=day", "", "As a table"},
		{console + "/users", "", "Add a user"},
		{console + "/sign-in", "", "operator token"},
		{console + "/nothing", "", "no such page"},
		{fake + "/", "", "Is the gate open?"},
		{fake + "/requests", "", "webhook"},
		{fake + "/messages", "", "Is the gate open?"},
		{fake + "/settings", "", "Seed"},
	}
}

// view is a page, or where a button or link of it leads to, with words that are there.
type view struct{ url, through, shows string }

func (v view) String() string { return strings.TrimSpace(v.url + " " + v.through) }

// TestViews: axe-core finds nothing on any page, on a phone and on a desk, in the light and in the dark; nothing is beyond the edge of
// a narrow screen; the keyboard leads to everything; and all of it is there without JavaScript, too.
func TestViews(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.populate()
	b, plain := s.newTab(t), s.newTab(t)
	plain.withoutScripts()
	for _, one := range []*tab{b, plain} {
		one.expect("the server responded with a status of 404")
		one.signIn("lee", password)
	}
	s.lose("Is anybody there?")
	b.open(s.relay + "/console/needs")
	b.reload(`document.body.innerText.includes("reached nobody")`)
	s.doubt("Do you take wood?")
	b.reload(`document.body.innerText.includes("Nobody knows whether")`)
	b.open(s.relay + "/console/health")
	b.reload(`document.body.innerText.includes("Examine it again")`)
	views := s.views()
	for _, v := range views {
		plain.visit(v, "undefined")
		b.visit(v, "object")
		b.value("document.querySelectorAll('details').forEach(d=>d.open=true)")
		b.leadsTo(views)
		in := b.inspector()
		for _, width := range []int64{320, 1280} {
			for _, scheme := range []string{"light", "dark"} {
				b.look(width, scheme)
				for _, f := range b.findings(in) {
					t.Errorf("%s, %d px, %s: %s", v, width, scheme, f)
				}
			}
			if beyond := b.overflow(); beyond > 0 {
				t.Errorf("%s has %d px beyond %d", v, beyond, width)
			}
		}
		for _, missed := range b.unreached() {
			t.Errorf("%s: no tab key leads to %s", v, missed)
		}
	}
}

// TestMenu: on a phone, one button is all there is above a page. It opens the way to the other pages, by the keyboard and without
// JavaScript, too, and Escape closes it.
func TestMenu(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for name, isPlain := range map[string]bool{"with JavaScript": false, "without JavaScript": true} {
		b := s.newTab(t)
		if isPlain {
			b.withoutScripts()
		}
		b.look(320, "light")
		b.signIn("operator", operator)
		above, err := try[float64](b, `document.querySelector("header").getBoundingClientRect().bottom`)
		if err != nil || above > 80 {
			t.Errorf("%s: %v of 640 px are above the page, error %v", name, above, err)
		}
		const isOpen = `document.querySelector("#menu").matches(":popover-open")`
		for range 2 {
			b.do(chromedp.KeyEvent(kb.Tab)) // over the link to the content.
		}
		b.do(chromedp.KeyEvent(kb.Enter))
		b.wait(isOpen, "the menu does not open")
		for _, scheme := range []string{"light", "dark"} {
			b.look(320, scheme)
			if isPlain {
				continue // axe-core is a script.
			}
			for _, f := range b.findings(b.inspector()) {
				t.Errorf("%s, %s: %s", name, scheme, f)
			}
		}
		if beyond := b.overflow(); beyond > 0 {
			t.Errorf("%s: the menu has %d px beyond the edge", name, beyond)
		}
		b.do(chromedp.KeyEvent(kb.Escape))
		b.wait("!"+isOpen, "the menu does not close")
		b.do(chromedp.KeyEvent(kb.Enter), chromedp.KeyEvent(kb.Tab), chromedp.KeyEvent(kb.Tab))
		b.do(chromedp.KeyEvent(kb.Enter))
		b.see("Nothing needs you.")
	}
}

// visit shows a view, in which htmx is as it should be.
func (b *tab) visit(v view, htmx string) {
	b.Helper()
	b.open(v.url)
	if v.through != "" {
		b.leave(v.through)
	}
	b.see(v.shows)
	if is := b.value("typeof htmx"); is != htmx {
		b.Errorf("%s: htmx is %s, want %s", v, is, htmx)
	}
}

// leadsTo fails for each link of the page's navigation that is no view.
func (b *tab) leadsTo(views []view) {
	b.Helper()
	links, err := try[[]string](b, "[...document.querySelectorAll('header a')].map(a=>a.href)")
	if err != nil {
		b.Fatal(err)
	}
	for _, link := range links {
		if !slices.ContainsFunc(views, func(v view) bool { return v.url == link }) {
			b.Errorf("the navigation leads to %s, which is not in the list of views", link)
		}
	}
}

// populate makes something to see: users, and customers in several states.
func (s *stage) populate() {
	s.Helper()
	s.run(password+"\n", "user", "add", "lee", "--role", "owner")
	s.run("", "user", "set", "lee", "--phone", "Cy")
	s.run("", "contact", "set", number, customer, "Ann Miller")
	s.run("", "duty", "set", number, "--phone", "Cy", "--until", "2h")
	s.text(customer, "Is the gate open?")
	s.text("+13125550148", "How much is a dumpster?")
	s.text("+13125550149", "STOP")
}

// text has a customer text the number.
func (s *stage) text(from, words string) {
	s.Helper()
	answer, err := http.PostForm(s.twilio+"/fake/inbound", url.Values{"From": {from}, "To": {number}, "Body": {words}})
	if err != nil {
		s.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		s.Fatalf("the fake Twilio answers %s", answer.Status)
	}
}

// lose has a text reach nobody: Twilio has suspended the number until all phones of the route were tried.
func (s *stage) lose(words string) {
	s.Helper()
	s.register("suspended")
	s.text(customer, words)
}

// register says what the fake Twilio has the number registered as.
func (s *stage) register(as string) {
	s.Helper()
	s.put("/fake/numbers/"+url.PathEscape(number), `{"registration":"`+as+`"}`)
}

// doubt has nobody know whether a text was sent: Twilio takes it, does not answer, says nothing later, and does not list it.
func (s *stage) doubt(words string) {
	s.Helper()
	s.put("/fake/faults", `{"accept_then_drop":1,"drop_callback":1,"list_lag":"1h"}`)
	s.text("+13125550150", words)
}

// put changes something of the fake Twilio.
func (s *stage) put(path, what string) {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), http.MethodPut, s.twilio+path, strings.NewReader(what))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	_ = answer.Body.Close()
	if answer.StatusCode/100 != 2 {
		s.Fatalf("the fake Twilio answers %s", answer.Status)
	}
}

// TestFaultsAreFound: what the other tests look for is found where it is.
func TestFaultsAreFound(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	b := s.newTab(t)
	b.open(s.relay + "/console")
	b.look(320, "light")
	b.value(`document.querySelector("label").remove();document.body.style.minWidth="400px";document.querySelector("button").tabIndex=-1`)
	if found := b.findings(b.inspector()); len(found) != 1 || found[0].ID != "label" {
		t.Errorf("axe-core finds %v", found)
	}
	if b.overflow() == 0 {
		t.Error("a wide page is not noticed")
	}
	if missed := b.unreached(); len(missed) != 1 || !strings.Contains(missed[0], "Sign in") {
		t.Errorf("the keyboard does not lead to %v", missed)
	}
	for script, want := range map[string]string{
		`document.body.append(Object.assign(new Image(),{src:"http://127.0.0.2/x.png"}))`:  "img-src",
		`document.head.append(Object.assign(document.createElement("script"),{text:"1"}))`: "TrustedScript",
		`console.error("broken")`:                          "broken",
		`setTimeout(()=>{throw new Error("thrown")},0)`:    "thrown",
		`fetch("/console/assets/nothing").catch(()=>null)`: "404",
	} {
		b.value("(()=>{try{" + script + "}catch{}})()")
		heard := b.waitForComplaint()
		if !strings.Contains(heard, want) {
			t.Errorf("%s is complained of as %q, want %q", script, heard, want)
		}
	}
}
