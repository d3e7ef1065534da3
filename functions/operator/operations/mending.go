package operations

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Mending does what operators order about texts that need somebody. It is only on one host.
type Mending interface {
	// Resend sends texts that reached nobody again, or says what would happen to each. Here and below, the error is a [OrderError] if that
	// cannot be done so.
	Resend(ctx context.Context, by string, order ResendOrder) (Resending, error)
	// Decide writes down what the operator decided about an uncertain text.
	Decide(ctx context.Context, by string, order DecideOrder) (Decided, error)
	// DeadLetters lists the dead letters.
	DeadLetters(ctx context.Context) (DeadLetters, error)
	// Redrive begins to move dead letters back to the queue, or says what would happen to each.
	Redrive(ctx context.Context, by string, order RedriveOrder) (DeadLetters, error)
}

// ResendOrder orders texts to be sent again. Because is why, in the operator's words.
type ResendOrder struct {
	MessageSids []string `json:"message_sids"`
	Because     string   `json:"because,omitempty"`
	DryRun      bool     `json:"dry_run,omitempty"`
}

// ResendText is a text that is to be sent again, without what it says.
type ResendText struct {
	MessageSid   string          `json:"message_sid"`
	State        ledger.State    `json:"state"`
	Reason       ledger.Reason   `json:"reason,omitempty"`
	ErrorCode    int             `json:"error_code,omitempty"`
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Customer     sms.PhoneNumber `json:"customer,omitempty"`
	ReceivedAt   time.Time       `json:"received_at"`
	// Outlook is what would happen to it, Means the same in words. IsOrdered: it would be sent again, or marked as sent.
	Outlook   string `json:"outlook"`
	Means     string `json:"means"`
	IsOrdered bool   `json:"is_ordered"`
	// WouldBeDropped is the reason if the outlook is dropped_again; Destination is the first phone if the outlook is again.
	WouldBeDropped ledger.Reason   `json:"would_be_dropped,omitempty"`
	Destination    sms.PhoneNumber `json:"destination,omitempty"`
	// OnPurpose means that the text was dropped on purpose, but the operator named it.
	OnPurpose bool `json:"dropped_on_purpose,omitempty"`
}

// Resending is what sending texts again would do, and what was done.
type Resending struct {
	Texts []ResendText `json:"texts"`
	// Orders is how many texts would be sent again, Segments how many SMS segments that makes. Ordered is how many were put on the queue.
	Orders   int  `json:"orders"`
	Segments int  `json:"segments"`
	Ordered  int  `json:"ordered"`
	DryRun   bool `json:"dry_run,omitempty"`
}

// DecideOrder is what an operator decided about an uncertain text. SentSid is the message that Twilio has, if that is the decision.
type DecideOrder struct {
	MessageSid string         `json:"message_sid"`
	Decision   ledger.Verdict `json:"decision"`
	SentSid    string         `json:"sent_sid,omitempty"`
	Because    string         `json:"because"`
	DryRun     bool           `json:"dry_run,omitempty"`
}

// Decided is an uncertain text after a decision. One that is to be sent again is uncertain until the sender takes it up.
type Decided struct {
	MessageSid string        `json:"message_sid"`
	State      ledger.State  `json:"state"`
	Reason     ledger.Reason `json:"reason,omitempty"`
	// Means is what the decision does.
	Means  string `json:"means"`
	DryRun bool   `json:"dry_run,omitempty"`
}

// RedriveOrder orders dead letters to be moved back to the queue: those of the texts, or all.
type RedriveOrder struct {
	MessageSids []string `json:"message_sids,omitempty"`
	DryRun      bool     `json:"dry_run,omitempty"`
}

