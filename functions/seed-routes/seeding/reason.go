package seeding

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// The bounds of a reason: CloudFormation reads 4096 bytes of an answer, and shows less of it.
const (
	maxLine   = 240
	maxReason = 2000
)

// digits finds everything that may be a telephone number, however it is written. noNumber is what it also finds: dates, names
// of AWS resources, and the example number in messages, which belongs to nobody.
var (
	digits   = regexp.MustCompile(`(?:s3://|arn:)\S+|such as \+18585550100|\+?[0-9](?:[ ()./-]*[0-9]){7,}`)
	noNumber = regexp.MustCompile(`^(?:s3:|arn:|such as|[0-9]{4}-[0-9]{2}-[0-9]{2}$)`)
)

// reason tells people what is wrong, a line for each problem: the first several, and how many more there are. Numbers are
// masked; the places of their routes are shown.
func reason(failure error) string {
	lines := strings.Split(failure.Error(), "\n")
	var text strings.Builder
	for i, line := range lines {
		line = bounded(masked(line))
		if text.Len()+len(line) > maxReason {
			fmt.Fprintf(&text, "\nand %d more", len(lines)-i)
			break
		}
		if i > 0 {
			text.WriteByte('\n')
		}
		text.WriteString(line)
	}
	return text.String()
}

func masked(line string) string {
	return digits.ReplaceAllStringFunc(line, func(found string) string {
		if noNumber.MatchString(found) {
			return found
		}
		return sms.PhoneNumber(found).Mask()
	})
}

// bounded cuts a long line between two characters.
func bounded(line string) string {
	if len(line) <= maxLine {
		return line
	}
	end := maxLine
	for end > 0 && !utf8.RuneStart(line[end]) {
		end--
	}
	return line[:end] + "…"
}
