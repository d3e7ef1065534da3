package export

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/auditlog"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// routes copies the routes that AWS does not have. One that it has is what somebody has set up there.
func (e *Export) routes(ctx context.Context) error {
	routes, err := e.From.Routes().List(ctx)
	if err != nil {
		return err
	}
	for _, r := range routes {
		o, err := copyRoute(ctx, e.To.Routes, r)
		if err != nil {
			return fmt.Errorf("copy the route of %s: %w", r.TwilioNumber.Mask(), err)
		}
		e.count(Routes, o)
	}
	return nil
}

func copyRoute(ctx context.Context, to route.Table, r route.Route) (Outcome, error) {
	found, err := to.Lookup(ctx, r.TwilioNumber)
	if err != nil {
		return 0, err
	}
	r.Version = 0
	if stored, ok := found[r.TwilioNumber]; ok {
		return sameOr(Kept, stored, r, func(s *route.Route) { s.Version = 0 })
	}
	_, err = to.Put(ctx, r)
	if errors.Is(err, route.ErrConflict) {
		return Kept, nil
	}
	return Copied, err
}

// sameOr is There if both have the same JSON, once what belongs to the store alone is taken away from the stored one.
func sameOr[T any](other Outcome, stored, wanted T, strip func(*T)) (Outcome, error) {
	strip(&stored)
	a, errA := json.Marshal(stored)
	b, errB := json.Marshal(wanted)
	if err := errors.Join(errA, errB); err != nil {
		return 0, err
	}
	if string(a) == string(b) {
		return There, nil
	}
	return other, nil
}

// copyText stores a text whose audit trail begins anew: the log there has nothing of what happened here. The record is dated now, when it
// came to be there, so that what is changed later, here or there, is newer.
func copyText(ctx context.Context, to ledger.Store, r ledger.Record, now time.Time) (Outcome, error) {
	if r.ExpiresAt > 0 && r.ExpiresAt <= now.Unix() {
		return Left, nil
	}
	wanted := func(version int64) ledger.Record {
		w := r
		w.Version, w.UpdatedAt, w.Media = version, ledger.Stamp(now), slices.Clone(r.Media)
		for i := range w.Media {
			// The copy is on this host. The relay there makes its own.
			w.Media[i].Token, w.Media[i].KeptUntil = "", time.Time{}
		}
		return w
	}
	stored, err := auditlog.Put(ctx, to, ledger.Record{}, wanted(0))
	if !errors.Is(err, ledger.ErrExists) {
		return Copied, err
	}
	isChanged := false
	_, err = auditlog.Change(ctx, to, stored, func(there ledger.Record) (ledger.Record, bool, error) {
		isChanged = there.UpdatedAt.Before(r.UpdatedAt)
		return wanted(there.Version), isChanged, nil
	})
	if err == nil && !isChanged {
		return There, nil
	}
	return Copied, err
}

// customers copies the items of the conversations' table.
type customers struct {
	to Table
	// own are the tags here, given those on AWS.
	own, given map[conversation.Tag]conversation.TagUse
	now        func() time.Time
}

type copier func(context.Context, sqlite.Item) (Outcome, error)

// copierOf says what an item is, and how it is copied; nil if it goes along with another.
func (c customers) copierOf(item sqlite.Item) (kind string, copyItem copier) {
	switch {
	case strings.HasPrefix(item.Item, conversation.PrefixConversation):
		return Customers, c.conversation
	case strings.HasPrefix(item.Item, conversation.PrefixPhone):
		return Phones, c.phone
	case strings.HasPrefix(item.Item, conversation.PrefixAction):
		return Actions, c.action
	default:
		return "", nil
	}
}

// conversation copies what is kept of a customer, with his tag if it is still his: a new tag for him could be one that a phone knows as
// another's.
func (c customers) conversation(ctx context.Context, item sqlite.Item) (Outcome, error) {
	var wanted conversation.Conversation
	if err := item.Decode(&wanted); err != nil {
		return 0, err
	}
	stored, err := c.to.Get(ctx, wanted.TwilioNumber, wanted.Customer)
	if err != nil || stored.Version > 0 && !stored.UpdatedAt.Before(wanted.UpdatedAt) {
		return There, err
	}
	use, isHis := c.own[wanted.Tag]
	if !isHis || use.Version != wanted.TagVersion || use.Number != wanted.TwilioNumber || !sms.Same(use.Customer, wanted.Customer) {
		// He is given another one with his next text.
		wanted.TagVersion = 0
		_, err = auditlog.PutConversation(ctx, c.to, stored, wanted, c.now())
		return Copied, err
	}
	use.Version = c.given[wanted.Tag].Version
	wanted.TagVersion = use.Version + 1
	_, err = auditlog.PutTag(ctx, c.to, stored, wanted, use, c.now())
	return Copied, err
}

func (c customers) phone(ctx context.Context, item sqlite.Item) (Outcome, error) {
	var wanted conversation.Phone
	if err := item.Decode(&wanted); err != nil {
		return 0, err
	}
	stored, err := c.to.GetPhone(ctx, wanted.PhoneKey)
	if err != nil {
		return 0, err
	}
	if wanted.Version = stored.Version; stored.Version > 0 {
		if o, err := sameOr(Copied, stored, wanted, func(*conversation.Phone) {}); err != nil || o == There {
			return o, err
		}
	}
	_, err = c.to.PutPhone(ctx, wanted)
	return Copied, err
}

func (c customers) action(ctx context.Context, item sqlite.Item) (Outcome, error) {
	var a conversation.Action
	if err := item.Decode(&a); err != nil {
		return 0, err
	}
	return Copied, c.to.PutAction(ctx, a)
}

// customers reads, once, whose tags are whose, here and there. The error is ErrTags if a customer there has a tag that he was not given
// here: phones know it as his, and it may be another's here.
func (e *Export) customers(ctx context.Context) (customers, error) {
	if e.known != nil {
		return *e.known, nil
	}
	c := customers{to: e.To.Conversations, now: e.Now}
	from := e.From.Conversations()
	own, err := from.TagUses(ctx)
	if err != nil {
		return c, err
	}
	given, err := c.to.TagUses(ctx)
	if err != nil {
		return c, err
	}
	c.own, c.given = byTag(own), byTag(given)
	for _, use := range given {
		here, err := from.Get(ctx, use.Number, use.Customer)
		if err != nil {
			return c, err
		}
		there, err := c.to.Get(ctx, use.Number, use.Customer)
		if err != nil {
			return c, err
		}
		// An ID is random: who has the same came from here.
		if here.Tag != use.Tag && (here.ID == "" || here.ID != there.ID) {
			return c, ErrTags
		}
	}
	e.known = &c
	return c, nil
}

func byTag(uses []conversation.TagUse) map[conversation.Tag]conversation.TagUse {
	all := make(map[conversation.Tag]conversation.TagUse, len(uses))
	for _, use := range uses {
		all[use.Tag] = use
	}
	return all
}
