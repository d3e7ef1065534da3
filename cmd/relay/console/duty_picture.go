package console

import (
	"fmt"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
)

// picture is a week: a strip for each phone that gets texts in it.
type picture struct {
	// Start is the midnight that it begins at, by the clocks of the route.
	Start time.Time
	Days  []string
	// Lines are where the days begin, and NowAt is where now is: -1 if it is not in this week.
	Lines []int
	NowAt int
	Lanes []lane
}

// lane is the strip of one phone, or of nobody.
type lane struct {
	Who  string
	Bars []bar
	// Words say the same as the bars.
	Words string
}

// bar is a time in a lane. Spare: nobody is on duty, and the phone gets the texts even so.
type bar struct {
	X, Width int
	Spare    bool
}

// pictureWidth is how wide a strip is, in its own units: the minutes of a week without a change of the clocks.
const pictureWidth = 7 * 24 * 60

// pictureOf draws a week. It begins at midnight, and what is before the week's first moment is left empty: who was on duty is not known.
func pictureOf(week operations.Week, now time.Time) picture {
	first := week.Spans[0].From
	p := picture{Start: time.Date(first.Year(), first.Month(), first.Day(), 0, 0, 0, 0, first.Location()), NowAt: -1}
	end := p.Start.AddDate(0, 0, 7)
	at := func(t time.Time) int {
		if t.IsZero() || t.After(end) {
			t = end
		}
		return int(int64(pictureWidth) * int64(t.Sub(p.Start)/time.Second) / int64(end.Sub(p.Start)/time.Second))
	}
	for day := range 7 {
		midnight := p.Start.AddDate(0, 0, day)
		p.Days = append(p.Days, midnight.Format("Mon 2"))
		p.Lines = append(p.Lines, at(midnight))
	}
	if !now.Before(p.Start) && now.Before(end) {
		p.NowAt = at(now)
	}
	lanes, words := map[string]int{}, map[string][]string{}
	add := func(who string, s operations.DutySpan, isSpare bool) {
		from, to := at(s.From), at(s.To)
		if from >= to {
			return
		}
		i, known := lanes[who]
		if !known {
			i = len(p.Lanes)
			lanes[who] = i
			p.Lanes = append(p.Lanes, lane{Who: who})
		}
		l := &p.Lanes[i]
		if last := len(l.Bars) - 1; last >= 0 && l.Bars[last].X+l.Bars[last].Width == from && l.Bars[last].Spare == isSpare {
			l.Bars[last].Width += to - from
		} else {
			l.Bars = append(l.Bars, bar{from, to - from, isSpare})
		}
		words[who] = append(words[who], spanWords(s, isSpare))
	}
	for _, s := range week.Spans {
		if s.Held {
			add("Nobody", s, true)
		}
		for _, phone := range s.Phones {
			add(whoOf(phone), s, !s.Open)
		}
	}
	for i := range p.Lanes {
		p.Lanes[i].Words = p.Lanes[i].Who + ": " + strings.Join(words[p.Lanes[i].Who], "; ")
	}
	return p
}

// spanWords says when a span is.
func spanWords(s operations.DutySpan, isSpare bool) string {
	const form = "Mon 15:04"
	words := "from " + s.From.Format(form) + " on"
	if !s.To.IsZero() {
		words = s.From.Format(form) + " to " + s.To.Format(form)
	}
	if isSpare {
		words += " (nobody is on duty)"
	}
	return words
}

// viewBox is the size of a strip.
func (p picture) viewBox() string { return fmt.Sprintf("0 0 %d 24", pictureWidth) }
