package twilio

import (
	"context"
	"fmt"
	"net/http"

	openapi "github.com/twilio/twilio-go/rest/api/v2010"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Number is a number of the account as Twilio's IncomingPhoneNumber resource has it.
type Number struct {
	// Sid begins with PN.
	Sid string
	// PhoneNumber is the number in E.164, FriendlyName what the account's owner calls it.
	PhoneNumber  sms.PhoneNumber
	FriendlyName string
	NumberSettings
	// SmsApplicationSid names a TwiML application. If it is set, Twilio ignores the SmsURL and the SmsFallbackURL.
	SmsApplicationSid string
	// SMS, MMS and Voice are what the number can do.
	SMS, MMS, Voice bool
}

// NumberSettings are what happens with a number's texts.
type NumberSettings struct {
	// SmsURL is the webhook for incoming messages, with connection overrides in its fragment; empty if there is none.
	SmsURL    string
	SmsMethod string
	// SmsFallbackURL is asked when SmsURL fails.
	SmsFallbackURL    string
	SmsFallbackMethod string
	// StatusCallback is for calls, not for texts: each text names the URL for its receipts itself.
	StatusCallback string
}

// numbersPage is how many numbers are asked for at once.
const numbersPage = 100

// Numbers returns the account's numbers, all of them, or the one that is asked for if only is not empty. Every error has a
// *fault.Error in its chain, and none is Unknown.
func (c *Client) Numbers(ctx context.Context, only sms.PhoneNumber) ([]Number, error) {
	params := (&openapi.ListIncomingPhoneNumberParams{}).SetPageSize(numbersPage)
	if only != "" {
		params.SetPhoneNumber(string(only))
	}
	var numbers []Number
	for next := (page{}); ; {
		call := c.newCall(ctx)
		answer, err := call.api().PageIncomingPhoneNumber(params, next.token, next.number)
		if err != nil {
			return nil, fmt.Errorf("list numbers: %w", call.classified(http.MethodGet, err))
		}
		for i := range answer.IncomingPhoneNumbers {
			// Twilio treats the parameter as a pattern: part of a number matches, too.
			if number := newNumber(&answer.IncomingPhoneNumbers[i]); only == "" || number.PhoneNumber == only {
				numbers = append(numbers, number)
			}
		}
		next, err = pageIn(answer.NextPageUri, len(answer.IncomingPhoneNumbers))
		if err != nil {
			return nil, fmt.Errorf("list numbers: %w", classifyRead(Exchange{Status: call.status, Err: err}))
		}
		if next == (page{}) {
			return numbers, nil
		}
	}
}

// ConfigureNumber gives a number, named by its Sid, those of the settings that are not empty, and returns it as it then is.
// Doing it again does nothing more. Every error has a *fault.Error in its chain; after an Unknown one the number may have
// been changed.
func (c *Client) ConfigureNumber(ctx context.Context, sid string, settings NumberSettings) (Number, error) {
	return c.changeNumber(ctx, sid, updateParams(settings))
}

// RestoreNumber gives a number its former settings for texts. Other than with [Client.ConfigureNumber], a URL that is empty is taken
// away. The StatusCallback stays.
func (c *Client) RestoreNumber(ctx context.Context, sid string, settings NumberSettings) (Number, error) {
	settings.StatusCallback = ""
	params := updateParams(settings)
	params.SetSmsUrl(settings.SmsURL)
	params.SetSmsFallbackUrl(settings.SmsFallbackURL)
	return c.changeNumber(ctx, sid, params)
}

func (c *Client) changeNumber(ctx context.Context, sid string, params *openapi.UpdateIncomingPhoneNumberParams) (Number, error) {
	if !isSid(sid, "PN") {
		return Number{}, fmt.Errorf("configure number: %w", &fault.Error{Kind: fault.Permanent, Err: errNoNumberSid})
	}
	call := c.newCall(ctx)
	number, err := call.api().UpdateIncomingPhoneNumber(sid, params)
	if err != nil {
		return Number{}, fmt.Errorf("configure number: %w", call.classified(http.MethodPost, err))
	}
	if textOf(number.Sid) != sid {
		return Number{}, fmt.Errorf("configure number: %w", Classify(Exchange{Status: call.status, Err: errUnreadable}))
	}
	return newNumber(number), nil
}

func updateParams(s NumberSettings) *openapi.UpdateIncomingPhoneNumberParams {
	params := &openapi.UpdateIncomingPhoneNumberParams{}
	for _, one := range []struct {
		value string
		field **string
	}{
		{s.SmsURL, &params.SmsUrl},
		{s.SmsMethod, &params.SmsMethod},
		{s.SmsFallbackURL, &params.SmsFallbackUrl},
		{s.SmsFallbackMethod, &params.SmsFallbackMethod},
		{s.StatusCallback, &params.StatusCallback},
	} {
		if one.value != "" {
			*one.field = &one.value
		}
	}
	return params
}

func newNumber(n *openapi.ApiV2010IncomingPhoneNumber) Number {
	number := Number{
		Sid: textOf(n.Sid), PhoneNumber: sms.PhoneNumber(textOf(n.PhoneNumber)), FriendlyName: textOf(n.FriendlyName),
		NumberSettings: NumberSettings{
			SmsURL: textOf(n.SmsUrl), SmsMethod: textOf(n.SmsMethod),
			SmsFallbackURL: textOf(n.SmsFallbackUrl), SmsFallbackMethod: textOf(n.SmsFallbackMethod),
			StatusCallback: textOf(n.StatusCallback),
		},
		SmsApplicationSid: textOf(n.SmsApplicationSid),
	}
	if can := n.Capabilities; can != nil {
		number.SMS, number.MMS, number.Voice = can.Sms, can.Mms, can.Voice
	}
	return number
}
