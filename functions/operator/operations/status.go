package operations

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// defaultLimit is how many texts a page holds if the caller does not say.
const defaultLimit = 20

// Message is a text as operators see it: numbers in full, the text itself left out.
type Message struct {
	MessageSid string        `json:"message_sid"`
	State      ledger.State  `json:"state"`
	Reason     ledger.Reason `json:"reason,omitempty"`
	// Keyword is the keyword that a customer texted, in capitals; the phone gets a notice of an opt-out word.
	Keyword string `json:"keyword,omitempty"`
	Manual  bool   `json:"manual,omitempty"`
	// Answer is set on a text of a phone on duty. Customer is whom it goes to, or that phone while nobody knows that.
	Answer *Answer `json:"answer,omitempty"`
	// Notice marks what the relay itself told a phone on duty or, with AutoAnswer, what it answered a customer. SecondPart marks what did
	// not fit into a text's first message.
	Notice     bool `json:"notice,omitempty"`
	AutoAnswer bool `json:"auto_answer,omitempty"`
	SecondPart bool `json:"second_part,omitempty"`
	// ParentSid is set on a text to one phone, its Destination, that is sent for another record: for a text that goes to several phones at
	// the same time, or that nobody has answered. Phones are the former's, only if it was asked for alone.
	ParentSid    string          `json:"parent_sid,omitempty"`
	Destination  sms.PhoneNumber `json:"destination,omitempty"`
	Phones       []Message       `json:"phones,omitempty"`
	TwilioNumber sms.PhoneNumber `json:"twilio_number"`
	Customer     sms.PhoneNumber `json:"customer,omitempty"`
	ReceivedAt   time.Time       `json:"received_at"`
	UpdatedAt    time.Time       `json:"updated_at"`
	// HeldUntil is until when the text is held because nobody is on duty, or at most because no phone is verified, as the route said last;
	// absent if it is not held.
	HeldUntil time.Time `json:"held_until,omitzero"`
	// NextAt is when the relay goes on with the text: with another attempt, with a look at Twilio's list, or because no answer to the
	// attempt came. Only of a text that was asked
	// for alone, and that waits for a time.
	NextAt   time.Time `json:"next_at,omitzero"`
	NumMedia int       `json:"num_media,omitempty"`
	Attempts []Attempt `json:"attempts"`
	// Conversation is only of a text that was asked for alone, whose route keeps who has a customer, or that is held.
	Conversation conversations.Standing `json:"conversation,omitzero"`
	// Trail is only of a text that was asked for with it.
	Trail *Trail `json:"trail,omitempty"`
}

// Answer says what became of a text of a phone on duty.
type Answer struct {
	Phone   sms.PhoneNumber      `json:"phone"`
	Verdict ledger.AnswerVerdict `json:"verdict"`
	Tag     string               `json:"tag,omitempty"`
}

// Attempt is one POST to Twilio as operators see it.
type Attempt struct {
	Number      int             `json:"number"`
	Hop         int             `json:"hop"`
	Destination sms.PhoneNumber `json:"destination"`
	// From is the further number of the route that the message is sent from; absent if that is the text's own.
	From        sms.PhoneNumber `json:"from,omitempty"`
	StartedAt   time.Time       `json:"started_at"`
	EndedAt     *time.Time      `json:"ended_at,omitempty"`
	Outcome     string          `json:"outcome,omitempty"`
	OutboundSid string          `json:"outbound_sid,omitempty"`
	Status      sms.Status      `json:"status,omitempty"`
	ErrorCode   int             `json:"error_code,omitempty"`
	Error       string          `json:"error,omitempty"`
	// Looks counts how often the relay looked for the message at Twilio, Found says that it found it.
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

// parameters are the query's parameters.
func parameters() []string {
	return []string{"message_sid", "number", "state", "since", "until", "limit", "cursor", "trail"}
}

// status answers one text, or a page of texts.
func (h *Handler) status(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	query, err := url.ParseQuery(request.RawQueryString)
	if err != nil {
		return refuse(http.StatusBadRequest, "the query string is unreadable")
	}
	var wrong findings
	if query.Has("show_text") {
		wrong.malform("show_text",
			"show_text: what a text says has a path of its own, which may need a permission of its own: GET %s?message_sid=…", PathText)
	}
	checkNames(query, parameters(), &wrong)
	if query.Has("message_sid") {
		return h.one(ctx, query, &wrong)
	}
	return h.page(ctx, query, &wrong)
}

// checkNames finds parameters that are not among names, are given twice or are empty.
func checkNames(query url.Values, names []string, wrong *findings) {
	for _, name := range slices.Sorted(maps.Keys(query)) {
		switch values := query[name]; {
		case !slices.Contains(names, name):
			wrong.malform(name, "unknown parameter %q: the parameters are %s", name, strings.Join(names, ", "))
		case len(values) > 1:
			wrong.malform(name, "%s is there twice", name)
		case values[0] == "":
			wrong.malform(name, "%s is empty: leave it out, or say what to look for", name)
		}
	}
}

// messageSid is what names a text: as Twilio writes the ids of customers' texts, and this relay those of operators', of texts to one phone
// that are sent for another record, and of second parts.
var messageSid = regexp.MustCompile(`^[A-Z]{2}[0-9a-fA-F]{32}(/e[0-9]{1,6}/[0-9]{1,2}|/g/[A-Z]{2}[0-9a-fA-F]{32})?(/p2(\.[0-9]{1,2})?)?$`)

// readSid reads the parameter that names a text.
func readSid(query url.Values, wrong *findings) string {
	sid := query.Get("message_sid")
	if !messageSid.MatchString(sid) {
		wrong.malform("message_sid", "message_sid: want SM, MM or RL and 32 hexadecimal digits")
	}
	return sid
}

// get reads a text's record. The refusal has no status if there is none.
func (h *Handler) get(ctx context.Context, sid string) (r ledger.Record, refusal answer) {
	r, err := h.config.Records.Get(ctx, sid)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return r, notFound()
	case err != nil:
		return r, refuse(http.StatusServiceUnavailable, "the ledger cannot be read at the moment").because(err)
	default:
		return r, answer{}
	}
}

