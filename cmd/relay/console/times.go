package console

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/zone"
)

// timesCookie is how a browser wants times written: [times.cookie].
const timesCookie = "relay-times"

// times say how all times of all pages are written.
type times struct {
	// IsClock: by the clock, also what was a moment ago.
	IsClock bool
	Zone    *time.Location
}

// cookie is what a browser keeps of it.
func (t times) cookie() string {
	if t.IsClock {
		return "clock." + t.Zone.String()
	}
	return "ago." + t.Zone.String()
}

// timesOf reads what a browser has kept. What cannot be read is how long ago, and UTC.
func timesOf(cookie string) times {
	style, place, _ := strings.Cut(cookie, ".")
	t := times{IsClock: style == "clock", Zone: time.UTC}
	if at, err := zone.Load(place); err == nil && place != "" {
		t.Zone = at
	}
	return t
}

type timesKey struct{}

// withTimes has a page's times written so.
func withTimes(ctx context.Context, t times) context.Context {
	return context.WithValue(ctx, timesKey{}, t)
}

func timesIn(ctx context.Context) times {
	if t, found := ctx.Value(timesKey{}).(times); found {
		return t
	}
	return times{Zone: time.UTC}
}

// when writes a time as people say it, if they want it so: how long ago it was or how long it will take, and from a day on by the clock.
func when(ctx context.Context, at, now time.Time) string {
	d := now.Sub(at)
	switch {
	case d >= 24*time.Hour || d <= -24*time.Hour || timesIn(ctx).IsClock:
		return exactly(ctx, at)
	case d >= 0:
		return spoken(d) + " ago"
	default:
		return "in " + spoken(-d)
	}
}

// exactly writes a time by the clocks of the place that people want.
func exactly(ctx context.Context, at time.Time) string {
	return at.In(timesIn(ctx).Zone).Format("2006-01-02 15:04 MST")
}

// toTheSecond writes when something happened among other things that happened soon after another.
func toTheSecond(ctx context.Context, at time.Time) string {
	return at.In(timesIn(ctx).Zone).Format("2006-01-02 15:04:05 MST")
}

// spoken writes a duration in its largest unit.
func spoken(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	default:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
}

// timesForm is the page on which people say how they want times written.
type timesForm struct {
	times
	// Zones are UTC and those of the routes; Other is one that is none of them.
	Zones          []string
	Other, Refused string
	Now            time.Time
}

func (c *Console) timesPages() map[string]page {
	return map[string]page{"GET " + pathTimes: {signin.Viewer, c.showTimes}, "POST " + pathTimes: {signin.Viewer, c.setTimes}}
}

func (c *Console) showTimes(v *visit) error {
	return c.askTimes(v, http.StatusOK, timesForm{times: timesIn(v.R.Context())})
}

func (c *Console) askTimes(v *visit, status int, f timesForm) error {
	routes, _, err := route.Readable(c.Relay.Routes.List(v.R.Context()))
	if err != nil {
		return err
	}
	f.Zones, f.Now = []string{time.UTC.String()}, c.Now()
	for _, r := range routes {
		if r.TimeZone != "" && !slices.Contains(f.Zones, r.TimeZone) {
			f.Zones = append(f.Zones, r.TimeZone)
		}
	}
	if name := f.Zone.String(); f.Other == "" && !slices.Contains(f.Zones, name) {
		f.Other = name
	}
	return v.Show(status, timesPage(v.frame("Times"), f))
}

// setTimes has the browser keep how all times are written.
func (c *Console) setTimes(v *visit) error {
	form := v.R.PostForm
	name := cmp.Or(strings.TrimSpace(form.Get("other")), form.Get("zone"), time.UTC.String())
	wanted := times{IsClock: form.Get("style") == "clock", Zone: time.UTC}
	at, err := zone.Load(name)
	if err != nil {
		return c.askTimes(v, http.StatusUnprocessableEntity, timesForm{
			times: wanted, Other: name, Refused: "There is no time zone " + name + ". One is called America/Los_Angeles, for instance.",
		})
	}
	wanted.Zone = at
	v.keep(timesCookie, wanted.cookie())
	v.GoTo(Path)
	return nil
}
