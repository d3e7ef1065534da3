package deadletters

import (
	"context"
	"fmt"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/queue"
)

// Queue is a dead-letter queue that can be counted.
type Queue interface {
	queue.Receiver
	// Depth counts the letters waiting and in flight, on AWS approximately.
	Depth(ctx context.Context) (visible, inFlight int, err error)
}

// Found is what was read from the dead-letter queue.
type Found struct {
	Letters []Letter
	// NotShown is how many more letters could not be read: they are behind others of their conversation, or another command
	// has them. On AWS it is approximate.
	NotShown int
	// Seen counts the letters that were read, by reason, including those that the filter left out.
	Seen map[string]int
}

// List reads the letters that pass.
func List(ctx context.Context, from Queue, records Ledger, filter Filter) (listed Found, err error) {
	waiting, inFlight, err := from.Depth(ctx)
	if err != nil {
		return listed, fmt.Errorf("count the dead letters: %w", err)
	}
	all, seen, err := Read(ctx, from, records, Filter{})
	listed = Found{NotShown: max(0, waiting+inFlight-seen), Seen: PlanOf(all).ByReason}
	for _, l := range all {
		if filter.Passes(l) {
			listed.Letters = append(listed.Letters, l)
		}
	}
	return listed, err
}

// Show returns the letter as people are shown it, without what its text says.
func (l Letter) Show() operations.DeadLetter {
	shown := operations.DeadLetter{
		MessageSid: l.Envelope.RelayID, LetterID: l.MessageID, Reason: l.Reason, Attempts: l.Attempts, LastError: l.LastError,
		Hop: l.Hop, Kind: l.Envelope.Kind, ReceivedAt: l.receivedAt(), BuriedAt: l.SentAt,
		State: l.Record.State, StateReason: l.Record.Reason,
		Outlook: string(l.Outlook), Means: l.Outlook.Meaning(), IsMoved: l.Outlook.Moves(), Segments: l.segments(),
	}
	if m := l.Envelope.Message; m != nil {
		shown.From, shown.To = m.From, m.To
	}
	return shown
}
