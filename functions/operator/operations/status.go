package operations

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// defaultLimit is how many texts a page holds if the caller does not say.
const defaultLimit = 20

// Message is a text as operators see it: numbers in full, the text itself left out.
type Message struct {
	MessageSid   string          `json:"message_sid"`
	State        ledger.State    `json:"state"`
	Reason       ledger.Reason   `json:"reason,omitempty"`
	Manual       bool            `json:"manual,omitempty"`
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Customer     sms.PhoneNumber `json:"customer,omitempty"`
	ReceivedAt   time.Time       `json:"received_at"`
	UpdatedAt    time.Time       `json:"updated_at"`
	NumMedia     int             `json:"num_media,omitempty"`
	Attempts     []Attempt       `json:"attempts"`
}

// Attempt is one POST to Twilio as operators see it.
type Attempt struct {
	Number      int             `json:"number"`
	Hop         int             `json:"hop"`
	Destination sms.PhoneNumber `json:"destination"`
	StartedAt   time.Time       `json:"started_at"`
	EndedAt     *time.Time      `json:"ended_at,omitempty"`
	Outcome     string          `json:"outcome,omitempty"`
	OutboundSid string          `json:"outbound_sid,omitempty"`
	Status      sms.Status      `json:"status,omitempty"`
	ErrorCode   int             `json:"error_code,omitempty"`
	Error       string          `json:"error,omitempty"`
	// Looks counts how often Twilio was asked what became of it, Found says that this found its message.
	Looks int  `json:"looks,omitempty"`
	Found bool `json:"found,omitempty"`
	// HopDone means that no further attempt is made at this phone.
	HopDone bool `json:"hop_done,omitempty"`
}

// List is one page of texts, newest first.
type List struct {
	Messages []Message `json:"messages"`
	// NextCursor continues the list; absent at its end. A page may be short, or empty, and still have one.
	NextCursor string `json:"next_cursor,omitempty"`
}

// status answers one text, or a page of texts.
func (h *Handler) status(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	query, err := url.ParseQuery(request.RawQueryString)
	if err != nil {
		return refuse(http.StatusBadRequest, "the query string is unreadable")
	}
	if err := checkNames(query); err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	if query.Has("message_sid") {
		return h.one(ctx, query)
	}
	return h.page(ctx, query)
}

// checkNames refuses parameters that do not exist or stand twice, by name.
func checkNames(query url.Values) error {
	known := []string{"message_sid", "number", "state", "since", "limit", "cursor"}
	var problems []error
	for name, values := range query {
		switch {
		case !slices.Contains(known, name):
			problems = append(problems, fmt.Errorf("unknown parameter %q: the parameters are %s", name, strings.Join(known, ", ")))
		case len(values) > 1:
			problems = append(problems, fmt.Errorf("%s stands twice", name))
		case values[0] == "":
			problems = append(problems, fmt.Errorf("%s is empty: leave it out, or say what to look for", name))
		}
	}
	return errors.Join(problems...)
}

func (h *Handler) one(ctx context.Context, query url.Values) answer {
	if len(query) > 1 {
		return refuse(http.StatusBadRequest, "message_sid names one text: leave the other parameters out")
	}
	sid := query.Get("message_sid")
	if sid == "" {
		return refuse(http.StatusBadRequest, "message_sid is empty")
	}
	r, err := h.Records.Get(ctx, sid)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return refuse(http.StatusNotFound, "the ledger has no such text; one that was queued a moment ago appears when the sender takes it up")
	case err != nil:
		return refuse(http.StatusServiceUnavailable, "the ledger cannot be read at the moment").because(err)
	default:
		return answer{status: http.StatusOK, body: messageOf(r)}
	}
}

func (h *Handler) page(ctx context.Context, query url.Values) answer {
	q, err := readQuery(query)
	if err != nil {
		return refuse(http.StatusBadRequest, err.Error())
	}
	page, err := h.Records.List(ctx, q)
	switch {
	case errors.Is(err, ledger.ErrCursor):
		return refuse(http.StatusBadRequest, "cursor: not one of this list's")
	case err != nil:
		return refuse(http.StatusServiceUnavailable, "the ledger cannot be read at the moment").because(err)
	}
	list := List{Messages: make([]Message, len(page.Records)), NextCursor: page.Next.String()}
	for i, r := range page.Records {
		list.Messages[i] = messageOf(r)
	}
	return answer{status: http.StatusOK, body: list}
}

// readQuery reads the list's parameters. The error is for the caller and says everything that is wrong.
func readQuery(query url.Values) (ledger.Query, error) {
	q := ledger.Query{Number: sms.Typed(query.Get("number")), State: ledger.State(query.Get("state")), Limit: defaultLimit}
	var problems []error
	if q.State != "" && !q.State.Known() {
		problems = append(problems, fmt.Errorf("state: unknown; the states are %v", ledger.States()))
	}
	if text := query.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > ledger.MaxLimit {
			problems = append(problems, fmt.Errorf("limit: want a number from 1 to %d", ledger.MaxLimit))
		}
		q.Limit = limit
	}
	if text := query.Get("since"); text != "" {
		since, err := time.Parse(time.RFC3339, text)
		if err != nil {
			problems = append(problems, errors.New("since: want a time of RFC 3339, such as 2026-11-24T08:00:00Z"))
		}
		q.Since = since
	}
	cursor, err := ledger.ParseCursor(query.Get("cursor"))
	if err != nil {
		problems = append(problems, errors.New("cursor: not one of this list's"))
	}
	q.Cursor = cursor
	return q, errors.Join(problems...)
}

func messageOf(r ledger.Record) Message {
	m := Message{
		MessageSid: r.MessageSid, State: r.State, Reason: r.Reason, Manual: r.Manual, TwilioNumber: r.TwilioNumber,
		Customer: r.Customer, ReceivedAt: r.ReceivedAt, UpdatedAt: r.UpdatedAt, NumMedia: len(r.Media),
		Attempts: make([]Attempt, len(r.Attempts)),
	}
	for i, a := range r.Attempts {
		m.Attempts[i] = attemptOf(a)
	}
	return m
}

func attemptOf(a ledger.Attempt) Attempt {
	shown := Attempt{
		Number: a.Number, Hop: a.Hop, Destination: a.To, StartedAt: a.StartedAt, Outcome: a.Outcome,
		OutboundSid: a.OutboundSid, Status: a.Status, ErrorCode: a.ErrorCode, Error: a.Error,
		Looks: a.Looks, Found: a.Found, HopDone: a.HopDone,
	}
	if !a.EndedAt.IsZero() {
		shown.EndedAt = &a.EndedAt
	}
	return shown
}
