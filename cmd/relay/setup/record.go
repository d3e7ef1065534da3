package setup

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"quickdumpnow.com/smsrelay/shared/onehost/durable"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// record is what init did here, so that it can be undone: the file init.json.
type record struct {
	// Numbers are those that init pointed at the relay, with what they had before.
	Numbers []pointed `json:"numbers,omitempty"`
	// Files are the names of those that init wrote.
	Files []string `json:"files,omitempty"`
	// Unit says that init enabled the relay's unit.
	Unit bool `json:"unit,omitempty"`
	// Canary is the text that arrived; nil if none did.
	Canary *arrived `json:"canary,omitempty"`
}

// pointed is a number that init pointed at the relay.
type pointed struct {
	PhoneNumber sms.PhoneNumber `json:"phone_number"`
	Sid         string          `json:"sid"`
	// Before is what the number had, After what init gave it.
	Before hook `json:"before"`
	After  hook `json:"after"`
}

// hook is where a number's texts go.
type hook struct {
	SmsURL            string `json:"sms_url"`
	SmsMethod         string `json:"sms_method"`
	SmsFallbackURL    string `json:"sms_fallback_url"`
	SmsFallbackMethod string `json:"sms_fallback_method"`
}

func hookOf(s twilio.NumberSettings) hook {
	return hook{s.SmsURL, s.SmsMethod, s.SmsFallbackURL, s.SmsFallbackMethod}
}

func (h hook) settings() twilio.NumberSettings {
	return twilio.NumberSettings{
		SmsURL: h.SmsURL, SmsMethod: h.SmsMethod, SmsFallbackURL: h.SmsFallbackURL, SmsFallbackMethod: h.SmsFallbackMethod,
	}
}

// arrived is a canary's text that reached a phone.
type arrived struct {
	MessageSid  string          `json:"message_sid"`
	PhoneNumber sms.PhoneNumber `json:"phone_number"`
	URL         string          `json:"url"`
}

// isEmpty reports whether init has done nothing here, or has undone it.
func (r record) isEmpty() bool {
	return len(r.Numbers) == 0 && len(r.Files) == 0 && !r.Unit && r.Canary == nil
}

// pointing notes what a number had before init pointed it at the relay: what it had before the first time.
func (r record) pointing(n twilio.Number, after twilio.NumberSettings) record {
	numbers := []pointed{}
	one := pointed{PhoneNumber: n.PhoneNumber, Sid: n.Sid, Before: hookOf(n.NumberSettings), After: hookOf(after)}
	for _, p := range r.Numbers {
		if p.Sid != n.Sid {
			numbers = append(numbers, p)
			continue
		}
		if p.After.SmsURL == n.SmsURL {
			one.Before = p.Before
		}
	}
	r.Numbers = append(numbers, one)
	return r
}

func readRecord(path string) (record, error) {
	text, err := readIfThere(path)
	if err != nil || text == nil {
		return record{}, err
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		return record{}, fmt.Errorf("%s, where relay init keeps what it did, cannot be read: %w", path, err)
	}
	return r, nil
}

// keepRecord writes the record, or removes it if it is empty.
func (j *job) keepRecord() error {
	path := j.path(recordFile)
	if j.record.isEmpty() {
		if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
			return err
		}
		return nil
	}
	return durable.Disk{}.Write(path, func(file io.Writer) error {
		encoder := json.NewEncoder(file)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(j.record)
	})
}
