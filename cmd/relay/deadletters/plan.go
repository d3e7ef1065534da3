package deadletters

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Plan is what would happen if some letters were moved.
type Plan struct {
	// Letters are the letters of the plan, in the order of the queue.
	Letters []Letter
	// ByReason counts them by the sender's reason, ByOutlook by what would happen to them.
	ByReason  map[string]int
	ByOutlook map[Outlook]int
	// Moving is how many letters would be moved, Segments how many SMS segments would be sent.
	Moving, Segments int
	// Oldest is when the oldest text came in.
	Oldest time.Time
}

// PlanOf counts the letters.
func PlanOf(all []Letter) Plan {
	p := Plan{Letters: all, ByReason: map[string]int{}, ByOutlook: map[Outlook]int{}}
	for _, l := range all {
		p.ByReason[reasonOf(l)]++
		p.ByOutlook[l.Outlook]++
		if at := l.receivedAt(); p.Oldest.IsZero() || at.Before(p.Oldest) {
			p.Oldest = at
		}
		if l.Outlook.Moves() {
			p.Moving++
		}
		if l.Outlook.Sends() {
			p.Segments += l.segments()
		}
	}
	return p
}

// reasonByQueue is the reason of letters that the queue itself made.
const reasonByQueue = "received_too_often"

func reasonOf(l Letter) string {
	if l.Reason == "" {
		return reasonByQueue
	}
	return string(l.Reason)
}

// segments returns how many SMS segments the text has, to one phone; 0 if the letter is not a text.
func (l Letter) segments() int {
	if l.Envelope.Message == nil {
		return 0
	}
	return sms.Segments(plan.Text(*l.Envelope.Message))
}
