package simulation_test

import (
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// talk is what went back and forth between a phone and one number of the business.
type talk struct {
	wrote []*writing
	// means is whom the last text was for. newSince is set if something of another customer came since then.
	means    sms.PhoneNumber
	wroteAt  time.Time
	newSince bool
	// asked is what the newest question that was read is about.
	asked   *writing
	askedAt time.Time
}

// at returns the talk with that number.
func (p *person) at(number sms.PhoneNumber) *talk {
	if p.talks == nil {
		p.talks = map[sms.PhoneNumber]*talk{}
	}
	if p.talks[number] == nil {
		p.talks[number] = &talk{}
	}
	return p.talks[number]
}

// needsTag reports whether nobody could know whom a text without a tag is for, by what is assumed.
func (p *person) needsTag(to, via sms.PhoneNumber) bool {
	now, t := time.Now(), p.at(via)
	if t.means != "" && t.means != to && !t.newSince && now.Sub(t.wroteAt) <= bubbleTime {
		return true
	}
	if via != twilioNumber {
		return p.isGone(to, via)
	}
	isIn := func(a arrived) bool { return a.from == to && a.via == via && now.Sub(a.at) < inPlayTime }
	wroteTo := func(w *writing) bool { return w.meant == to && now.Sub(w.at) < inPlayTime }
	return !slices.ContainsFunc(p.inbox, isIn) && !slices.ContainsFunc(t.wrote, wroteTo)
}

// isGone reports whether the thread is another customer's since almost a day, as the phone shows it, or was never his.
func (p *person) isGone(customer, via sms.PhoneNumber) bool {
	isGone, since := true, time.Time{}
	for _, a := range p.inbox {
		switch {
		case a.via != via:
		case a.from == customer:
			isGone = false
		case !isGone:
			isGone, since = true, a.at
		}
	}
	return isGone && time.Since(since) >= inPlayTime-time.Hour
}
