package conversation

import (
	"cmp"
	"errors"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	// tagRest is how long a tag is not used before it is given to another customer, and shortTagRest how long under pressure. Both
	// are longer than [AddressTime]: nobody can address the customer of before.
	tagRest      = 30 * 24 * time.Hour
	shortTagRest = 7*24*time.Hour + 2*tagUseAge
	// tagUseAge is how old the noted use of a tag may become before the next text notes it again.
	tagUseAge = 12 * time.Hour
	// pressure is how many digits, without the check digit, tags may have before rests become shorter: 26,400 tags are in use then.
	pressure = 3
)

// TagUse says whose a tag is: the item "t#<tag>". The names are the table's attribute names.
type TagUse struct {
	Tag Tag
	// Number and Customer are the conversation that has the tag.
	Number   sms.PhoneNumber
	Customer sms.PhoneNumber
	// UsedAt is when it was last used, give or take tagUseAge.
	UsedAt time.Time
	// Version counts the writes, from 1; 0 means that it is not stored yet.
	Version int64
}

// ErrNoTag means that all tags are in use.
var ErrNoTag = errors.New("no tag is free")

// NeedsTag reports whether the customer has to be given a tag, or its use has to be noted, before a text to a phone has the tag. Only
// customers with a telephone number get one: nobody can answer the others.
func (c Conversation) NeedsTag(now time.Time) bool {
	return c.CanHaveTag() && (c.Tag == "" || now.Sub(c.TagUsedAt).Abs() > tagUseAge)
}

// CanHaveTag reports whether the customer is somebody who can be answered.
func (c Conversation) CanHaveTag() bool {
	problem, _ := c.Customer.Problem()
	return problem == ""
}

// KeptTag returns the use of the customer's own tag, as it was when the customer was given it or it was last noted. If somebody else
// was given it since, the store has another version of it.
func (c Conversation) KeptTag() TagUse {
	return TagUse{Tag: c.Tag, Number: c.TwilioNumber, Customer: c.Customer, UsedAt: c.TagUsedAt, Version: c.TagVersion}
}

// Take returns the customer with the tag of use, and its use now, for [Store.PutTag].
func (c Conversation) Take(use TagUse, now time.Time) (Conversation, TagUse) {
	at := now.UTC().Truncate(time.Millisecond)
	use.Number, use.Customer, use.UsedAt = c.TwilioNumber, c.Customer, at
	c.Tag, c.TagUsedAt, c.TagVersion = use.Tag, at, use.Version+1
	return c, use
}

// ChooseTag returns the tag for a customer who has none: one that was never given out, the shortest first, or else the one that was
// not used for the longest time. isShort is set if it rested for less than 30 days, because all others are in use. The error is
// ErrNoTag if there is none.
func ChooseTag(uses []TagUse, now time.Time) (chosen TagUse, isShort bool, err error) {
	used := make(map[Tag]bool, len(uses))
	for _, use := range uses {
		used[use.Tag] = true
	}
	for digits := 1; digits <= MaxTagDigits; digits++ {
		for tag := range Tags(digits) {
			if !used[tag] {
				return TagUse{Tag: tag}, false, nil
			}
		}
		// Longer tags are for when those of this length are all in use.
		ofLength := func(use TagUse) bool { return len(use.Tag) == digits+2 }
		if use, found := longestUnused(uses, ofLength); found && now.Sub(use.UsedAt) >= tagRest {
			return use, false, nil
		}
		if digits < pressure {
			continue
		}
		if use, found := longestUnused(uses, func(TagUse) bool { return true }); found && now.Sub(use.UsedAt) >= shortTagRest {
			return use, true, nil
		}
	}
	return TagUse{}, false, ErrNoTag
}

// longestUnused returns, of those that may be it, the tag that was not used for the longest time, and of several the first.
func longestUnused(uses []TagUse, mayBe func(TagUse) bool) (oldest TagUse, found bool) {
	for _, use := range uses {
		if mayBe(use) && (!found || cmp.Or(use.UsedAt.Compare(oldest.UsedAt), cmp.Compare(use.Tag, oldest.Tag)) < 0) {
			oldest, found = use, true
		}
	}
	return oldest, found
}
