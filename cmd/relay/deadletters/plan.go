package deadletters

import (
	"time"

	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Plan is what moving some letters would come to.
type Plan struct {
	// Letters are those that it is about, in the order of the queue.
	Letters []Letter
	// ByReason counts them by what the sender wrote on them, ByOutlook by what would become of them.
	ByReason  map[string]int
	ByOutlook map[Outlook]int
	// Moving is how many of them would be moved, Segments in how many SMS segments those would be sent of which the text is.
	Moving, Segments int
	// Oldest is when the first of them came in.
	Oldest time.Time
}

// PlanOf adds the letters up.
func PlanOf(all []Letter) Plan {
	p := Plan{Letters: all, ByReason: map[string]int{}, ByOutlook: map[Outlook]int{}}
	for _, l := range all {
		p.ByReason[reasonOf(l)]++
		p.ByOutlook[l.Outlook]++
		if at := l.ReceivedAt(); p.Oldest.IsZero() || at.Before(p.Oldest) {
			p.Oldest = at
		}
		if l.Outlook.Moves() {
			p.Moving++
		}
		if l.Outlook.Sends() {
			p.Segments += l.Segments()
		}
	}
	return p
}

// ByQueue stands for the reason of letters that the queue itself made.
const ByQueue = "received_too_often"

func reasonOf(l Letter) string {
	if l.Reason == "" {
		return ByQueue
	}
	return string(l.Reason)
}

// Segments returns in how many SMS segments the text would be sent to one phone; 0 if the letter is no text.
func (l Letter) Segments() int {
	if l.Envelope.Message == nil {
		return 0
	}
	return sms.Segments(plan.Text(*l.Envelope.Message))
}
