package reconcile

import (
	"context"
	"fmt"
	"time"

	"quickdumpnow.com/smsrelay/shared/clock"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Messages reads Twilio's list. Errors are *fault.Error.
type Messages interface {
	// List returns the messages that the filter lets through, the newest first.
	List(ctx context.Context, filter sms.ListFilter) ([]sms.Listed, error)
}

// Getter reads the record of one text, see [ledger.Store].
type Getter interface {
	Get(ctx context.Context, messageSid string) (ledger.Record, error)
}

// Search finds the messages of POSTs whose answers were lost, with Twilio's list and what the ledger knows about its messages.
// The sender and the operators' commands use the same search, so that they cannot disagree.
type Search struct {
	Messages Messages
	// Ledger reads single records, Records lists those of a conversation, which may lag.
	Ledger  Getter
	Records ledger.Lister
	// Span is for how long the list is looked at, Longest how long after its beginning a POST may have ended, see [Window].
	Span, Longest time.Duration
	// Tag is the customer's, if another relay that sent the text elsewhere must have known it.
	Tag conversation.Tag
	// Now is the clock.
	Now func() time.Time
}

const (
	// maxListed limits how many messages of Twilio's list one search reads.
	maxListed = 1000
	// maxListedElsewhere is that for what another relay may have sent in hours: more than a number sends in one.
	maxListedElsewhere = 5000
)

// Find says whether Twilio has the message of a text's attempt, which is set with Present. Where not all that counts could be
// read, the verdict is Ambiguous. An attempt without a number is not one of the text's own: the question is then whether the text
// was sent elsewhere, by another relay. Errors are those of the list and of the ledger.
func (s Search) Find(ctx context.Context, r ledger.Record, attempt ledger.Attempt) (message sms.Listed, verdict Verdict, err error) {
	read, err := s.read(ctx, r, attempt)
	if err != nil {
		return sms.Listed{}, 0, err
	}
	message, verdict, isProven, err := s.judge(ctx, r, attempt, read)
	if err != nil {
		return sms.Listed{}, 0, err
	}
	if !isProven {
		return sms.Listed{}, Ambiguous, nil
	}
	return message, verdict, nil
}

// MayHave reports whether the list has a message that one of the text's attempts may have created, though the ledger does not
// know that Twilio accepted it. If nobody can tell which text a message belongs to, the answer is yes.
func (s Search) MayHave(ctx context.Context, r ledger.Record) (bool, error) {
	lists := map[[2]sms.PhoneNumber]list{}
	for _, a := range r.Attempts {
		if a.OutboundSid != "" {
			continue
		}
		way := [2]sms.PhoneNumber{a.From, a.To}
		read, ok := lists[way]
		if from, _ := Window(a.StartedAt, s.Span, s.Longest); !ok || !read.isWhole || from.Before(read.from) {
			// Only the first attempt at a phone from a number: the later ones are on the same list.
			var err error
			if read, err = s.read(ctx, r, a); err != nil {
				return false, fmt.Errorf("ask Twilio about %s: %w", r.MessageSid, err)
			}
			lists[way] = read
		}
		_, verdict, _, err := s.judge(ctx, r, a, read)
		if err != nil {
			return false, fmt.Errorf("read the conversation of %s: %w", r.MessageSid, err)
		}
		if verdict != Absent {
			return true, nil
		}
	}
	return false, nil
}

// list is a part of Twilio's list.
type list struct {
	// from is how far back it goes.
	from     time.Time
	messages []sms.Listed
	// isWhole is false if messages that wait at Twilio may be missing.
	isWhole bool
}

// read reads the part of the list in which the attempt's message would be. The list is newest first. It is read back to before
// the POST without a filter by date sent, because a message that waits at Twilio has no such date. If there are too many
// messages to get that far, read also asks for the messages sent around the time of the POST. Then the list is not complete,
// because a message that is not among them may still be waiting.
func (s Search) read(ctx context.Context, r ledger.Record, attempt ledger.Attempt) (list, error) {
	from, to := Window(attempt.StartedAt, s.Span, s.Longest)
	filter := sms.ListFilter{From: r.SentFrom(attempt), To: attempt.To, CreatedAfter: from, Limit: maxListed}
	if attempt.Number == 0 {
		filter.Limit = maxListedElsewhere
	}
	found, err := s.Messages.List(ctx, filter)
	if err != nil || len(found) < filter.Limit {
		return list{from, found, true}, err
	}
	filter.SentAfter, filter.SentBefore = from, to.Add(time.Hour)
	older, err := s.Messages.List(ctx, filter)
	return list{from, append(found, older...), false}, err
}

// judge decides by the list and the ledger. isProven is false if the verdict would need more than could be read.
func (s Search) judge(
	ctx context.Context, r ledger.Record, attempt ledger.Attempt, read list,
) (message sms.Listed, verdict Verdict, isProven bool, err error) {
	sent := r.AsSent(attempt)
	question := Question{
		Message:  sms.Outbound{From: r.SentFrom(attempt), To: attempt.To, Body: plan.TextOf(sent, attempt.Header)},
		NumMedia: plan.NumMedia(sent), StartedAt: attempt.StartedAt, Span: s.Span, Longest: s.Longest, Listed: read.messages,
	}
	question.AnyHeader = attempt.Number == 0 && !r.Notice
	if question.AnyHeader && !r.IsAnswer() {
		question.Customer, question.Tag = r.Customer, s.Tag
	}
	message, verdict = Find(question)
	allCompared := true
	if verdict != Absent {
		if allCompared, err = s.compare(ctx, r, attempt, &question); err != nil {
			return sms.Listed{}, 0, false, err
		}
		message, verdict = Find(question)
	}
	switch verdict {
	case Absent:
		// If the clock was ahead when an attempt began, its message is not where the search looks.
		isProven = read.isWhole && !clock.Ahead(attempt.StartedAt, s.Now())
	case Present:
		isProven = allCompared
	case Ambiguous:
		isProven = true
	}
	return message, verdict, isProven, nil
}
