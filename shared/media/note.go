package media

import (
	"fmt"
	"strconv"
	"strings"
)

// Left is an attachment that a text could not take along.
type Left struct {
	// Number counts the message's attachments from 1.
	Number int
	// ContentType and Size, in bytes, are what is known about it: "" and 0 are not known.
	ContentType string
	Size        int64
}

// Note mentions, for a phone of the business, what its text could not take along, and how to get it: "[picture image/jpeg 6.1 MB: relay
// media get MM… 2]". It is empty if nothing was left.
func Note(sid string, left []Left) string {
	switch len(left) {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("[%s: relay media get %s %d]", left[0], sid, left[0].Number)
	}
	named := make([]string, len(left))
	for i, one := range left {
		named[i] = fmt.Sprintf("%d %s", one.Number, one)
	}
	return fmt.Sprintf("[%s: relay media get %s N]", strings.Join(named, ", "), sid)
}

// BriefNote is Note where there is little room: "[3 attachments: relay media get MM… N]".
func BriefNote(sid string, left []Left) string {
	if len(left) < 2 {
		return Note(sid, left)
	}
	return fmt.Sprintf("[%d attachments: relay media get %s N]", len(left), sid)
}

// CustomerNote mentions what could not be sent to a customer, and nothing of the relay's: "[1 picture could not be sent]".
func CustomerNote(left []Left) string {
	if len(left) == 0 {
		return ""
	}
	what := kindOf(left[0].ContentType)
	for _, one := range left {
		if kindOf(one.ContentType) != what {
			what = "attachment"
		}
	}
	if len(left) > 1 {
		what += "s"
	}
	return fmt.Sprintf("[%d %s could not be sent]", len(left), what)
}

// String says what it is, by kind, type and size, as far as they are known: "picture image/jpeg 6.1 MB".
func (l Left) String() string {
	words := []string{kindOf(l.ContentType)}
	if l.ContentType != "" {
		words = append(words, l.ContentType)
	}
	if l.Size > 0 {
		words = append(words, sizeOf(l.Size))
	}
	return strings.Join(words, " ")
}

// sizeOf writes a size as people do: "512 bytes", "14 kB", "6.1 MB".
func sizeOf(bytes int64) string {
	switch {
	case bytes < 1000:
		return strconv.FormatInt(bytes, 10) + " bytes"
	case bytes < 999_500:
		return strconv.FormatInt((bytes+500)/1000, 10) + " kB"
	default:
		return strconv.FormatFloat(float64(bytes)/1e6, 'f', 1, 64) + " MB"
	}
}
