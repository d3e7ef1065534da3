package twiliofake

import (
	"encoding/json"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

const apiVersion = "2010-04-01"

// Direction says who began a message, in Twilio's words.
type Direction string

// The directions of the messages here.
const (
	DirectionInbound       Direction = "inbound"
	DirectionOutboundAPI   Direction = "outbound-api"
	DirectionOutboundReply Direction = "outbound-reply"
)

// Message is one Message resource. Its JSON form is exactly Twilio's.
type Message struct {
	// Sid is "SM", or "MM" with media, and 32 hexadecimal digits.
	Sid        string
	AccountSid string
	// MessagingServiceSid is set only if the create request named a Messaging Service.
	MessagingServiceSid string
	// From is empty until a Messaging Service has picked its sender.
	From sms.PhoneNumber
	To   sms.PhoneNumber
	Body string
	// NumSegments is 0 until a Messaging Service has picked its sender.
	NumSegments int
	MediaURLs   []string
	Direction   Direction
	Status      sms.Status
	// ErrorCode is set with undelivered and failed, else 0.
	ErrorCode int
	// StatusCallback is where its receipts go, with the fragment; empty if nowhere.
	StatusCallback string
	DateCreated    time.Time
	DateUpdated    time.Time
	// DateSent is zero until the message has left Twilio's queue.
	DateSent time.Time
	// Params are the parameters of the create request, or those of the webhook of an inbound message.
	Params url.Values
}

// Phone is who wrote to us, or whom we wrote to.
func (m Message) Phone() sms.PhoneNumber {
	if m.Direction == DirectionInbound {
		return m.From
	}
	return m.To
}

// Ours is our number's side of the message.
func (m Message) Ours() sms.PhoneNumber {
	if m.Direction == DirectionInbound {
		return m.To
	}
	return m.From
}

func (m Message) clone() Message {
	m.MediaURLs = slices.Clone(m.MediaURLs)
	m.Params = cloneValues(m.Params)
	return m
}

func cloneValues(values url.Values) url.Values {
	copied := maps.Clone(values)
	for name := range copied {
		copied[name] = slices.Clone(copied[name])
	}
	return copied
}

// uri is the resource's path without its ".json".
func (m Message) uri() string {
	return "/" + apiVersion + "/Accounts/" + m.AccountSid + "/Messages/" + m.Sid
}

// resource is the Message resource on the wire: numbers of segments and media are strings, absent values null.
type resource struct {
	Sid                 string            `json:"sid"`
	AccountSid          string            `json:"account_sid"`
	MessagingServiceSid *string           `json:"messaging_service_sid"`
	From                *string           `json:"from"`
	To                  string            `json:"to"`
	Body                string            `json:"body"`
	Status              sms.Status        `json:"status"`
	Direction           Direction         `json:"direction"`
	NumSegments         string            `json:"num_segments"`
	NumMedia            string            `json:"num_media"`
	DateCreated         *string           `json:"date_created"`
	DateUpdated         *string           `json:"date_updated"`
	DateSent            *string           `json:"date_sent"`
	ErrorCode           *int              `json:"error_code"`
	ErrorMessage        *string           `json:"error_message"`
	Price               *string           `json:"price"`
	PriceUnit           string            `json:"price_unit"`
	APIVersion          string            `json:"api_version"`
	URI                 string            `json:"uri"`
	SubresourceURIs     map[string]string `json:"subresource_uris"`
}

// MarshalJSON writes the message as Twilio's Message resource.
func (m Message) MarshalJSON() ([]byte, error) {
	wire := resource{
		Sid:                 m.Sid,
		AccountSid:          m.AccountSid,
		MessagingServiceSid: orNull(m.MessagingServiceSid),
		From:                orNull(string(m.From)),
		To:                  string(m.To),
		Body:                m.Body,
		Status:              m.Status,
		Direction:           m.Direction,
		NumSegments:         strconv.Itoa(m.NumSegments),
		NumMedia:            strconv.Itoa(len(m.MediaURLs)),
		DateCreated:         dateOrNull(m.DateCreated),
		DateUpdated:         dateOrNull(m.DateUpdated),
		DateSent:            dateOrNull(m.DateSent),
		PriceUnit:           "USD",
		APIVersion:          apiVersion,
		URI:                 m.uri() + ".json",
		SubresourceURIs:     map[string]string{"media": m.uri() + "/Media.json"},
	}
	if m.ErrorCode != 0 {
		wire.ErrorCode, wire.ErrorMessage = &m.ErrorCode, orNull(deliveryErrorText(m.ErrorCode))
	}
	return json.Marshal(wire)
}

func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// dateOrNull writes a date as RFC 2822 in GMT.
func dateOrNull(date time.Time) *string {
	if date.IsZero() {
		return nil
	}
	return new(date.UTC().Format(time.RFC1123Z))
}