// DeadLetter is a dead letter, without what its text says.
type DeadLetter struct {
	// MessageSid is the text, LetterID the letter on its queue.
	MessageSid string `json:"message_sid,omitempty"`
	LetterID   string `json:"letter_id"`
	// Reason, Attempts, LastError and Hop are what the sender wrote on the letter; absent if the queue made it.
	Reason    ledger.Reason `json:"reason,omitempty"`
	Attempts  int           `json:"attempts,omitempty"`
	LastError string        `json:"last_error,omitempty"`
	Hop       string        `json:"hop,omitempty"`
	Kind      queue.Kind    `json:"kind,omitempty"`
	// From and To are the text's.
	From sms.PhoneNumber `json:"from,omitempty"`
	To   sms.PhoneNumber `json:"to,omitempty"`
	// ReceivedAt is when the text came in, BuriedAt when the letter was put here.
	ReceivedAt time.Time `json:"received_at"`
	BuriedAt   time.Time `json:"buried_at"`
	// State is the ledger's; absent if it has no record of the text.
	State       ledger.State  `json:"state,omitempty"`
	StateReason ledger.Reason `json:"state_reason,omitempty"`
	// Outlook is what would happen to the text if the letter were moved, Means the same in words. IsMoved: moving it changes something.
	Outlook  string `json:"outlook"`
	Means    string `json:"means"`
	IsMoved  bool   `json:"is_moved"`
	Segments int    `json:"segments,omitempty"`
}

// DeadLetters are the dead letters, and what moving them back would do.
type DeadLetters struct {
	Letters []DeadLetter `json:"letters"`
	// NotShown is how many more could not be read: they are behind others of their conversation, or somebody else has them.
	NotShown int `json:"not_shown"`
	// Moving is how many would be moved, Segments how many SMS segments would be sent.
	Moving   int  `json:"moving"`
	Segments int  `json:"segments"`
	DryRun   bool `json:"dry_run,omitempty"`
	// Run is the last time that letters were moved in this way; absent if they never were since the relay started.
	Run *RedriveRun `json:"run,omitempty"`
}

// RedriveRun is how far the moving of letters is.
type RedriveRun struct {
	By        string    `json:"by"`
	StartedAt time.Time `json:"started_at"`
	// EndedAt is absent while it runs.
	EndedAt time.Time `json:"ended_at,omitzero"`
	// Moving is how many letters were to be moved, Moved how many were, Left how many stayed because moving them would change nothing.
	Moving int `json:"moving"`
	Moved  int `json:"moved"`
	Left   int `json:"left"`
	// Problem is why it ended early.
	Problem string `json:"problem,omitempty"`
}

// mendingServer is server for the paths about texts that need somebody.
func (h *Handler) mendingServer(path string) (methods string, serve func(context.Context, events.APIGatewayV2HTTPRequest) answer) {
	switch {
	case h.config.Mending == nil:
		return "", nil
	case path == PathResend:
		return http.MethodPost, h.resend
	case path == PathUncertain:
		return http.MethodPost, h.settle
	}
	return "GET, POST", h.deadLetters
}

// maxNote is the longest reason of an operator's, in characters; see the ledger's own.
const maxNote = 200

// maxOrdered is how many texts one order names at most.
const maxOrdered = 100

func checkSids(sids []string, wrong *findings) {
	if len(sids) > maxOrdered {
		wrong.malform("message_sids", "message_sids: want at most %d", maxOrdered)
	}
	for _, sid := range sids {
		if !messageSid.MatchString(sid) {
			wrong.malform("message_sids", "message_sids: want SM, MM or RL and 32 hexadecimal digits each")
		}
	}
}

// checkBecause checks the reason of an order. isSaid: the order has one.
func checkBecause(because string, isSaid bool, wrong *findings) {
	switch {
	case utf8.RuneCountInString(because) > maxNote:
		wrong.malform("because", "because: want at most %d characters", maxNote)
	case strings.ContainsFunc(because, unicode.IsControl):
		wrong.contradict("because", "because: want one line")
	case isSaid && because == "":
		wrong.malform("because", "because: say why in a few words")
	case isSaid && strings.TrimSpace(because) == "":
		wrong.contradict("because", "because: say why in a few words")
	}
}

