package cli

import (
	"context"
	"fmt"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// ListRoutes lists the routing table. Routes that cannot be read are left out, with a warning: one of them is no reason to refuse what is
// about others.
func (p Program) ListRoutes(ctx context.Context, table interface {
	List(ctx context.Context) ([]route.Route, error)
},
) ([]route.Route, error) {
	routes, unreadable, err := route.Readable(table.List(ctx))
	p.WarnOfUnreadable(unreadable)
	return routes, err
}

// OrRouted returns the numbers, or if there are none, all that have a route.
func (p Program) OrRouted(ctx context.Context, numbers []sms.PhoneNumber, table interface {
	List(ctx context.Context) ([]route.Route, error)
},
) ([]sms.PhoneNumber, error) {
	if len(numbers) > 0 {
		return numbers, nil
	}
	routes, err := p.ListRoutes(ctx, table)
	for _, r := range routes {
		numbers = append(numbers, r.TwilioNumber)
	}
	return numbers, err
}

// NoPhone is the error of a number, or a name, that is no phone of the route.
func NoPhone(r route.Route, who string) error {
	return Hinted(fmt.Errorf("%s is no phone of %s", who, string(r.TwilioNumber)), "relay phone ls "+string(r.TwilioNumber)+" lists them")
}

// NoPhoneCalled is the error of a name that no phone of the route has.
func NoPhoneCalled(r route.Route, name string) error {
	number := string(r.TwilioNumber)
	return Hinted(fmt.Errorf("no phone of %s is called %s", number, name), "relay phone ls "+number+" lists the names")
}

// WarnOfUnreadable names the routes that cannot be read.
func (p Program) WarnOfUnreadable(unreadable []route.Unreadable) {
	for _, u := range unreadable {
		Say(p.Stderr, "relay: warning: the route of %s cannot be read, and its texts wait: %v", string(u.TwilioNumber), u.Err)
	}
}
