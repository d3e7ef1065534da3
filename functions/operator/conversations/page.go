package conversations

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Only is a choice among those who wait.
type Only string

// The choices. Empty is all.
const (
	OnlyUnanswered Only = "unanswered"
	OnlyFree       Only = "free"
	OnlyHeld       Only = "held"
)

// Onlys lists the choices, the first is no choice.
func Onlys() []Only { return []Only{"", OnlyUnanswered, OnlyFree, OnlyHeld} }

// IsKnown reports whether there is such a choice.
func (o Only) IsKnown() bool { return slices.Contains(Onlys(), o) }

// Takes reports whether somebody who waits is among the choice.
func (o Only) Takes(c Shown) bool {
	switch o {
	case OnlyUnanswered:
		return c.IsUnanswered()
	case OnlyFree:
		return c.ClaimedBy() == ""
	case OnlyHeld:
		return c.Held != nil
	default:
		return true
	}
}

// CursorOf says where somebody is in the order of [Urgency].
func CursorOf(c Shown) string {
	return fmt.Sprintf("%t_%d_%s_%s", c.IsUnanswered(), c.Since().UnixNano(), string(c.TwilioNumber), string(c.Customer))
}

// PlaceOf reads a cursor: somebody who is in that place, and nothing else. ok is false for what is no cursor.
func PlaceOf(cursor string) (c Shown, ok bool) {
	parts := strings.Split(cursor, "_")
	if len(parts) != 4 {
		return c, false
	}
	unanswered, flagErr := strconv.ParseBool(parts[0])
	nanos, timeErr := strconv.ParseInt(parts[1], 10, 64)
	if flagErr != nil || timeErr != nil {
		return c, false
	}
	c = Shown{TwilioNumber: sms.PhoneNumber(parts[2]), Customer: sms.PhoneNumber(parts[3])}
	c.Waiting = &Waiting{Since: time.Unix(0, nanos), Unanswered: unanswered}
	return c, true
}

// PageOf returns the first of those who wait that are wanted and come after a cursor, at most limit, and the cursor of those that follow,
// empty if there are none. All are in the order of [Urgency]; what is no cursor begins with the first.
func PageOf(all []Shown, isWanted func(Shown) bool, after string, limit int) (page []Shown, next string) {
	place, isLater := PlaceOf(after)
	page = []Shown{}
	for _, c := range all {
		switch {
		case !isWanted(c), isLater && Urgency(c, place) <= 0:
		case len(page) == limit:
			return page, CursorOf(page[limit-1])
		default:
			page = append(page, c)
		}
	}
	return page, ""
}
