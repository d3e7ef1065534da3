package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// hasHours gives the number hours by the clocks of a place: Bo works on weekdays.
func (s *stage) hasHours() {
	s.Helper()
	s.edit(func(r route.Route) route.Route {
		r.TimeZone, r.Schedule = "America/Los_Angeles", []route.Shift{{Days: "Mon-Fri", From: "07:00", To: "18:00", Phones: []string{"Bo"}}}
		r.VerifyPhones = new(false)
		return r
	})
}

// way is the number's route as it is stored.
func (s *stage) way() route.Route {
	s.Helper()
	found, err := s.relay.Routes.Lookup(s.Context(), business)
	if err != nil {
		s.Fatal(err)
	}
	return found[business]
}

// edit has somebody else change the route.
func (s *stage) edit(change func(route.Route) route.Route) {
	s.Helper()
	r := change(s.way())
	r.UpdatedBy = "kim"
	if _, err := s.relay.Routes.Put(s.Context(), r); err != nil {
		s.Fatal(err)
	}
}

const dutyPage = "/console/duty"

// change sends a form of the duty, as the page has it, and then some fields.
func (b *browser) change(path string, fields ...string) *httptest.ResponseRecorder {
	b.Helper()
	form := url.Values{"number": {string(business)}, "form": {b.form()}, "version": {version(b.do(http.MethodGet, dutyPage, nil))}}
	for i := 0; i < len(fields); i += 2 {
		if fields[i] == "version" {
			form.Del("version")
		}
		form.Add(fields[i], fields[i+1])
	}
	return b.do(http.MethodPost, dutyPage+"/"+path, form)
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// fieldsOf are the hidden fields of the last form of a page.
func fieldsOf(page *httptest.ResponseRecorder) url.Values {
	forms, fields := strings.Split(page.Body.String(), "<form "), url.Values{}
	for _, found := range hidden.FindAllStringSubmatch(forms[len(forms)-1], -1) {
		fields.Add(found[1], strings.NewReplacer("&#34;", `"`, "&#43;", "+", "&amp;", "&").Replace(found[2]))
	}
	return fields
}

func version(page *httptest.ResponseRecorder) string {
	found := regexp.MustCompile(`version (\d+)`).FindStringSubmatch(page.Body.String())
	if found == nil {
		return ""
	}
	return found[1]
}

// confirm puts in force what a page proposes.
func (b *browser) confirm(path string, proposed *httptest.ResponseRecorder) *httptest.ResponseRecorder {
	b.Helper()
	b.want(proposed, http.StatusOK, "Put it in force", "Leave it as it is")
	return b.do(http.MethodPost, dutyPage+"/"+path, fieldsOf(proposed))
}

// TestWhoIsOnDuty: the page says who is on duty now, draws the week, says it in a table and in each strip, and shows what is wrong.
func TestWhoIsOnDuty(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.hasHours()
	b := s.as(signin.Viewer)
	page := b.do(http.MethodGet, dutyPage, nil)
	b.want(page, http.StatusOK, "<strong>Bo</strong> until Mon 30 Nov 18:00", "America/Los_Angeles", "by kim", "nobody is on duty Mon 18:00",
		`aria-label="Bo: Mon 12:00 to Mon 18:00; Mon 18:00 to Tue 07:00 (nobody is on duty); Tue 07:00 to Tue 18:00;`,
		`<line class="now" x1="720" x2="720"`, `<rect class="on" x="720" y="4" width="360"`, "<td>Nobody: texts go to +16195550123, Bo</td>",
		`aria-current="page">Who is on duty?`, "You may see this, and not change it")
	if strings.Contains(page.Body.String(), `method="post" action="/console/duty`) {
		t.Error("a viewer is shown a form that changes something")
	}
	later := b.do(http.MethodGet, dutyPage+"?from=2026-12-07", nil)
	if b.want(later, http.StatusOK, "<span>Mon 7</span>", "The week before"); strings.Contains(later.Body.String(), `class="now"`) {
		t.Error("another week has a line for now")
	}
	b.want(b.do(http.MethodGet, dutyPage+"?number=%2B18585550199", nil), http.StatusNotFound, "has no route")
}

// TestDaysWithoutAnHour: where the clocks change, the days of the picture begin when they do.
func TestDaysWithoutAnHour(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.hasHours()
	s.now = time.Date(2026, 10, 31, 20, 0, 0, 0, time.UTC) // the clocks go back on Sunday
	b := s.as(signin.Viewer)
	// The week has 169 hours, the second day begins after 24 of them, the third after 49.
	b.want(b.do(http.MethodGet, dutyPage, nil), http.StatusOK, `<line class="day" x1="1431"`, `<line class="day" x1="2922"`)
}

// TestWhereWouldItGo: the sender's own code says where a text would go.
func TestWhereWouldItGo(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.hasHours()
	b := s.as(signin.Viewer)
	ask := func(at string) *httptest.ResponseRecorder {
		return b.do(http.MethodGet, dutyPage+"?"+url.Values{"customer": {string(ann)}, "at": {at}}.Encode(), nil)
	}
	b.want(ask("Sat 22:30"), http.StatusOK, "Sat 2026-12-05 22:30 (America/Los_Angeles)", "The text would go to +16195550123.",
		"If that fails, to Bo")
	b.want(ask(""), http.StatusOK, "The text would go to Bo")
	b.want(ask("soon"), http.StatusUnprocessableEntity, "is not a time", `value="soon"`)
	if s.twilio.Posts() != nil {
		t.Error("something was sent")
	}
}

// TestForATime: a dispatcher sees what would change before it does, and takes it back; the route has who did it.
func TestForATime(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.hasHours()
	b := s.as(signin.Dispatcher)
	before := s.way()
	proposed := b.change("override", "phone", string(phone), "phone", "Bo", "until", "2h")
	b.want(proposed, http.StatusOK, "For a time", "<td>nothing</td>", "+16195550123, Bo</td>", "<h2>Then</h2>")
	if s.way().Version != before.Version {
		t.Error("the route was changed before anybody confirmed it")
	}
	b.want(b.follow(b.confirm("override", proposed)), http.StatusOK, "It is in force.", "<strong>+16195550123, Bo</strong>", "Take it out")
	if r := s.way(); r.UpdatedBy != "the-dispatcher" || len(r.Overrides) != 1 ||
		!slices.Equal(r.Overrides[0].Phones, []string{string(phone), "Bo"}) {
		t.Errorf("the route is %+v", r)
	}
	b.want(b.follow(b.confirm("override/remove", b.change("override/remove", "override", "1"))), http.StatusOK, "It is in force.")
	b.want(b.follow(b.confirm("off", b.change("off", "phone", string(phone), "until", "2h"))), http.StatusOK, "on duty again")
	b.want(b.follow(b.confirm("on", b.change("on", "phone", string(phone)))), http.StatusOK, "It is in force.")
	if r := s.way(); len(r.Overrides)+len(r.Off) > 0 {
		t.Errorf("the route is %+v", r)
	}
	b.want(b.change("on", "phone", string(phone)), http.StatusOK, "It is like this already")
	b.want(b.change("override", "phone", "Bo", "until", "soon"), http.StatusUnprocessableEntity, "Until: ",
		"is not a time", `value="soon"`, `<details open>`)
	b.want(b.change("override", "until", "2h"), http.StatusUnprocessableEntity, "name who is on duty, or say closed")
}

// TestPhonesAndHours: an owner changes them, what is wrong is said next to what was written, and only an owner does.
func TestPhonesAndHours(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.hasHours()
	b := s.as(signin.Owner)
	b.want(b.do(http.MethodGet, dutyPage, nil), http.StatusOK, "Mon-Fri 07:00-18:00 Bo</textarea>")
	proposed := b.change("order", "phone", "Bo", "phone", string(phone), "phone", "")
	b.want(proposed, http.StatusOK, "First phone", "Further phones")
	b.want(b.follow(b.confirm("order", proposed)), http.StatusOK, "It is in force.")
	hours := []string{
		"schedule", "Mon-Fri 07:00-18:00 Bo\r\nSat,Sun 09:00-12:00 " + string(phone), "zone", "America/Los_Angeles",
		"zone-was", "America/Los_Angeles", "closed", "hold",
	}
	proposed = b.change("hours", hours...)
	b.want(proposed, http.StatusOK, "Hours", "While nobody is on duty", "Sat,Sun 09:00-12:00 +16195550123", "nobody tells the customers")
	b.want(b.follow(b.confirm("hours", proposed)), http.StatusOK, "It is in force.")
	if r := s.way(); r.DestinationCarrier != bos || len(r.FallbackCarriers) != 1 || len(r.Schedule) != 2 || r.Closed != route.ClosedHold ||
		r.UpdatedBy != "the-owner" || r.TimeZone != "America/Los_Angeles" {
		t.Errorf("the route is %+v", r)
	}
	hours[1] = "Mon-Fri Bo"
	b.want(b.change("hours", hours...), http.StatusUnprocessableEntity, "Line 1", "Mon-Fri Bo</textarea>")
	hours[1] = "Montag 07:00-18:00 Bo"
	b.want(b.change("hours", hours...), http.StatusUnprocessableEntity, "is not a list of days", "Montag 07:00-18:00 Bo</textarea>")
	dispatcher, viewer, stranger := s.as(signin.Dispatcher), s.as(signin.Viewer), s.browser()
	after := s.way()
	for _, path := range []string{"override", "override/remove", "off", "on", "order", "hours"} {
		fields := []string{"phone", "Bo", "until", "2h", "override", "1", "sure", "yes"}
		if path == "order" || path == "hours" {
			dispatcher.want(dispatcher.change(path, fields...), http.StatusForbidden, "A dispatcher may not do this")
		}
		viewer.want(viewer.change(path, fields...), http.StatusForbidden, "A viewer may not do this")
		stranger.want(stranger.do(http.MethodPost, dutyPage+"/"+path, url.Values{"number": {string(business)}}), http.StatusSeeOther)
	}
	if r := s.way(); r.Version != after.Version {
		t.Errorf("the route is %+v", r)
	}
}

// TestSomebodyWasQuicker: whoever decided on an older route sees how it was, how it is now and with the own change, and puts it in force or
// not.
func TestSomebodyWasQuicker(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.hasHours()
	b := s.as(signin.Owner)
	proposed := b.change("order", "phone", "Bo", "phone", string(phone))
	s.edit(func(r route.Route) route.Route {
		r.FallbackCarriers = []sms.PhoneNumber{bos, "+16195550125"}
		return r
	})
	theirs := s.way()
	answer := b.do(http.MethodPost, dutyPage+"/order", fieldsOf(proposed))
	b.want(answer, http.StatusConflict, "kim changed the route", "Nothing of yours is in force", "When you looked", "Now (theirs)",
		"With yours",
		"<td>+16195550124</td><td>+16195550124, +16195550125</td><td>+16195550123</td>", "Put it in force")
	if s.way().Version != theirs.Version {
		t.Error("the older change is in force")
	}
	b.want(b.follow(b.do(http.MethodPost, dutyPage+"/order", fieldsOf(answer))), http.StatusOK, "It is in force.")
	if r := s.way(); r.DestinationCarrier != bos || len(r.FallbackCarriers) != 1 {
		t.Errorf("the route is %+v", r)
	}
	// What speaks against a change whoever was quicker is said on the page.
	b.want(b.change("off", "phone", "Bo", "until", "2h", "version", "1"), http.StatusConflict, "Nobody else is on duty", "2h")
}
