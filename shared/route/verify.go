package route

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Verification is what is kept of a phone that has to show that it is the one that is meant, before it gets customers' words.
type Verification struct {
	Phone sms.PhoneNumber
	// Salt and Hash are of the code that it was sent last, SentAt is when. Tries counts wrong ones since, TriedSid is the last text with one.
	Salt     string    `json:",omitempty"`
	Hash     string    `json:",omitempty"`
	SentAt   time.Time `json:",omitzero"`
	Tries    int       `json:",omitempty"`
	TriedSid string    `json:",omitempty"`
	// VerifiedAt is when it texted the right code, or left the route without having to; zero while it has to.
	VerifiedAt time.Time `json:",omitzero"`
}

const (
	// CodeTime is for how long a code is valid.
	CodeTime = 10 * time.Minute
	// MaxCodeTries is how often a wrong code may be texted.
	MaxCodeTries = 5
	// VerifyWait is how long texts wait for a phone to be verified before they begin to age.
	VerifyWait = 24 * time.Hour
)

const (
	// LeftKept is for how long a phone that left the route need not be verified if it comes back. maxLeft is how many are remembered.
	LeftKept = 30 * 24 * time.Hour
	maxLeft  = 100
)

func (r Route) verificationOf(phone sms.PhoneNumber) int {
	return slices.IndexFunc(r.Verifications, func(v Verification) bool { return sms.Same(v.Phone, r.PhoneOf(phone)) })
}

// IsUnverified reports whether the phone has yet to be verified.
func (r Route) IsUnverified(phone sms.PhoneNumber) bool {
	i := r.verificationOf(phone)
	return i >= 0 && r.Verifications[i].VerifiedAt.IsZero()
}

// MayTextCode reports whether six digits that the phone texted then may be a code: it has yet to be verified, or was a moment ago. Texts
// overtake each other.
func (r Route) MayTextCode(phone sms.PhoneNumber, at time.Time) bool {
	i := r.verificationOf(phone)
	return i >= 0 && (r.Verifications[i].VerifiedAt.IsZero() || at.Sub(r.Verifications[i].VerifiedAt) < CodeTime)
}

// verifications returns what is to be kept of phones when r is stored over before: what was, and with isStrict, a phone that before did
// not have is unverified, and one that r does not have any more is remembered.
func (r Route) verifications(before Route, now time.Time, isStrict bool) []Verification {
	if r.VerifyPhones != nil && !*r.VerifyPhones {
		return nil
	}
	phones, earlier := r.AllPhones(), before.AllPhones()
	var kept Route
	for _, v := range slices.Concat(r.Verifications, before.Verifications) {
		isKept := isAmong(phones, v.Phone)
		if !v.VerifiedAt.IsZero() {
			// One that stays is known to be verified without it, and one that leaves now is remembered from now on.
			isOver := isAmong(earlier, v.Phone) && (isKept || isStrict) && now.Sub(v.VerifiedAt) >= CodeTime
			isKept = !isOver && now.Sub(v.VerifiedAt) < LeftKept
		}
		if isKept && kept.verificationOf(v.Phone) < 0 {
			kept.Verifications = append(kept.Verifications, v)
		}
	}
	for _, phone := range slices.Concat(phones, earlier) {
		v := Verification{Phone: phone}
		isNew, hasLeft := !isAmong(earlier, phone), !isAmong(phones, phone)
		if hasLeft {
			v.VerifiedAt = now.UTC().Truncate(time.Second)
			hasLeft = !before.IsUnverified(phone) && len(kept.Verifications) < maxLeft
		}
		if isStrict && phone != "" && (isNew || hasLeft) && kept.verificationOf(phone) < 0 {
			kept.Verifications = append(kept.Verifications, v)
		}
	}
	return kept.Verifications
}

// PutCode returns the route with a code that was sent to an unverified phone. ok is false if the phone is not unverified.
func (r Route) PutCode(phone sms.PhoneNumber, code, salt string, now time.Time) (changed Route, ok bool) {
	if !r.IsUnverified(phone) {
		return r, false
	}
	r.Verifications = slices.Clone(r.Verifications)
	v := &r.Verifications[r.verificationOf(phone)]
	*v = Verification{Phone: v.Phone, Salt: salt, Hash: hashOf(salt, code), SentAt: now.UTC().Truncate(time.Second)}
	return r, true
}

