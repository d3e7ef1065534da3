package webhook

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// maxMedia is the most attachments Twilio gives one message.
const maxMedia = 10

// maxSid bounds an identifier: it becomes a table's key and a queue's deduplication id (128 characters).
const maxSid = 64

var errNoAddress = errors.New("no From or no To")

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
	if err := checkSid("MessageSid", message.Sid); err != nil {
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
	if err := checkSid("MessageSid", sid); err != nil {
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

// media reads MediaUrl0 and MediaContentType0 and so on. It trusts NumMedia no further than the URLs that are there.
func media(form url.Values) []sms.Media {
	var list []sms.Media
	for i := range min(count(form, "NumMedia"), maxMedia) {
		n := strconv.Itoa(i)
		if link := form.Get("MediaUrl" + n); link != "" {
			list = append(list, sms.Media{URL: link, ContentType: form.Get("MediaContentType" + n)})
		}
	}
	return list
}

// checkSid refuses an identifier that could not be a key. It does not insist on Twilio's present form of one.
func checkSid(name, sid string) error {
	if sid == "" || len(sid) > maxSid {
		return fmt.Errorf("%s is empty or too long", name)
	}
	for _, c := range []byte(sid) {
		if (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') && c != '_' && c != '-' {
			return fmt.Errorf("%s holds other characters than letters and digits", name)
		}
	}
	return nil
}