func (h *Handler) resend(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	var order ResendOrder
	var wrong findings
	named, refusal, refused := readBody(request, []string{"message_sids", "because", "dry_run"},
		map[string]any{"message_sids": &order.MessageSids, "because": &order.Because, "dry_run": &order.DryRun}, &wrong)
	if refused {
		return refusal
	}
	checkSids(order.MessageSids, &wrong)
	if len(order.MessageSids) == 0 {
		wrong.malform("message_sids", "message_sids: name at least one text")
	}
	checkBecause(order.Because, named["because"], &wrong)
	if !order.DryRun && !named["because"] {
		wrong.contradict("because", "because: say why; the reason is kept with the texts")
	}
	return mend(h, request, &wrong, order.DryRun, func(by string) (Resending, error) { return h.config.Mending.Resend(ctx, by, order) })
}

func (h *Handler) settle(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	var order DecideOrder
	var wrong findings
	_, refusal, refused := readBody(request, []string{"message_sid", "decision", "sent_sid", "because", "dry_run"}, map[string]any{
		"message_sid": &order.MessageSid, "decision": (*string)(&order.Decision), "sent_sid": &order.SentSid, "because": &order.Because,
		"dry_run": &order.DryRun,
	}, &wrong)
	if refused {
		return refusal
	}
	if !messageSid.MatchString(order.MessageSid) {
		wrong.malform("message_sid", "message_sid: want SM, MM or RL and 32 hexadecimal digits")
	}
	if order.SentSid != "" && !messageSid.MatchString(order.SentSid) {
		wrong.malform("sent_sid", "sent_sid: want SM or MM and 32 hexadecimal digits")
	}
	switch order.Decision {
	case ledger.VerdictSent:
		if order.SentSid == "" {
			wrong.contradict("sent_sid", "sent_sid: say which message Twilio has, by its MessageSid in Twilio's log")
		}
	case ledger.VerdictResend, ledger.VerdictGiveUp:
		if order.SentSid != "" {
			wrong.contradict("sent_sid", "sent_sid: belongs to the decision %s", ledger.VerdictSent)
		}
	case ledger.VerdictLetterDropped, ledger.VerdictForget:
		fallthrough
	default:
		wrong.malform("decision", "decision: want sent, resend or give_up")
	}
	checkBecause(order.Because, true, &wrong)
	return mend(h, request, &wrong, order.DryRun, func(by string) (Decided, error) { return h.config.Mending.Decide(ctx, by, order) })
}

func (h *Handler) deadLetters(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	var wrong findings
	if request.RequestContext.HTTP.Method == http.MethodGet {
		query, err := url.ParseQuery(request.RawQueryString)
		if err != nil {
			return refuse(http.StatusBadRequest, "the query string is unreadable")
		}
		checkNames(query, nil, &wrong)
		return mend(h, request, &wrong, true, func(string) (DeadLetters, error) { return h.config.Mending.DeadLetters(ctx) })
	}
	var order RedriveOrder
	_, refusal, refused := readBody(request, []string{"message_sids", "dry_run"},
		map[string]any{"message_sids": &order.MessageSids, "dry_run": &order.DryRun}, &wrong)
	if refused {
		return refusal
	}
	checkSids(order.MessageSids, &wrong)
	return mend(h, request, &wrong, order.DryRun, func(by string) (DeadLetters, error) { return h.config.Mending.Redrive(ctx, by, order) })
}

// mend does what is ordered, and answers with what became of it.
func mend[T any](h *Handler, request events.APIGatewayV2HTTPRequest, wrong *findings, dryRun bool, do func(by string) (T, error)) answer {
	if !wrong.none() {
		return wrong.refuse()
	}
	by := h.operator(request)
	if by == "" {
		return unknownOperator()
	}
	done, err := do(by)
	a, isRefusal := refuseOrder(err)
	switch {
	case isRefusal:
	case err != nil:
		a = refuse(http.StatusServiceUnavailable, "the texts cannot be read or written at the moment").because(err)
	default:
		a = answer{status: http.StatusOK, body: done}
	}
	a.attrs = []slog.Attr{slog.Bool("dry_run", dryRun)}
	return a
}
