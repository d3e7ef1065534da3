package twiliofake

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// Twilio's error codes, of the API.
const (
	codeBadParameter    = 20001
	codeAuthenticate    = 20003
	codeWrongMethod     = 20004
	codePageTooLarge    = 20007
	codeNotFinished     = 20009
	codeNotFound        = 20404
	codeConflict        = 20409
	codeTooManyRequests = 20429
	codeInternal        = 20500
	codeUnavailable     = 20503
	codeToInvalid       = 21211
	codeFromInvalid     = 21212
	codeToShortCode     = 21265
	codeToEqualsFrom    = 21266
	codeURLInvalid      = 21402
	codeNumberInvalid   = 21421
	codeMethodInvalid   = 21403
	codeGeoPermission   = 21408
	codePageToken       = 21481
	codeBodyMissing     = 21602
	codeFromMissing     = 21603
	codeToMissing       = 21604
	codeFromNotOwned    = 21606
	codeStatusCallback  = 21609
	codeOptedOut        = 21610
	codeQueueFull       = 21611
	codeUnroutable      = 21612
	codeNotMobile       = 21614
	codeBodyTooLong     = 21617
	codeMediaURL        = 21620
	codeTooManyMedia    = 21623
	codeValidityPeriod  = 21624
	codeNoService       = 21701
	codeServiceEmpty    = 21704
	codeServiceSid      = 21705
	codeMemberAlready   = 21710
	codeNoMember        = 21711
	codeMemberElsewhere = 21712
	codeUsecase         = 21713
	codePoolFull        = 21714
	codeBrand           = 21717
	codeCampaignMissing = 21727
	codeCampaignLength  = 21728
	codeChannelMismatch = 21910

	codeCampaignSuspended = 21729
	codeCampaignContent   = 30897
)

// Twilio's error codes, of messages that were taken.
const (
	codeLoop            = 14107
	codeQueueOverflow   = 30001
	codeValidityExpired = 30036
)

// refusal is an error answer of the API.
type refusal struct {
	Code     int    `json:"code"`
	Message  string `json:"message"`
	MoreInfo string `json:"more_info"`
	Status   int    `json:"status"`
}

func refuse(status, code int, message string) *refusal {
	return &refusal{
		Code:     code,
		Message:  message,
		MoreInfo: "https://www.twilio.com/docs/errors/" + strconv.Itoa(code),
		Status:   status,
	}
}

func badRequest(code int, format string, args ...any) *refusal {
	return refuse(http.StatusBadRequest, code, fmt.Sprintf(format, args...))
}

// refusePair words the refusals that are about the two numbers of a message.
func refusePair(code int, from, to sms.PhoneNumber) *refusal {
	switch code {
	case codeToInvalid:
		return badRequest(code, "The 'To' number %s is not a valid phone number.", to)
	case codeFromInvalid:
		return badRequest(code, "The 'From' number %s is not a valid phone number, shortcode, or alphanumeric sender ID.", from)
	case codeToShortCode:
		return badRequest(code, "'To' number cannot be a Short Code: %s", to)
	case codeToEqualsFrom:
		return badRequest(code, "'To' and 'From' number cannot be the same: %s", to)
	case codeGeoPermission:
		return badRequest(code, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: %s.", to)
	case codeFromNotOwned:
		return badRequest(code, "The 'From' phone number provided (%s) is not a valid message-capable Twilio phone number for this "+
			"destination.", from)
	case codeOptedOut:
		return badRequest(code, "Attempt to send to unsubscribed recipient")
	case codeQueueFull:
		return badRequest(code, "The 'From' number %s has exceeded the maximum number of queued messages.", from)
	case codeUnroutable:
		return badRequest(code, "Message cannot be sent with the current combination of 'To' (%s) and/or 'From' (%s) parameters", to, from)
	case codeNotMobile:
		return badRequest(code, "'To' number %s is not a mobile number", to)
	case codeChannelMismatch:
		return badRequest(code, "Invalid From and To pair. From and To should be of the same channel")
	default:
		return badRequest(code, "Bad request")
	}
}

func notFound(path string) *refusal {
	return refuse(http.StatusNotFound, codeNotFound, "The requested resource "+path+" was not found")
}

// deliveryErrorText is the error_message of a message that was taken and then failed.
func deliveryErrorText(code int) string {
	switch code {
	case codeLoop:
		return "SMS send rate limit exceeded"
	case codeQueueOverflow:
		return "Queue overflow"
	case 30003:
		return "Unreachable destination handset"
	case 30004:
		return "Message blocked"
	case 30005:
		return "Unknown destination handset"
	case 30006:
		return "Landline or unreachable carrier"
	case 30007:
		return "Message filtered"
	case codeTollFree:
		return "Toll-Free Number Has Not Been Verified"
	case codeSuspended:
		return "US A2P 10DLC - Campaign Suspended"
	case codeUnregistered:
		return "US A2P 10DLC - Message from an Unregistered Number"
	case codeConfiguring:
		return "US A2P 10DLC - Message from a Number Still Being Configured"
	case codeValidityExpired:
		return "Validity Period Expired"
	default:
		return "Unknown error"
	}
}

func (s *Server) writeRefusal(w http.ResponseWriter, answer *refusal) {
	s.writeJSON(w, answer.Status, answer)
}

func (s *Server) writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		http.Error(w, "marshal the answer", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller that went away is no concern of the server
}
