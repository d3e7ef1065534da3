package doctor

import (
	"context"
	"slices"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

func routeChecks() []Check {
	return []Check{
		{"routes-active", "The relay drops texts to a number without an active route, and nobody gets them.", both, routesActive},
		{"routes-valid", "A route that is not valid sends texts nowhere.", both, routesValid},
		{
			"route-loops", "A text to a phone that has a route itself would come back; the relay drops such texts as a loop. An answer to a " +
				"thread of two routes could be for the customers of either.", both, routeLoops,
		},
		{
			"opted-out", "A phone that texted STOP gets nothing until it texts START. If it is the only one, nobody does.", both,
			ofRoutes(optedOut),
		},
		{
			"unverified", "A phone that has not answered its code gets no customers' texts. If it is the only one, they wait, and end after " +
				"a day.", both, ofRoutes(unverified),
		},
		{"fallbacks", "With only one phone, a flat battery loses texts.", both, ofRoutes(fallbacks)},
	}
}

// ofRoutes makes a check of all active routes from a check of one.
func ofRoutes(check func(route.Route) Finding) func(context.Context, *exam) Finding {
	return func(_ context.Context, e *exam) Finding {
		routes, err := e.routed()
		if err != nil {
			return skipped("the routes could not be read: %v", err)
		}
		findings := make([]Finding, len(routes))
		for i, r := range routes {
			findings[i] = check(r)
		}
		if len(findings) == 0 {
			return skipped("there is no active route, see routes-active")
		}
		return together(findings)
	}
}

func routesActive(_ context.Context, e *exam) Finding {
	routes, err := e.routed()
	switch {
	case e.Routes == nil:
		return skipped(errNotOpened)
	case err != nil:
		return fail("check that the routing table exists and may be read", "the routes could not be read: %v", err)
	case len(routes) == 0 && e.Number != "":
		return fail("relay route set NUMBER --to PHONE, or relay route on NUMBER", "%s has no active route", e.Number.Mask())
	case len(routes) == 0:
		return fail("relay route set NUMBER --to PHONE, or relay serve --routes maintenance.json", "no route is active: every text is dropped")
	default:
		return ok("active routes: %d", len(routes))
	}
}

func routesValid(ctx context.Context, e *exam) Finding {
	rest := ofRoutes(routeValid)(ctx, e)
	var findings []Finding
	for _, u := range e.unreadable {
		if e.Number == "" || sms.Same(e.Number, u.TwilioNumber) {
			findings = append(findings, fail("correct the item in the routing table", "the route of %s cannot be read, and its texts wait: %v",
				u.TwilioNumber.Mask(), u.Err))
		}
	}
	if len(findings) == 0 {
		return rest
	}
	return together(append(findings, rest))
}

func routeValid(r route.Route) Finding {
	if r.Validate() != nil {
		// The finding does not quote the error, which shows numbers in full.
		return fail("relay route ls shows it; fix it with relay route set NUMBER --to PHONE", "the route of %s is not valid: a number is not "+
			"an E.164 number, cannot exist or is listed twice, or a setting is wrong", r.TwilioNumber.Mask())
	}
	if r.Version == 0 {
		return warn("write it again with relay route set, or give the item a Version of 1",
			"the route of %s was written by hand, without a Version: the relay cannot record who opts out", r.TwilioNumber.Mask())
	}
	return ok("every active route is valid")
}

func routeLoops(_ context.Context, e *exam) Finding {
	routes, err := e.routes()
	if err != nil {
		return skipped("the routes could not be read: %v", err)
	}
	var findings []Finding
	for _, loop := range route.Loops(nil, routes...) {
		fix := "give the route a phone that is not a Twilio number: relay route set NUMBER --to PHONE"
		if loop.Thread != "" {
			fix = "give each route threads of its own: relay route set NUMBER --thread ANOTHER, or --no-threads"
		}
		findings = append(findings, fail(fix, "%s", loop.Problem(sms.PhoneNumber.Mask)))
	}
	if len(findings) == 0 {
		return ok("no phone and no thread of a route belongs to another")
	}
	return together(findings)
}

func optedOut(r route.Route) Finding {
	const fix = "ask the owner of that phone to text START to the number; until then, relay route set NUMBER --to another PHONE"
	hops := r.Receivers()
	out := slices.DeleteFunc(slices.Clone(hops), func(hop phone) bool { return !r.IsOptedOut(hop) })
	switch {
	case len(out) == 0:
		return ok("no phone has opted out")
	case len(out) == len(hops):
		return fail(fix, "every phone of %s has texted STOP to it", r.TwilioNumber.Mask())
	default:
		return warn(fix, "%s of %s has texted STOP to it", out[0].Mask(), r.TwilioNumber.Mask())
	}
}

func unverified(r route.Route) Finding {
	fix := "relay phone verify NUMBER PHONE texts a code, and its person answers with it; relay phone ls shows whose is missing"
	missing := slices.DeleteFunc(r.AllPhones(), func(one phone) bool { return !r.IsUnverified(one) })
	switch {
	case len(missing) == 0:
		return ok("no phone has to be verified")
	case !slices.ContainsFunc(r.Receivers(), func(one phone) bool { return !r.IsUnverified(one) }):
		return fail(fix, "no phone of %s is verified: its texts wait", r.TwilioNumber.Mask())
	default:
		return warn(fix, "%s of %s is not verified and gets no texts", missing[0].Mask(), r.TwilioNumber.Mask())
	}
}

func fallbacks(r route.Route) Finding {
	if len(r.FallbackCarriers) == 0 {
		return warn("relay route set NUMBER --to PHONE --fallback ANOTHER", "%s has no second phone", r.TwilioNumber.Mask())
	}
	return ok("every active route has a second phone")
}
