package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// maxMedia is the most attachments Twilio gives one message.
const maxMedia = 10

var (
	errNoSid     = errors.New("no MessageSid, or one that is none of Twilio's")
	errNoAddress = errors.New("no From or no To")
)

// inbound makes the envelope of an incoming-message webhook. Parameters it does not know are passed over.
func (h *Handler) inbound(form url.Values, _ string) (queue.Envelope, outcome) {
	message := sms.Message{
		Sid:                 form.Get("MessageSid"),
		AccountSid:          form.Get("AccountSid"),
		MessagingServiceSid: form.Get("MessagingServiceSid"),
		From:                sms.PhoneNumber(form.Get("From")),
		To:                  sms.PhoneNumber(form.Get("To")),
		Body:                form.Get("Body"),
		NumSegments:         count(form, "NumSegments"),
		Media:               media(form),
		OptOutType:          form.Get("OptOutType"),
	}
	if err := checkSid(message.Sid); err != nil {
		return queue.Envelope{}, refuse(http.StatusBadRequest, "malformed").because(err)
	}
	if message.From == "" || message.To == "" {
		return queue.Envelope{}, refuse(http.StatusBadRequest, "malformed").because(errNoAddress)
	}
	return queue.Envelope{
		Version: queue.Version, Kind: queue.KindInbound, RelayID: message.Sid, ReceivedAt: h.Now().UTC(), Message: &message,
	}, outcome{}
}

// receipt makes the envelope of a status callback. A callback of a message that the relay did not send, or with a
// status it does not know, is acknowledged and goes no further.
func (h *Handler) receipt(form url.Values, rawQuery string) (queue.Envelope, outcome) {
	sid, status := form.Get("MessageSid"), sms.Status(form.Get("MessageStatus"))
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
		Version: queue.Version, Kind: queue.KindReceipt, RelayID: ref.RelayID, ReceivedAt: h.Now().UTC(), Receipt: &receipt,
	}, outcome{}
}

// count reads a number that may be absent. An unreadable one counts as absent: a text is not lost for it.
func count(form url.Values, name string) int {
	n, err := strconv.Atoi(form.Get(name))
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// media reads MediaUrl0 and MediaContentType0 and so on. The URLs that are there count, not what NumMedia says.
func media(form url.Values) []sms.Media {
	var list []sms.Media
	for i := range maxMedia {
		n := strconv.Itoa(i)
		if link := form.Get("MediaUrl" + n); link != "" {
			list = append(list, sms.Media{URL: link, ContentType: form.Get("MediaContentType" + n)})
		}
	}
	return list
}

// checkSid refuses what is no MessageSid: two capital letters and 32 hexadecimal digits, nothing more. The signature
// covers names and values without anything between them, so that a signed form can be cut up differently; a form that
// could be cut to another MessageSid would be another text, and would be sent again.
func checkSid(sid string) error {
	letters, digits := sid[:min(2, len(sid))], sid[min(2, len(sid)):]
	if strings.Trim(letters, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || len(digits) != 32 || strings.Trim(digits, "0123456789abcdef") != "" {
		return errNoSid
	}
	return nil
}
