package ledger

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Doubt records that the outcome of the open attempt is unknown: f is Unknown. The text stays where it is until a receipt or a look
// finds out, and the first look is due at firstLook. changed is false if the attempt is not open any more.
func (r Record) Doubt(number int, f *fault.Error, firstLook, now time.Time) (doubted Record, changed bool) {
	open := r.open(number)
	doubted = r.copy(now)
	if !doubted.close(number, f, now) {
		return r, false
	}
	if open {
		doubted.LeaseUntil, doubted.NotBefore = time.Time{}, Stamp(firstLook)
	}
	return doubted, true
}

// Looked records a look that found nothing, and when the next one is due. changed is false if the attempt is not in
// doubt any more.
func (r Record) Looked(number int, nextLook, now time.Time) (looked Record, changed bool) {
	if !r.doubted(number) {
		return r, false
	}
	looked = r.copy(now)
	looked.change(number, func(a *Attempt) { a.Looks++ })
	looked.NotBefore = Stamp(nextLook)
	return looked, true
}

// Discover records that a look found the message of an attempt whose outcome was unknown: sid, with that status.
func (r Record) Discover(number int, sid string, status sms.Status, now time.Time) (discovered Record, changed bool) {
	if !r.doubted(number) {
		return r, false
	}
	discovered, changed = r.Accept(number, sid, status, now)
	discovered.change(number, func(a *Attempt) {
		a.Looks++
		a.Found = true
	})
	return discovered, changed
}

// Conclude ends the looks. The last one found nothing that settles the text, which goes onward, to Uncertain or back to Queued.
func (r Record) Conclude(number int, onward Onward, now time.Time) (concluded Record, changed bool, err error) {
	if !r.doubted(number) {
		return r, false, nil
	}
	concluded = r.copy(now)
	concluded.change(number, func(a *Attempt) {
		a.Looks++
		a.HopDone = onward.HopDone
	})
	if concluded, err = concluded.goOnward(onward, now); err != nil {
		return r, false, err
	}
	return concluded, true, nil
}

// doubted reports whether the attempt of that number is the current one, and Twilio is asked for its outcome.
func (r Record) doubted(number int) bool {
	last, ok := r.Current()
	return ok && r.State == Sending && last.Number == number && last.Unknown()
}
