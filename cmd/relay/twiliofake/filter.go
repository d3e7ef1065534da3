package twiliofake

import (
	"net/url"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// filter is what a list request asks for.
type filter struct {
	to, from         sms.PhoneNumber
	on, until, since *span
	// createdBy hides what was created later; the zero time hides nothing.
	createdBy time.Time
}

// span is the time that a date in a filter means: a day of GMT, or a second. It begins at from and ends before to.
type span struct {
	from, to time.Time
}

func readFilter(query url.Values) (filter, *refusal) {
	wanted := filter{to: sms.PhoneNumber(query.Get("To")), from: sms.PhoneNumber(query.Get("From"))}
	for name, date := range map[string]**span{
		"DateSent": &wanted.on, "DateSent<": &wanted.until, "DateSent>": &wanted.since,
	} {
		given := query.Get(name)
		if given == "" {
			continue
		}
		parsed, ok := parseSpan(given)
		if !ok {
			return filter{}, badRequest(codeBadParameter, "%s: %q is not a date", name, given)
		}
		*date = &parsed
	}
	return wanted, nil
}

// parseSpan reads the forms of dates that Twilio's own examples use. Those without a zone are GMT.
func parseSpan(given string) (span, bool) {
	if day, err := time.Parse(time.DateOnly, given); err == nil {
		return span{from: day, to: day.AddDate(0, 0, 1)}, true
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, time.RFC1123Z} {
		if at, err := time.Parse(layout, given); err == nil {
			at = at.UTC().Truncate(time.Second)
			return span{from: at, to: at.Add(time.Second)}, true
		}
	}
	return span{}, false
}

// matches compares as Twilio documents it: "DateSent<" is on and before, "DateSent>" on and after. A message that is
// still queued has no date_sent, so that no filter by date finds it.
func (f filter) matches(message *Message) bool {
	if (f.to != "" && message.To != f.to) || (f.from != "" && message.From != f.from) {
		return false
	}
	if !f.createdBy.IsZero() && message.DateCreated.After(f.createdBy) {
		return false
	}
	if f.on == nil && f.until == nil && f.since == nil {
		return true
	}
	sent := message.DateSent
	switch {
	case sent.IsZero():
		return false
	case f.on != nil && (sent.Before(f.on.from) || !sent.Before(f.on.to)):
		return false
	case f.until != nil && !sent.Before(f.until.to):
		return false
	case f.since != nil && sent.Before(f.since.from):
		return false
	}
	return true
}
