package webhook

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio/signature"
)

// maxMedia is the most attachments Twilio gives one message.
const maxMedia = 10

// maxAddress is the longest From or To accepted, in bytes: the keys of the ledger's indexes have a limit.
const maxAddress = 256

var (
	errNoSid     = errors.New("no MessageSid, or one that is not Twilio's")
	errNoAddress = errors.New("no From or no To: the text is kept, and ends as failed")
	errMisplaced = errors.New("a text came to another address than " + PathInbound + ": correct the number's webhook URL")
)

// hasParameters reports whether a GET is a webhook: Twilio uses GET if the number is set to it, and puts the parameters into
// the query. A health check has no parameters.
func hasParameters(request events.APIGatewayV2HTTPRequest) bool {
	if request.Headers["x-twilio-signature"] != "" {
		return true
	}
	query, err := signature.ParseForm([]byte(request.RawQueryString))
	return err == nil && (query.Has("MessageSid") || query.Has("SmsMessageSid") || query.Has("SmsSid"))
}

// kindOf decides what a form is, [queue.KindInbound] or [queue.KindReceipt], by its parameters. Only receipts have
// MessageStatus, and every text has Body. If a form has neither, the path decides.
func kindOf(form signature.Form, path string) queue.Kind {
	status := form.Get("MessageStatus")
	switch {
	case status != "" && !isIncoming(status):
		return queue.KindReceipt
	case form.Has("Body"), isIncoming(status), isIncoming(form.Get("SmsStatus")):
		return queue.KindInbound
	case form.Get("SmsStatus") != "", path == PathStatusCallback:
		return queue.KindReceipt
	default:
		return queue.KindInbound
	}
}

// isIncoming reports whether a status is one of messages to Twilio. Receipts have those of messages from it.
func isIncoming(status string) bool { return status == "received" || status == "receiving" }

// inbound makes the envelope of an incoming-message webhook. Parameters it does not know are passed over. A text without its
// addresses is kept: Twilio would not send it again, and the ledger shows it to people.
func (h *Handler) inbound(form signature.Form) (queue.Envelope, outcome) {
	message := sms.Message{
		Sid:                 form.Get("MessageSid"),
		AccountSid:          form.Get("AccountSid"),
		MessagingServiceSid: form.Get("MessagingServiceSid"),
		From:                address(form, "From"),
		To:                  address(form, "To"),
		Body:                form.Get("Body"),
		NumSegments:         count(form, "NumSegments"),
		Media:               media(form),
		OptOutType:          form.Get("OptOutType"),
	}
	if err := checkSid(message.Sid); err != nil {
		return queue.Envelope{}, refuse(http.StatusBadRequest, "malformed").because(err)
	}
	var o outcome
	if message.From == "" || message.To == "" {
		o = o.warn(errNoAddress)
	}
	return queue.Envelope{
		Version: queue.Version, Kind: queue.KindInbound, RelayID: message.Sid, ReceivedAt: h.config.Now().UTC(), Message: &message,
	}, o
}

// address reads From or To as it is, and returns nothing for what cannot be one: blank, or longer than any.
func address(form signature.Form, name string) sms.PhoneNumber {
	text := form.Get(name)
	if strings.TrimSpace(text) == "" || len(text) > maxAddress {
		return ""
	}
	return sms.PhoneNumber(text)
}

// receipt makes the envelope of a status callback. A callback of a message that the relay did not send, or with a
// status it does not know, is acknowledged and goes no further.
func (h *Handler) receipt(form signature.Form, rawQuery string) (queue.Envelope, outcome) {
	sid, status := form.Get("MessageSid"), sms.Status(cmp.Or(form.Get("MessageStatus"), form.Get("SmsStatus")))
	if err := checkSid(sid); err != nil {
		return queue.Envelope{}, refuse(http.StatusBadRequest, "malformed").because(err)
	}
	ref, err := sms.ParseCallbackRef(rawQuery)
	if err != nil {
		return queue.Envelope{}, ignored(err)
	}
	if !status.Known() {
		return queue.Envelope{}, ignored(fmt.Errorf("unknown MessageStatus %.32q", string(status)))
	}
	receipt := sms.Receipt{Sid: sid, Status: status, ErrorCode: count(form, "ErrorCode"), CallbackRef: ref}
	return queue.Envelope{
		Version: queue.Version, Kind: queue.KindReceipt, RelayID: ref.RelayID, ReceivedAt: h.config.Now().UTC(), Receipt: &receipt,
	}, outcome{}
}

// count reads a number that may be absent. An unreadable one counts as absent: a text is not lost for it.
func count(form signature.Form, name string) int {
	n, err := strconv.Atoi(form.Get(name))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// media reads MediaUrl0 and MediaContentType0 and so on. The URLs that are there count, not what NumMedia says.
func media(form signature.Form) []sms.Media {
	var list []sms.Media
	for i := range maxMedia {
		n := strconv.Itoa(i)
		if link := form.Get("MediaUrl" + n); link != "" {
			list = append(list, sms.Media{URL: link, ContentType: form.Get("MediaContentType" + n)})
		}
	}
	return list
}

// checkSid refuses what is not a MessageSid: two capital letters and 32 hexadecimal digits, nothing more. The signature covers
// names and values without anything between them, so someone could split a signed form differently; a form split so that it
// has another MessageSid would be another text, and would be sent again.
func checkSid(sid string) error {
	letters, digits := sid[:min(2, len(sid))], sid[min(2, len(sid)):]
	if strings.Trim(letters, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || len(digits) != 32 || strings.Trim(digits, "0123456789abcdef") != "" {
		return errNoSid
	}
	return nil
}
