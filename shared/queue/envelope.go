// Package queue holds what travels on the relay's queue, the envelope and its wire form, and the contract that a
// queue must keep, for the two queues there are: Amazon SQS (shared/aws/sqs) and SQLite (shared/onehost/sqlite). It is neither
// of them, and it decides nothing about a message.
package queue

import (
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Version is the envelope version this code writes, and the only one it reads.
const Version = 1

// Kind says what an envelope carries.
type Kind string

const (
	// KindInbound is a text from a customer, Message is set.
	KindInbound Kind = "inbound"
	// KindManual is a text an operator asked for, Message is set and Destination may be.
	KindManual Kind = "manual"
	// KindAnswer is a text of a phone on duty that goes to a customer, Message and Destination are set. It came in as KindInbound.
	KindAnswer Kind = "answer"
	// KindNotice is a text of the relay itself to a phone on duty or to a customer, Message and Destination are set.
	KindNotice Kind = "notice"
	// KindAgain is a customer's text that goes out again to one phone, as a text of its own: Message and Destination are set.
	KindAgain Kind = "again"
	// KindGive gives a customer to a phone of the route because an operator says so: Give is set, Message has the numbers of the customer and
	// of the business and no words, and Destination is the phone.
	KindGive Kind = "give"
	// KindReceipt is a status callback, Receipt is set.
	KindReceipt Kind = "receipt"
	// KindTimer is the relay's own reminder to look at a text, Timer is set. It travels on the timer queue, which has
	// no order.
	KindTimer Kind = "timer"
)

// Envelope is one unit of work for the sender.
type Envelope struct {
	// Version is the version of this layout, see [Version].
	Version int `json:"v"`
	// Kind says which of the fields below are set.
	Kind Kind `json:"kind"`
	// RelayID is the identity of the text in the ledger: the inbound MessageSid, or "RL" and 32 hexadecimal digits
	// of a manual one.
	RelayID string `json:"relay_id"`
	// ReceivedAt is when the front door accepted it.
	ReceivedAt time.Time `json:"received_at"`
	// WrittenAt is when Twilio got the text, if it is known to be earlier than ReceivedAt: the front door was out of reach then. Of a text
	// of the relay itself it is when its cause was, if another relay may have sent that text, because the data was copied since.
	WrittenAt time.Time `json:"written_at,omitzero"`
	// Message is the text: From is the customer (for a manual text the sender to show, possibly empty), To the Twilio number.
	// They are empty if the form of an incoming text lacked them.
	Message *sms.Message `json:"message,omitempty"`
	// Destination overrides the route's hops: the phone of a manual text or of a notice, the customer of an answer.
	Destination sms.PhoneNumber `json:"destination,omitempty"`
	// SeenSid is, of a manual text, the customer's newest text that the operator had seen who wrote it; empty if that is not known.
	SeenSid string `json:"seen_sid,omitempty"`
	// Receipt is what Twilio says about a message sent earlier.
	Receipt *sms.Receipt `json:"receipt,omitempty"`
	// Timer says what to look at, and when.
	Timer *Timer `json:"timer,omitempty"`
	// Give says what an operator saw who gives a customer to a phone.
	Give *Give `json:"give,omitempty"`
}

// Give is an operator's order that a phone has a customer from now on.
type Give struct {
	// From is the phone that had the customer when the operator looked, empty if none had. If another one has him by now, nothing is done.
	From sms.PhoneNumber `json:"from,omitempty"`
	// Mine means that the phone is the operator's own.
	Mine bool `json:"mine,omitempty"`
}

// Timer is a reminder.
type Timer struct {
	// Attempt is the attempt that was the text's last when the timer was set, or that was about to be made.
	Attempt int `json:"attempt,omitempty"`
	// Stage is set if the timer begins a stage of unanswered texts, of which RelayID is the first: its number, from 1. There is no Attempt
	// then.
	Stage int `json:"stage,omitempty"`
	// Opens is set if the timer takes up again what is held of RelayID's conversation because nobody is on duty. It comes again until somebody
	// is. There is no Attempt then.
	Opens bool `json:"opens,omitempty"`
	// Due is when to look. A queue holds a message back for [MaxDelay] at most; a timer that comes before it is due is
	// set again.
	Due time.Time `json:"due"`
}

// MaxDelay is the longest Delay of a message (SQS: DelaySeconds).
const MaxDelay = 15 * time.Minute

// LogValue shows what kind of work it is and for which text.
func (e Envelope) LogValue() slog.Value {
	return slog.GroupValue(slog.String("kind", string(e.Kind)), slog.String("message_sid", e.RelayID))
}

// Group returns the FIFO group (SQS: MessageGroupId) in which the envelope keeps its place. Texts of one customer to one Twilio number
// share a group with orders to give him to a phone, and so do the answers to one customer, the notices to one phone and what goes out
// again to one phone; the receipts of one text have one of their own, so that they never wait behind a text; timers have no group. The
// group has a digest of the numbers instead of the numbers: metrics and consoles show a group id, and its alphabet is restricted.
func (e Envelope) Group() string {
	switch e.Kind {
	case KindReceipt:
		return groupOf("receipt", e.RelayID)
	case KindTimer:
		return ""
	case KindAnswer:
		return groupOf("answer", string(e.Message.To), string(e.Destination))
	case KindAgain:
		return groupOf("again", string(e.Message.To), string(e.Message.From), string(e.Destination))
	case KindNotice:
		return groupOf("notice", string(e.Message.To), string(e.Destination))
	case KindInbound, KindManual, KindGive:
	}
	return groupOf("conversation", string(e.Message.To), string(e.Message.From))
}

// DeduplicationID returns the id (SQS: MessageDeduplicationId) by which the queue drops a repeat that comes within
// five minutes. It saves work and guarantees nothing; the ledger does.
func (e Envelope) DeduplicationID() string {
	switch e.Kind {
	case KindReceipt:
		return strings.Join([]string{e.Receipt.Sid, string(e.Receipt.Status), strconv.Itoa(e.Receipt.Attempt)}, ".")
	case KindTimer:
		return ""
	case KindAnswer:
		return e.RelayID + ".answer"
	case KindInbound, KindManual, KindNotice, KindAgain, KindGive:
	}
	return e.RelayID
}

// groupOf digests the parts into 32 hexadecimal digits. A byte that cannot be in a part separates them.
func groupOf(parts ...string) string {
	var room [128]byte
	text := room[:0]
	for i, part := range parts {
		if i > 0 {
			text = append(text, 0)
		}
		text = append(text, part...)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}