func notFound() answer {
	return refuse(http.StatusNotFound, "the ledger has no such text; one that was queued a moment ago appears when the sender takes it up, "+
		"and the ids of the messages that were sent on are not looked up")
}

func (h *Handler) one(ctx context.Context, query url.Values, wrong *findings) answer {
	sid := readSid(query, wrong)
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if name != "message_sid" && name != "trail" {
			wrong.contradict(name, "%s: message_sid names one text: leave the other parameters out", name)
		}
	}
	withTrail := readFlag(query, "trail", wrong)
	if !wrong.none() {
		return wrong.refuse()
	}
	r, refusal := h.get(ctx, sid)
	if refusal.status != 0 {
		return refusal
	}
	message := messageOf(r)
	_, message.NextAt = r.Next(h.config.Now())
	if message.Phones, refusal = h.phonesOf(ctx, r); refusal.status != 0 {
		return refusal
	}
	// A text is shown even if it cannot be told who has its customer: the line of the request says why.
	var unread error
	message.Conversation, unread = h.conversationOf(ctx, r)
	if withTrail {
		trail, err := h.trailOf(ctx, r)
		if err != nil {
			return refuse(http.StatusServiceUnavailable, "the audit log cannot be searched at the moment: leave trail out").because(err)
		}
		message.Trail = &trail
	}
	return answer{status: http.StatusOK, body: message, err: unread}
}

// phonesOf returns the text as it is sent to each phone of its ring.
func (h *Handler) phonesOf(ctx context.Context, r ledger.Record) (phones []Message, refusal answer) {
	for place := range r.Ring.Phones {
		one := r.ToPhone(place, h.config.Now())
		stored, refusal := h.get(ctx, one.MessageSid)
		switch {
		case refusal.status == http.StatusNotFound:
			// It is about to be sent.
			one.State, one.Reason = ledger.Queued, ledger.ReasonRing
			stored = one
		case refusal.status != 0:
			return nil, refusal
		}
		phones = append(phones, messageOf(stored))
	}
	return phones, answer{}
}

// readFlag reads a parameter that is true or false; left out, it is false.
func readFlag(query url.Values, name string, wrong *findings) bool {
	switch query.Get(name) {
	case "true":
		return true
	case "", "false":
		return false
	default:
		wrong.malform(name, "%s: want true or false", name)
		return false
	}
}

func (h *Handler) page(ctx context.Context, query url.Values, wrong *findings) answer {
	if readFlag(query, "trail", wrong) {
		wrong.contradict("trail", "trail: is of one text: say which by message_sid")
	}
	q := readQuery(query, wrong)
	if !wrong.none() {
		return wrong.refuse()
	}
	page, err := h.config.Records.List(ctx, q)
	switch {
	case errors.Is(err, ledger.ErrCursor):
		wrong.contradict("cursor", noCursor)
		return wrong.refuse()
	case err != nil:
		return refuse(http.StatusServiceUnavailable, "the ledger cannot be read at the moment").because(err)
	}
	if len(page.Records) == 0 && !isSender(q.Number) {
		// A typing mistake would look like a number without texts. An address that the ledger has is found, whatever it looks
		// like.
		known, err := h.config.Records.List(ctx, ledger.Query{Number: q.Number, Limit: 1})
		if err == nil && len(known.Records) == 0 {
			problem, _ := q.Number.Problem()
			wrong.contradict("number", "number: %q %s; no text is from or to a sender of that name", string(q.Number), problem)
			return wrong.refuse()
		}
	}
	list := List{Messages: make([]Message, len(page.Records)), NextCursor: page.Next.String()}
	for i, r := range page.Records {
		list.Messages[i] = messageOf(r)
	}
	return answer{status: http.StatusOK, body: list}
}

