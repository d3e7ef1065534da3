package number

import (
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// shownNumber is a number of the account as JSON.
type shownNumber struct {
	Sid               string          `json:"sid"`
	PhoneNumber       sms.PhoneNumber `json:"phone_number"`
	FriendlyName      string          `json:"friendly_name"`
	SmsURL            string          `json:"sms_url"`
	SmsMethod         string          `json:"sms_method"`
	SmsFallbackURL    string          `json:"sms_fallback_url"`
	SmsFallbackMethod string          `json:"sms_fallback_method"`
	StatusCallback    string          `json:"status_callback"`
	SmsApplicationSid string          `json:"sms_application_sid"`
	SMS               bool            `json:"sms"`
	MMS               bool            `json:"mms"`
	Voice             bool            `json:"voice"`
}

func shownNumbers(numbers []twilio.Number) []shownNumber {
	shown := make([]shownNumber, len(numbers))
	for i, n := range numbers {
		shown[i] = shownNumber{
			Sid: n.Sid, PhoneNumber: n.PhoneNumber, FriendlyName: n.FriendlyName, SmsURL: n.SmsURL, SmsMethod: n.SmsMethod,
			SmsFallbackURL: n.SmsFallbackURL, SmsFallbackMethod: n.SmsFallbackMethod, StatusCallback: n.StatusCallback,
			SmsApplicationSid: n.SmsApplicationSid, SMS: n.SMS, MMS: n.MMS, Voice: n.Voice,
		}
	}
	return shown
}
