package ledger

import (
	"slices"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// A table takes no more of an item than 400 kB, body and attachments included. A text is therefore kept with the attempts that still
// decide something, and of the others with what they came to.
const (
	// maxListed is how many attempts a record lists, as far as the rest have come to an end.
	maxListed = 100
	// maxOpenEnded is how many it lists in all: beyond it those of which something may still be heard are folded, too.
	maxOpenEnded = 200
	// maxErrorLength is how much of an error's words an attempt keeps, in bytes.
	maxErrorLength = 300
)

// Folded is what is left of attempts that a record no longer lists, the oldest ones.
type Folded struct {
	// Attempts is how many there were.
	Attempts int
	// InDoubt is whether nobody ever found out of one of them whether Twilio took it; Awaited whether Twilio took one, and has
	// not said that it is lost. Their receipts come to nothing.
	InDoubt bool `json:",omitempty"`
	Awaited bool `json:",omitempty"`
	// Phones says what they came to at each phone, where that still counts.
	Phones []FoldedPhone `json:",omitempty"`
}

// FoldedPhone is what the folded attempts at one phone came to.
type FoldedPhone struct {
	To sms.PhoneNumber
	// HopDone is as of an Attempt.
	HopDone bool `json:",omitempty"`
	// Spent counts the attempts that count towards the most there may be, after the attempt Since, which is the record's RedrivenAfter
	// of the time: after a later redrive they do not count any more.
	Spent int `json:",omitempty"`
	Since int `json:",omitempty"`
}

// Made returns how many attempts the text has had, listed or folded.
func (r Record) Made() int { return r.Folded.Attempts + len(r.Attempts) }

// fold takes the oldest attempts that decide nothing any more off the list until it is short enough. The attempts must be r's own.
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

// foldable returns which attempt to fold next, -1 for none: the oldest that has ended and may go. The last stays, and the last that
// Twilio took, which says where the text is.
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

// with returns f with one attempt more, of a record with that RedrivenAfter.
func (f Folded) with(a Attempt, redriven int) Folded {
	f.Attempts++
	f.InDoubt = f.InDoubt || a.Unknown()
	f.Awaited = f.Awaited || a.awaited()
	f.Phones = slices.DeleteFunc(slices.Clone(f.Phones), func(p FoldedPhone) bool { return !sms.Same(p.To, a.To) && !p.HopDone && p.Since != redriven })
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

// phone returns what the folded attempts at that phone came to.
func (f Folded) phone(to sms.PhoneNumber) FoldedPhone {
	if i := slices.IndexFunc(f.Phones, func(p FoldedPhone) bool { return sms.Same(p.To, to) }); i >= 0 {
		return f.Phones[i]
	}
	return FoldedPhone{To: to}
}

// spentSince returns how many of them count towards the most there may be, of a record with that RedrivenAfter.
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

// shortened cuts the words of an error, at the end of a letter.
func shortened(words string) string {
	for i := range words {
		if i > maxErrorLength {
			return words[:i] + "…"
		}
	}
	return words
}