// isSender reports whether an address is one that Twilio writes for who sent a text: a phone number that can exist, a short code,
// or an address of another channel. A sender's name is one only if the ledger knows it.
func isSender(address sms.PhoneNumber) bool {
	_, isNumber := address.Canonical()
	return address == "" || isNumber || otherSender.MatchString(string(address))
}

// otherSender is a short code, or an address of another channel.
var otherSender = regexp.MustCompile(`^([0-9]{3,6}|(whatsapp|rcs|messenger|sms|sip):.+)$`)

// senderName is a name that a text may be from: Twilio's alphanumeric senders, with a capital, which tells them from slips.
var senderName = regexp.MustCompile(`^[A-Za-z0-9 &_-]*[A-Z][A-Za-z0-9 &_-]*$`)

// maxNumber is the longest number that is looked for, in characters. No index has a longer one.
const maxNumber = 100

const noCursor = "cursor: not one of this list's"

// readQuery reads the list's parameters, and adds everything that is wrong with them.
func readQuery(query url.Values, wrong *findings) ledger.Query {
	number, _ := sms.Typed(query.Get("number")).Canonical()
	q := ledger.Query{Number: number, State: ledger.State(query.Get("state")), Limit: defaultLimit}
	if utf8.RuneCountInString(string(q.Number)) > maxNumber {
		wrong.malform("number", "number: want at most %d characters", maxNumber)
	}
	if q.Number != "" && !q.Number.IsE164() && !otherSender.MatchString(string(q.Number)) && !senderName.MatchString(string(q.Number)) {
		problem, _ := q.Number.Problem()
		wrong.malform("number", "number: %q %s", string(q.Number), problem)
	}
	if q.State != "" && !q.State.Known() {
		wrong.malform("state", "state: unknown; the states are %v", ledger.States())
	}
	if text := query.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > ledger.MaxLimit {
			wrong.malform("limit", "limit: want a number from 1 to %d", ledger.MaxLimit)
		}
		q.Limit = limit
	}
	since, until := readTime(query, "since", wrong), readTime(query, "until", wrong)
	if !until.IsZero() && !since.Before(until) {
		wrong.contradict("until", "until: is not after since, and nothing lies between")
	}
	q.Since, q.Until = bounded(since), bounded(until)
	cursor, err := ledger.ParseCursor(query.Get("cursor"))
	if err != nil {
		wrong.contradict("cursor", noCursor)
	}
	q.Cursor = cursor
	return q
}

// readTime reads a parameter that is a time; left out, it is zero. A plus sign that was not escaped arrives as a blank.
func readTime(query url.Values, name string, wrong *findings) time.Time {
	text := query.Get(name)
	if text == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, strings.ReplaceAll(text, " ", "+"))
	if err != nil {
		wrong.malform(name, "%s: want a time of RFC 3339, such as 2026-11-24T08:00:00Z", name)
		return time.Time{}
	}
	return t
}

// bounded returns the nearest time that keys can order; zero stays zero. No text is older or younger than that.
func bounded(t time.Time) time.Time {
	first, last := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	switch {
	case t.IsZero():
		return t
	case t.Before(first):
		return first
	case t.After(last):
		return last
	default:
		return t
	}
}

func messageOf(r ledger.Record) Message {
	m := Message{
		MessageSid: r.MessageSid, State: r.State, Reason: r.Reason, Keyword: r.Keyword, Manual: r.Manual, TwilioNumber: r.TwilioNumber,
		Customer: r.Customer, ReceivedAt: r.ReceivedAt, UpdatedAt: r.UpdatedAt, NumMedia: len(r.Media),
		Notice: r.Notice, AutoAnswer: r.IsAutoAnswer(), SecondPart: r.SecondPart, Attempts: make([]Attempt, len(r.Attempts)),
	}
	if r.IsClosed() {
		m.HeldUntil = r.NotBefore
	}
	if m.ParentSid = r.ParentSid; m.ParentSid != "" {
		m.Destination = r.Destination
	}
	if r.IsAnswer() {
		m.Answer = &Answer{Phone: r.Answer.Phone, Verdict: r.Answer.Verdict, Tag: r.Answer.Tag}
	}
	for i, a := range r.Attempts {
		m.Attempts[i] = attemptOf(a)
	}
	return m
}

func attemptOf(a ledger.Attempt) Attempt {
	shown := Attempt{
		Number: a.Number, Hop: a.Hop, Destination: a.To, From: a.From, StartedAt: a.StartedAt, Outcome: a.Outcome,
		OutboundSid: a.OutboundSid, Status: a.Status, ErrorCode: a.ErrorCode, Error: a.Error,
		Looks: a.Looks, Found: a.Found, HopDone: a.HopDone,
	}
	if !a.EndedAt.IsZero() {
		shown.EndedAt = &a.EndedAt
	}
	return shown
}
