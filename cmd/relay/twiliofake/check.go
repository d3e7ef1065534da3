package twiliofake

import (
	"mime"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	maxMedia          = 10
	maxValidity       = 36000 // seconds
	maxStatusCallback = 4000
	maxAlphanumeric   = 11
)

// check returns the refusal that Twilio would answer a create request with, or nil.
func (s *Server) check(draft Message) *refusal {
	checks := []func(Message) *refusal{
		checkPresent, s.checkService, checkContent, checkOptions, checkTo, s.checkFrom, s.checkPair,
	}
	for _, check := range checks {
		if answer := check(draft); answer != nil {
			return answer
		}
	}
	return nil
}

func checkPresent(draft Message) *refusal {
	switch {
	case draft.To == "":
		return badRequest(codeToMissing, "A 'To' phone number is required.")
	case draft.From == "" && draft.MessagingServiceSid == "":
		return badRequest(codeFromMissing, "A 'From' phone number is required.")
	case draft.MessagingServiceSid != "" && !isSid(draft.MessagingServiceSid, "MG"):
		return badRequest(codeServiceSid, "The Messaging Service Sid %s is invalid.", draft.MessagingServiceSid)
	case draft.Body == "" && len(draft.MediaURLs) == 0 && draft.Params.Get("ContentSid") == "":
		return badRequest(codeBodyMissing, "Message body is required.")
	}
	return nil
}

// checkService holds a message against the Messaging Service that it names. While the account has none, every one is its own.
func (s *Server) checkService(draft Message) *refusal {
	all := s.Services()
	if draft.MessagingServiceSid == "" || len(all) == 0 {
		return nil
	}
	at := slices.IndexFunc(all, func(one Service) bool { return one.Sid == draft.MessagingServiceSid })
	switch {
	case at < 0:
		return badRequest(codeNoService, "The Messaging Service does not exist: %s", draft.MessagingServiceSid)
	case len(all[at].Numbers) == 0:
		return badRequest(codeServiceEmpty, "The Messaging Service contains no phone numbers")
	case draft.From != "" && !withMember(draft.From)(&all[at]):
		return badRequest(codeNoMember, "Sender is not associated with the specified Messaging Service")
	}
	return nil
}

func checkContent(draft Message) *refusal {
	if utf8.RuneCountInString(draft.Body) > sms.MaxBody {
		return badRequest(codeBodyTooLong, "The concatenated message body exceeds the 1600 character limit.")
	}
	if len(draft.MediaURLs) > maxMedia {
		return badRequest(codeTooManyMedia, "Number of media files exceeds allowed limit.")
	}
	for _, media := range draft.MediaURLs {
		if !isWebURL(media) {
			return badRequest(codeMediaURL, "Invalid media URL(s)")
		}
	}
	return nil
}

func checkOptions(draft Message) *refusal {
	if !isCallbackURL(draft.StatusCallback) {
		return badRequest(codeStatusCallback, "The 'StatusCallback' URL %s is not a valid URL.", draft.StatusCallback)
	}
	if given := draft.Params.Get("ValidityPeriod"); given != "" {
		seconds, err := strconv.Atoi(given)
		if err != nil || seconds < 1 || seconds > maxValidity {
			return badRequest(codeValidityPeriod, "The validity period %s is invalid.", given)
		}
	}
	return nil
}

func checkTo(draft Message) *refusal {
	switch {
	case isShortCode(draft.To):
		return refusePair(codeToShortCode, draft.From, draft.To)
	case !isPhone(draft.To), !canExist(draft.To):
		return refusePair(codeToInvalid, draft.From, draft.To)
	}
	return nil
}

func (s *Server) checkFrom(draft Message) *refusal {
	from := draft.From
	code := refusedFrom(from)
	switch {
	case from == "":
		return nil // the Messaging Service picks one
	case code != 0:
		return refusePair(code, from, draft.To)
	case !isPhone(from) && !isShortCode(from) && !isAlphanumeric(from):
		return refusePair(codeFromInvalid, from, draft.To)
	case from == draft.To:
		return refusePair(codeToEqualsFrom, from, draft.To)
	case !s.owns(from):
		return refusePair(codeFromNotOwned, from, draft.To)
	}
	return nil
}

func (s *Server) checkPair(draft Message) *refusal {
	code := refusedTo(draft.To)
	switch {
	case code != 0:
	case draft.From != "" && channelOf(draft.From) != channelOf(draft.To):
		code = codeChannelMismatch
	case s.hasOptedOut(s.senderOf(draft), draft.To):
		code = codeOptedOut
	default:
		return nil
	}
	return refusePair(code, draft.From, draft.To)
}

func (s *Server) owns(number sms.PhoneNumber) bool {
	if len(s.cfg.Numbers) == 0 {
		return isPhone(number)
	}
	return number == magicValidFrom || slices.Contains(s.cfg.Numbers, number)
}

// isStrange reports whether the account has a list of numbers, and this one is not on it.
func (s *Server) isStrange(number sms.PhoneNumber) bool {
	return len(s.cfg.Numbers) > 0 && !s.owns(number)
}

// canExist reports whether there can be such a phone. Twilio refuses others with 21211.
func canExist(number sms.PhoneNumber) bool {
	_, ok := sms.PhoneNumber(strings.TrimPrefix(string(number), channelOf(number))).Canonical()
	return ok
}

// isPhone reports whether the address is E.164, behind a channel's name or not.
func isPhone(number sms.PhoneNumber) bool {
	return sms.PhoneNumber(strings.TrimPrefix(string(number), channelOf(number))).IsE164()
}

// channelOf returns the channel of an address with its colon, "" for a telephone number.
func channelOf(number sms.PhoneNumber) string {
	channel, _, found := strings.Cut(string(number), ":")
	if found && slices.Contains([]string{"whatsapp", "rcs", "messenger"}, channel) {
		return channel + ":"
	}
	return ""
}

func isShortCode(number sms.PhoneNumber) bool {
	return (len(number) == 5 || len(number) == 6) && strings.Trim(string(number), "0123456789") == ""
}

// isAlphanumeric reports whether the address is an alphanumeric sender: letters, digits and a few signs, and at
// least one letter.
func isAlphanumeric(number sms.PhoneNumber) bool {
	const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	return len(number) <= maxAlphanumeric &&
		strings.ContainsAny(string(number), letters) &&
		strings.Trim(string(number), letters+"0123456789 +-_&") == ""
}

// isCallbackURL takes the empty URL too: it asks for no callbacks. Twilio also refuses local hosts; this server is for
// them.
func isCallbackURL(raw string) bool {
	return raw == "" || (len(raw) <= maxStatusCallback && isWebURL(raw))
}

func isWebURL(raw string) bool {
	parsed, err := url.Parse(raw)
	if err != nil {
		return false
	}
	host := parsed.Hostname()
	return (parsed.Scheme == "http" || parsed.Scheme == "https") && host != "" && !strings.Contains(host, "_")
}

func isForm(contentType string) bool {
	mediaType, _, err := mime.ParseMediaType(contentType)
	return err == nil && mediaType == "application/x-www-form-urlencoded"
}
