package routing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Severity says how bad a finding is.
type Severity string

// A problem stops texts. A warning may be on purpose.
const (
	Problem Severity = "problem"
	Warning Severity = "warning"
)

// Finding is something about a route that someone should check.
type Finding struct {
	Severity Severity `json:"severity"`
	// Number is the route's Twilio number; empty if it could not be read.
	Number sms.PhoneNumber `json:"number,omitempty"`
	What   string          `json:"what"`
	// Hint says what to do about it.
	Hint string `json:"hint"`
}

// Check checks all routes of a table or a file, and returns the findings in the order of the routes. For removed and inactive routes
// it only checks that they are marked correctly.
func Check(routes []route.Route) []Finding {
	loops := map[sms.PhoneNumber][]route.Loop{}
	for _, loop := range route.Loops(nil, routes...) {
		// What a route has twice by itself is found by its form.
		if loop.Number != loop.Owner {
			loops[loop.Number] = append(loops[loop.Number], loop)
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
			c.unverified()
			c.settings()
			c.duty()
			c.hold()
			c.autoAnswer()
		}
		findings = append(findings, c.findings...)
	}
	return findings
}

// checked is one route with its findings.
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

func (c *checked) loops(loops []route.Loop) {
	for _, loop := range loops {
		flags := "with another --to or --fallback"
		if loop.Thread != "" {
			flags = "with other --thread, or --no-threads"
		}
		c.report(Problem, loop.Problem(whole), "leave it out: "+c.verb("set", flags))
	}
}

// whole writes a number as it is.
func whole(number sms.PhoneNumber) string { return string(number) }

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

// unverified finds phones that get no texts because they have yet to be verified.
func (c *checked) unverified() {
	var out []string
	for _, v := range c.route.Verifications {
		if v.VerifiedAt.IsZero() {
			out = append(out, string(v.Phone))
		}
	}
	hint := "relay phone verify " + string(c.route.TwilioNumber) + " PHONE texts a code to it"
	switch {
	case len(out) > 0 && !slices.ContainsFunc(c.route.Receivers(), func(phone sms.PhoneNumber) bool { return !c.route.IsUnverified(phone) }):
		c.report(Problem, "no phone is verified: its texts wait", hint)
	case len(out) > 0:
		c.report(Warning, strings.Join(out, ", ")+" is not verified and is skipped", hint)
	}
}

func (c *checked) settings() {
	r := c.route
	if !r.Active {
		c.report(Warning, "it is inactive: its texts are dropped", c.verb("on", ""))
	}
	if 3*time.Duration(r.AnswerTimeout) > r.TextAge() {
		c.report(Problem, fmt.Sprintf("AnswerTimeout %v: three of it are longer than MaxAge %v, so a text would be too old for its last stage",
			r.AnswerTimeout, route.Duration(r.TextAge())), c.verb("set", "--answer-timeout "+(r.TextAge()/3).Truncate(time.Minute).String()))
	}
	if hold := r.HoldAge(); hold >= r.TextAge() {
		c.report(Warning, fmt.Sprintf("HoldTime %v is not shorter than MaxAge %v: an answer would be too old when the phone says whom it is for",
			route.Duration(hold), route.Duration(r.TextAge())), c.verb("set", "--hold-time 5m"))
	}
	if r.Ring == route.RingAll && r.DeliveryTimeout > 0 && r.AnswerTimeout == 0 {
		c.report(Warning, "DeliveryTimeout does not count for a text that goes to all phones at the same time: nobody else gets it when none "+
			"is reached", c.verb("set", "--answer-timeout 15m"))
	}
	if len(r.FallbackCarriers) == 0 {
		c.report(Warning, "there is no fallback: if the phone cannot be reached, nobody is", c.verb("set", "--fallback PHONE"))
	} else if timeout := time.Duration(r.DeliveryTimeout); timeout >= r.TextAge() {
		c.report(Warning, fmt.Sprintf("DeliveryTimeout %v is not shorter than MaxAge %v: a text would be too old before the fallback is tried",
			r.DeliveryTimeout, route.Duration(r.TextAge())), c.verb("set", "--delivery-timeout 90s"))
	}
}

// Unreadable returns the findings for a maintenance.json that cannot be read.
func Unreadable(err error) []Finding {
	var findings []Finding
	for _, problem := range lines(err) {
		findings = append(findings, Finding{Severity: Problem, What: problem, Hint: "correct the file: relay route export prints a valid one"})
	}
	return findings
}

// lines splits joined errors.
func lines(err error) []string {
	if err == nil {
		return nil
	}
	return strings.Split(err.Error(), "\n")
}
