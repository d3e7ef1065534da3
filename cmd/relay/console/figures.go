package console

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/figures"
	"quickdumpnow.com/smsrelay/cmd/relay/routing"
	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/shared/duration"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

const pathFigures = Path + "/figures"

// going is the page of what went through a number.
type going struct {
	figures.Figures

	Number         sms.PhoneNumber
	Numbers, Kinds []place
	Title          string
	// Before and After are the periods before and after; After is empty if that has not begun.
	Before, After string
	Charts        []chart
	Zone          string
}

// chart is a picture of one number for each part of the period.
type chart struct {
	Title string
	// Words say what the picture shows; the table has all of it.
	Words string
	// Heights are of 100.
	Heights []int
	// First and Last name the first and the last part.
	First, Last string
}

// figuresPages is the page of the figures.
func (c *Console) figuresPages() map[string]page {
	return map[string]page{"GET " + pathFigures: {signin.Viewer, c.showFigures}}
}

func figuresPath(number sms.PhoneNumber, kind figures.Kind, at time.Time) string {
	return pathFigures + "?" + url.Values{"number": {string(number)}, "over": {string(kind)}, "at": {at.Format(time.DateOnly)}}.Encode()
}

// showFigures shows how it went in a day, a week or a month.
func (c *Console) showFigures(v *visit) error {
	ctx, asked := v.R.Context(), v.R.URL.Query()
	routes, _, err := route.Readable(c.Relay.Routes.List(ctx))
	if err != nil {
		return err
	}
	all := routing.Visible(routes)
	slices.SortFunc(all, func(a, b route.Route) int { return cmp.Compare(a.TwilioNumber, b.TwilioNumber) })
	if len(all) == 0 {
		return v.Show(http.StatusOK, noDutyPage(v.frame("How is it going?")))
	}
	i := max(0, slices.IndexFunc(all, func(r route.Route) bool { return string(r.TwilioNumber) == asked.Get("number") }))
	way := all[i]
	zone, err := way.Place()
	if err != nil {
		return err
	}
	now := c.Now().In(zone)
	at, err := time.ParseInLocation(time.DateOnly, asked.Get("at"), zone)
	if err != nil || at.After(now) {
		at = now
	}
	p := figures.PeriodOf(figures.Kind(asked.Get("over")), at)
	found, err := c.figures.Of(ctx, way, p)
	if err != nil {
		return err
	}
	d := going{
		Figures: found, Number: way.TwilioNumber, Zone: zone.String(), Title: titleOf(p),
		Before: figuresPath(way.TwilioNumber, p.Kind, p.From.AddDate(0, 0, -1)),
	}
	if !p.To.After(now) {
		d.After = figuresPath(way.TwilioNumber, p.Kind, p.To)
	}
	for _, r := range all {
		if len(all) > 1 {
			d.Numbers = append(d.Numbers, place{string(r.TwilioNumber), figuresPath(r.TwilioNumber, p.Kind, at), r.TwilioNumber == way.TwilioNumber})
		}
	}
	for _, kind := range []figures.Kind{figures.Day, figures.Week, figures.Month} {
		label := map[figures.Kind]string{figures.Day: "Day", figures.Week: "Week", figures.Month: "Month"}[kind]
		d.Kinds = append(d.Kinds, place{label, figuresPath(way.TwilioNumber, kind, at), kind == p.Kind})
	}
	d.draw()
	return v.Show(http.StatusOK, figuresPage(v.frame("How is it going?"), d))
}

// titleOf names a period.
func titleOf(p figures.Period) string {
	switch p.Kind {
	case figures.Day:
		return p.From.Format("Monday 2 January 2006")
	case figures.Month:
		return p.From.Format("January 2006")
	case figures.Week:
		fallthrough
	default:
		return p.From.Format("Monday 2 January") + " to " + p.To.AddDate(0, 0, -1).Format("Monday 2 January 2006")
	}
}

// partForm is how a part of the period is named.
func (d going) partForm() string {
	if d.Period.Kind == figures.Day {
		return "15:04"
	}
	return "Mon 2 Jan"
}

// draw makes the charts.
func (d *going) draw() {
	d.add("Texts of customers", func(p figures.Part) (float64, string) { return float64(p.Texts), fmt.Sprint(p.Texts) })
	d.add("Answers", func(p figures.Part) (float64, string) { return float64(p.Answers), fmt.Sprint(p.Answers) })
	d.add("Half of them answered within", func(p figures.Part) (float64, string) {
		median, _ := p.Answer.Quantile(0.5)
		return median.Seconds(), quantile(p.Answer, 0.5)
	})
	d.add("Cost at list price", func(p figures.Part) (float64, string) { return price(p), dollars(p) })
}

// add makes a chart of a value that each part has, with its words. A chart of nothing is left out.
func (d *going) add(title string, of func(figures.Part) (value float64, words string)) {
	most, at := 0.0, 0
	for i, p := range d.Parts {
		if value, _ := of(p); value > most {
			most, at = value, i
		}
	}
	if most == 0 {
		return
	}
	form := d.partForm()
	_, words := of(d.Parts[at])
	c := chart{
		Title: title, Words: "at most " + words + ", " + d.Parts[at].From.Format(form), First: d.Parts[0].From.Format(form),
		Last: d.Parts[len(d.Parts)-1].From.Format(form),
	}
	for _, p := range d.Parts {
		value, _ := of(p)
		height := int(value / most * 100)
		if value > 0 {
			height = max(height, 2)
		}
		c.Heights = append(c.Heights, height)
	}
	d.Charts = append(d.Charts, c)
}

// price is what the segments cost, in US dollars.
func price(p figures.Part) float64 { return float64(p.Sent+p.Received) * cli.ListPrice }

func dollars(p figures.Part) string { return fmt.Sprintf("$%.2f", price(p)) }

// quantile is the time within which that share of them was; a dash if there are none.
func quantile(t figures.Times, share float64) string {
	within, ok := t.Quantile(share)
	switch {
	case !ok:
		return "–"
	case within < time.Second:
		return "1s"
	default:
		return duration.Text(within.Round(time.Second))
	}
}

// whoGot names whom messages went to.
func whoGot(d figures.Delivery) string {
	if d.Phone == "" {
		return "Customers"
	}
	return cmp.Or(d.Name, string(d.Phone))
}

// meaningOf says what a code of Twilio's means.
func meaningOf(number int) string {
	for _, known := range twilio.Codes() {
		if known.Number == number {
			return known.Meaning
		}
	}
	return "not known to the relay"
}

// leftOut says what the cost does not have; empty if it has all.
func leftOut(p figures.Part) (words []string) {
	if p.Pictures > 0 {
		words = append(words, cli.Plural(p.Pictures, "message")+" with pictures, which have another price")
	}
	if p.Erased > 0 {
		words = append(words, cli.Plural(p.Erased, "message")+" whose words were erased")
	}
	return words
}
