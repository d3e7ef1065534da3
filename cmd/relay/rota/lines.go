package rota

import (
	"fmt"
	"regexp"
	"strings"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/route"
)

// shiftLine is a shift as [route.Shift.String] writes it.
var shiftLine = regexp.MustCompile(`^(\S.*?)\s+(\d{1,2}:\d{2})\s*[-–]\s*(\d{1,2}:\d{2})\s+(\S.*)$`)

// Lines writes a schedule as people edit it, one shift a line: "Mon-Fri 07:00-18:00 Ann, Bo".
func Lines(schedule []operations.Shift) string {
	lines := make([]string, len(schedule))
	for i, s := range schedule {
		lines[i] = route.Shift(s).String()
	}
	return strings.Join(lines, "\n")
}

// ReadLines reads what [Lines] writes. Whether days, times and phones are right is found when the schedule is stored. The error says which
// line is not as it should be.
func ReadLines(text string) ([]operations.Shift, error) {
	schedule := []operations.Shift{}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		found := shiftLine.FindStringSubmatch(line)
		if found == nil {
			return nil, fmt.Errorf("line %d, %q, is not days, times and phones, such as Mon-Fri 07:00-18:00 Ann, Bo", i+1, line)
		}
		s := operations.Shift{Days: found[1], From: padded(found[2]), To: padded(found[3])}
		for who := range strings.SplitSeq(found[4], ",") {
			if who = strings.TrimSpace(who); who != "" {
				s.Phones = append(s.Phones, who)
			}
		}
		schedule = append(schedule, s)
	}
	return schedule, nil
}

// padded writes 7:30 as 07:30.
func padded(clock string) string {
	if len(clock) == len("7:30") {
		return "0" + clock
	}
	return clock
}