func hashOf(salt, code string) string {
	sum := sha256.Sum256([]byte(salt + code))
	return hex.EncodeToString(sum[:])
}

// Verdict is what a code that a phone texted is.
type Verdict string

// The verdicts.
const (
	CodeRight Verdict = "right"
	CodeWrong Verdict = "wrong"
	// CodeOver: there is no code, it is too old, or too many wrong ones were texted.
	CodeOver Verdict = "over"
)

// TryCode returns the route after the phone texted a code with the text of that MessageSid. A text that comes again counts once. A phone
// that is verified has a right one, whatever it is.
func (r Route) TryCode(phone sms.PhoneNumber, code, messageSid string, at, now time.Time) (tried Route, verdict Verdict) {
	if !r.IsUnverified(phone) {
		return r, CodeRight
	}
	i := r.verificationOf(phone)
	tried = r
	tried.Verifications = slices.Clone(r.Verifications)
	switch v := &tried.Verifications[i]; {
	case v.Hash == "", v.Tries >= MaxCodeTries && v.TriedSid != messageSid, at.Sub(v.SentAt) > CodeTime:
		return r, CodeOver
	case v.Hash == hashOf(v.Salt, code):
		*v = Verification{Phone: v.Phone, VerifiedAt: now.UTC().Truncate(time.Second)}
		return tried.after(r, now), CodeRight
	case v.TriedSid == messageSid:
		return r, CodeWrong
	default:
		v.Tries, v.TriedSid = v.Tries+1, messageSid
	}
	return tried, CodeWrong
}

// Verify tries a code of a phone in the number's route, and writes that. Errors are [MarkOptedOut]'s.
func Verify(ctx context.Context, table Table, number, phone sms.PhoneNumber, code, messageSid string, at, now time.Time) (Verdict, error) {
	verdict := CodeOver
	_, err := mark(ctx, table, number, phone, func(r Route) (tried Route, isChanged bool) {
		tried, verdict = r.TryCode(phone, code, messageSid, at, now)
		return tried, !slices.Equal(tried.Verifications, r.Verifications)
	})
	return verdict, err
}

// hasUnverified reports whether one of the phones has yet to be verified.
func (r Route) hasUnverified() bool {
	return slices.ContainsFunc(r.Verifications, func(v Verification) bool { return v.VerifiedAt.IsZero() })
}

// Waits reports whether customers' texts wait at that moment, because each phone that would get them is unverified.
func (r Route) Waits(at time.Time) bool {
	return r.hasUnverified() && len(r.PhonesAt(at)) == 0 && !r.HoldsAt(at)
}

// WaitsUntil returns until when a text waits, as far as is known, that ages from since and would be sent at another time: until others are
// on duty, or until it is too old. It is zero if the text does not wait; see [Route.Waits].
func (r Route) WaitsUntil(since, at time.Time) time.Time {
	most := since.Add(VerifyWait + r.TextAge())
	if !at.Before(most) || !r.Waits(at) {
		return time.Time{}
	}
	for _, edge := range r.edgesAfter(at) {
		if edge.Before(most) && !r.Waits(edge) {
			return edge
		}
	}
	return most
}

// after returns the route as it is written over before, with until when texts waited by that.
func (r Route) after(before Route, now time.Time) Route {
	r.WaitedUntil = before.WaitedUntil
	if before.Waits(now) && !r.Waits(now) {
		r.WaitedUntil = now.UTC().Truncate(time.Second)
	}
	return r
}

// AgesFrom returns from when on a text ages that would without a wait do so from since: while it waits for a phone to be verified, it does
// not, for VerifyWait at most. A wait ends when the route is written, or when others are on duty.
func (r Route) AgesFrom(since, now time.Time) time.Time {
	end := since
	if r.WaitedUntil.After(since) {
		end = r.WaitedUntil
	}
	if r.hasUnverified() {
		at := since
		for _, next := range append(r.edgesAfter(since), now) {
			if next.After(now) {
				next = now
			}
			if next.After(end) && r.Waits(at) {
				end = next
			}
			at = next
		}
	}
	if most := since.Add(VerifyWait); end.After(most) {
		return most
	}
	return end
}
