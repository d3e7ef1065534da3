package ledger

import (
	"slices"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// A table's item holds at most 400 kB, body and attachments included. So a record lists the attempts that still matter, and keeps
// only a summary of the others.
const (
	// maxListed is how many attempts a record lists, unless more of them may still change.
	maxListed = 100
	// maxOpenEnded is how many it lists at most: beyond it, attempts that may still change are folded too.
	maxOpenEnded = 200
	// maxErrorLength is how much of an error's words an attempt keeps, in bytes.
	maxErrorLength = 300
)

// Folded is the summary of the oldest attempts, which a record no longer lists.
type Folded struct {
	// Attempts is how many there were.
	Attempts int
	// InDoubt is true if nobody ever found out whether Twilio accepted one of them. Awaited is true if Twilio accepted one and has
	// not said that it is lost. Receipts for them change nothing.
	InDoubt bool `json:",omitempty"`
	Awaited bool `json:",omitempty"`
	// Phones says how they ended at each phone, where that still counts.
	Phones []FoldedPhone `json:",omitempty"`
}

// FoldedPhone is how the folded attempts at one phone ended.
type FoldedPhone struct {
	To sms.PhoneNumber
	// HopDone is the same as an Attempt's.
	HopDone bool `json:",omitempty"`
	// Spent counts the attempts that count towards the maximum, after the attempt Since. Since is the record's RedrivenAfter at that
	// time: after a later redrive these attempts do not count any more.
	Spent int `json:",omitempty"`
	Since int `json:",omitempty"`
}

// Made returns how many attempts the text has had, listed or folded.
func (r Record) Made() int { return r.Folded.Attempts + len(r.Attempts) }

// fold takes the oldest attempts that no longer matter off the list until it is short enough. The attempts must be r's own.
func (r Record) fold() Record {
	for len(r.Attempts) > maxListed {
		i := r.foldable(func(a Attempt) bool { return !a.Unknown() && !a.awaited() })
		if i < 0 && len(r.Attempts) > maxOpenEnded {
			i = r.foldable(func(Attempt) bool { return true })
		}
		if i < 0 {
			return r
		}
		r.Folded = r.Folded.with(r.Attempts[i], r.RedrivenAfter)
		r.Attempts = slices.Delete(r.Attempts, i, i+1)
	}
	return r
}

// foldable returns the index of the attempt to fold next, -1 for none: the oldest that has ended and may go. The last attempt stays
// on the list, and so does the last that Twilio accepted, because it says where the text is.
func (r Record) foldable(may func(Attempt) bool) int {
	accepted := 0
	for _, a := range r.Attempts {
		if a.Accepted() {
			accepted = a.Number
		}
	}
	return slices.IndexFunc(r.Attempts, func(a Attempt) bool {
		last := a.Number == r.Attempts[len(r.Attempts)-1].Number
		return !last && a.Outcome != "" && a.Number != accepted && may(a)
	})
}

// with returns f with one attempt more. redriven is the record's RedrivenAfter.
func (f Folded) with(a Attempt, redriven int) Folded {
	f.Attempts++
	f.InDoubt = f.InDoubt || a.Unknown()
	f.Awaited = f.Awaited || a.awaited()
	f.Phones = slices.DeleteFunc(slices.Clone(f.Phones), func(p FoldedPhone) bool {
		return !sms.Same(p.To, a.To) && !p.HopDone && p.Since != redriven
	})
	i := slices.IndexFunc(f.Phones, func(p FoldedPhone) bool { return sms.Same(p.To, a.To) })
	if i < 0 {
		f.Phones, i = append(f.Phones, FoldedPhone{To: a.To}), len(f.Phones)
	}
	p := &f.Phones[i]
	p.HopDone = p.HopDone || a.HopDone
	if p.Since != redriven {
		p.Spent, p.Since = 0, redriven
	}
	if a.spent() && a.Number > redriven {
		p.Spent++
	}
	return f
}

// phone returns how the folded attempts at that phone ended.
func (f Folded) phone(to sms.PhoneNumber) FoldedPhone {
	if i := slices.IndexFunc(f.Phones, func(p FoldedPhone) bool { return sms.Same(p.To, to) }); i >= 0 {
		return f.Phones[i]
	}
	return FoldedPhone{To: to}
}

// spentSince returns how many of them count towards the maximum. redriven is the record's RedrivenAfter.
func (p FoldedPhone) spentSince(redriven int) int {
	if p.Since != redriven {
		return 0
	}
	return p.Spent
}

// reopened returns f with every phone open.
func (f Folded) reopened() Folded {
	f.Phones = slices.Clone(f.Phones)
	for i := range f.Phones {
		f.Phones[i].HopDone = false
	}
	return f
}

// shortened cuts an error's text at maxErrorLength, but never inside a character.
func shortened(words string) string {
	for i := range words {
		if i > maxErrorLength {
			return words[:i] + "…"
		}
	}
	return words
}
