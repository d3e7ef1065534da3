package twilio

import (
	"net/url"

	"quickdumpnow.com/smsrelay/shared/twilio/signature"
)

// SignForm is signature.SignForm, for the fake Twilio and the demo.
func SignForm(token, url string, form url.Values) string { return signature.SignForm(token, url, form) }
