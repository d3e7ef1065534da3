package sqlite

import (
	"time"
	"unicode/utf8"

	"quickdumpnow.com/smsrelay/shared/queue"
)

// The bounds of SQS. They are kept here, too, so that what works on one host works on AWS.
const (
	maxMessageBytes  = 1 << 20
	maxAttributes    = 10
	maxAttributeName = 256
	maxIDLength      = 128
	maxDelay         = 15 * time.Minute
	maxReceive       = 10
	maxVisibility    = 12 * time.Hour
)

// check returns a permanent fault if SQS would refuse the message.
func (q *Queue) check(m queue.Outgoing) error {
	switch {
	case m.Body == "":
		return permanent("message without a body")
	case !isXMLText(m.Body):
		return permanent("body holds a character that XML 1.0 does not have")
	case q.config.Standard && m.DeduplicationID != "":
		return permanent("deduplication id on a queue without order")
	case q.config.Standard && m.Group != "" && !isID(m.Group):
		return permanent("malformed group")
	case !q.config.Standard && (!isID(m.Group) || !isID(m.DeduplicationID)):
		return permanent("missing or malformed group or deduplication id")
	case !q.config.Standard && m.Delay != 0:
		return permanent("delay on a queue in order")
	case m.Delay < 0 || m.Delay > maxDelay:
		return permanent("delay is not between 0 and 15 minutes")
	}
	return checkAttributes(m)
}

// checkAttributes checks the attributes and the size of the whole message.
func checkAttributes(m queue.Outgoing) error {
	if len(m.Attributes) > maxAttributes {
		return permanent("more than ten attributes")
	}
	size := len(m.Body)
	for name, value := range m.Attributes {
		if !isAttributeName(name) || value == "" || !isXMLText(value) {
			return permanent("malformed attribute")
		}
		size += len(name) + len("String") + len(value)
	}
	if size > maxMessageBytes {
		return permanent("message is longer than 1 MiB")
	}
	return nil
}

// isXMLText reports whether text is UTF-8 in which every character is one of XML 1.0.
func isXMLText(text string) bool {
	for _, r := range text {
		switch {
		case r == '\t', r == '\n', r == '\r', r >= 0x20 && r <= 0xD7FF, r >= 0xE000 && r < 0xFFFE, r >= 0x10000:
		default:
			return false
		}
	}
	return utf8.ValidString(text)
}

// isID reports whether id may be a MessageGroupId or a MessageDeduplicationId: up to 128 letters, digits and
// punctuation marks of ASCII.
func isID(id string) bool {
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}
	return id != "" && len(id) <= maxIDLength
}

// isAttributeName reports whether name is made of letters, digits, hyphens, underscores and full stops.
func isAttributeName(name string) bool {
	for i := range len(name) {
		c := name[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return name != "" && len(name) <= maxAttributeName
}

// checkVisibility checks that a visibility timeout is within its bounds.
func checkVisibility(timeout time.Duration) error {
	if timeout < 0 || timeout > maxVisibility {
		return permanent("visibility timeout is not between 0 and 12 hours")
	}
	return nil
}
