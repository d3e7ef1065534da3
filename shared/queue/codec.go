package queue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

var (
	// ErrMalformed means that a body is not an envelope: not JSON, or without the fields that its kind needs.
	ErrMalformed = errors.New("malformed envelope")
	// ErrVersion means that a body is an envelope of a version later than this code's.
	ErrVersion = errors.New("newer envelope version")
)

// Encode returns the envelope's wire form: one line of JSON in which every character is allowed in an SQS message. SQS accepts
// only the characters of XML 1.0. JSON escapes control characters by itself, but not U+FFFE and U+FFFF, and a text with one of
// those would be refused every time.
// The error is ErrMalformed if the envelope lacks what its kind needs.
func Encode(e Envelope) (string, error) {
	if err := e.check(); err != nil {
		return "", err
	}
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(e); err != nil {
		return "", fmt.Errorf("encode envelope: %w", err)
	}
	return escapeNoncharacters(bytes.TrimSuffix(buffer.Bytes(), []byte("\n"))), nil
}

// escapeNoncharacters writes U+FFFE and U+FFFF as JSON escapes. Outside of JSON strings neither can occur.
func escapeNoncharacters(line []byte) string {
	if !bytes.Contains(line, []byte("\xef\xbf")) {
		return string(line)
	}
	line = bytes.ReplaceAll(line, []byte("\uFFFE"), []byte(`\ufffe`))
	return string(bytes.ReplaceAll(line, []byte("\uFFFF"), []byte(`\uffff`)))
}

// Decode reads an envelope's wire form. Fields it does not know are passed over, so that a newer writer of the same
// version does not stop an older reader. The error is ErrVersion or ErrMalformed.
func Decode(body string) (Envelope, error) {
	var e Envelope
	if err := json.Unmarshal([]byte(body), &e); err != nil {
		return Envelope{}, unreadable(body)
	}
	if err := e.check(); err != nil {
		return Envelope{}, err
	}
	return e, nil
}

// unreadable says why a body does not have the shape of an envelope: another version may have another shape. The cause
// is left out: it may quote the text.
func unreadable(body string) error {
	var other struct {
		Version int `json:"v"`
	}
	if err := json.Unmarshal([]byte(body), &other); err == nil && other.Version > Version {
		return fmt.Errorf("%w %d", ErrVersion, other.Version)
	}
	return ErrMalformed
}

// check reports what the envelope lacks for its kind.
func (e Envelope) check() error {
	switch {
	case e.Version > Version:
		return fmt.Errorf("%w %d", ErrVersion, e.Version)
	case e.Version < 1:
		return fmt.Errorf("%w: no version", ErrMalformed)
	case e.RelayID == "":
		return fmt.Errorf("%w: no relay_id", ErrMalformed)
	}
	switch e.Kind {
	case KindInbound:
		// An incoming text may lack its addresses: it was accepted, and the ledger says what is wrong with it.
		if e.Message == nil {
			return fmt.Errorf("%w: no message", ErrMalformed)
		}
	case KindManual:
		if e.Message == nil || e.Message.To == "" {
			return fmt.Errorf("%w: no message to a Twilio number", ErrMalformed)
		}
	case KindAnswer, KindNotice, KindAgain:
		if e.Message == nil || e.Message.To == "" || e.Destination == "" {
			return fmt.Errorf("%w: no message from a Twilio number to a destination", ErrMalformed)
		}
	case KindGive:
		if e.Message == nil || e.Message.To == "" || e.Message.From == "" || e.Destination == "" || e.Give == nil {
			return fmt.Errorf("%w: no customer for a phone", ErrMalformed)
		}
	case KindReceipt:
		if e.Receipt == nil || e.Receipt.Sid == "" {
			return fmt.Errorf("%w: no receipt", ErrMalformed)
		}
	case KindTimer:
		if e.Timer == nil || e.Timer.Attempt < 1 && e.Timer.Stage < 1 && !e.Timer.Opens {
			return fmt.Errorf("%w: no timer", ErrMalformed)
		}
	default:
		return fmt.Errorf("%w: unknown kind", ErrMalformed)
	}
	return nil
}

// Outgoing returns the envelope as a message for the queue. A timer's Delay is for the caller to set.
func (e Envelope) Outgoing() (Outgoing, error) {
	body, err := Encode(e)
	if err != nil {
		return Outgoing{}, err
	}
	return Outgoing{Group: e.Group(), DeduplicationID: e.DeduplicationID(), Body: body}, nil
}
