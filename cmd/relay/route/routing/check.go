package routing

import (
	"fmt"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Severity says how bad a finding is.
type Severity string

// A problem keeps texts from where they should go. A warning may be meant so.
const (
	Problem Severity = "problem"
	Warning Severity = "warning"
)

// Finding is something about a route that someone should look at.
type Finding struct {
	Severity Severity `json:"severity"`
	// Number is the route's; empty if it could not be read.
	Number sms.PhoneNumber `json:"number,omitempty"`
	What   string          `json:"what"`
	// Hint says what to do about it.
	Hint string `json:"hint"`
}

// Check looks at all routes of a table or a file, and returns what it finds in their order. Of those out of use, only that
// they are said to be so is looked at.
func Check(routes []route.Route) []Finding {
	loops := map[sms.PhoneNumber][]sms.PhoneNumber{}
	for _, loop := range route.Loops(nil, routes...) {
		if loop.Number != loop.Hop {
			loops[loop.Number] = append(loops[loop.Number], loop.Hop)
		}
	}
	var findings []Finding
	for _, r := range routes {
		c := checked{route: r}
		if r.IsRemoved() {
			c.removed()
		} else {
			c.form()
			c.loops(loops[r.TwilioNumber])
			c.optedOut()
			c.settings()
		}
		findings = append(findings, c.findings...)
	}
	return findings
}

// checked is one route with what was found.
type checked struct {
	route    route.Route
	findings []Finding
}

func (c *checked) report(severity Severity, what, hint string) {
	c.findings = append(c.findings, Finding{Severity: severity, Number: c.route.TwilioNumber, What: what, Hint: hint})
}

// verb writes a command for the route.
func (c *checked) verb(verb, flags string) string {
	return strings.TrimSpace(fmt.Sprintf("relay route %s %s %s", verb, string(c.route.TwilioNumber), flags))
}

func (c *checked) removed() {
	if c.route.Active {
		c.report(Problem, "it is marked as removed, but it is active: its texts are sent on", c.verb("rm", "")+" or "+c.verb("on", ""))
	}
}

func (c *checked) form() {
	for _, problem := range lines(c.route.Validate()) {
		c.report(Problem, problem, c.verb("set", "with the right values"))
	}
}

func (c *checked) loops(hops []sms.PhoneNumber) {
	for _, hop := range hops {
		c.report(Problem, fmt.Sprintf("the phone %s has a route itself: texts would go round in a loop", string(hop)),
			"leave it out: "+c.verb("set", "with another --to or --fallback"))
	}
}

func (c *checked) optedOut() {
	var out []string
	for _, hop := range c.route.Hops() {
		if c.route.IsOptedOut(hop) {
			out = append(out, string(hop))
		}
	}
	hint := fmt.Sprintf("text START to %s from there, or name another phone", string(c.route.TwilioNumber))
	switch {
	case len(out) == len(c.route.Hops()):
		c.report(Problem, "every phone has opted out: nobody gets its texts", hint)
	case len(out) > 0:
		c.report(Warning, strings.Join(out, ", ")+" has opted out and is skipped", hint)
	}
}

func (c *checked) settings() {
	r := c.route
	if !r.Active {
		c.report(Warning, "it is inactive: its texts are dropped", c.verb("on", ""))
	}
	if len(r.FallbackCarriers) == 0 {
		c.report(Warning, "there is no fallback: if the phone cannot be reached, nobody is", c.verb("set", "--fallback PHONE"))
	} else if timeout := time.Duration(r.DeliveryTimeout); timeout >= r.TextAge() {
		c.report(Warning, fmt.Sprintf("DeliveryTimeout %v is not shorter than MaxAge %v: a text would be too old before the fallback is tried",
			r.DeliveryTimeout, route.Duration(r.TextAge())), c.verb("set", "--delivery-timeout 90s"))
	}
}

// Unreadable returns the findings that a maintenance.json which cannot be read comes to.
func Unreadable(err error) []Finding {
	var findings []Finding
	for _, problem := range lines(err) {
		findings = append(findings, Finding{Severity: Problem, What: problem, Hint: "correct the file: relay route export prints a valid one"})
	}
	return findings
}

// lines takes joined errors apart.
func lines(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}
