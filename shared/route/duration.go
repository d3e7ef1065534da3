package route

import (
	"encoding/json"
	"reflect"
	"time"

	"quickdumpnow.com/smsrelay/shared/duration"
)

// Duration is a time.Duration that JSON, and so the tables, write as people do: "90s", "4h", "1h30m".
type Duration time.Duration

// ParseDuration reads a duration as [duration.Parse] does.
func ParseDuration(text string) (Duration, error) {
	d, err := duration.Parse(text)
	return Duration(d), err
}

// String writes the duration as the tables hold it: without days, see [duration.InHours].
func (d Duration) String() string { return duration.InHours(time.Duration(d)) }

// MarshalJSON implements [json.Marshaler].
func (d Duration) MarshalJSON() ([]byte, error) { return json.Marshal(d.String()) }

// UnmarshalJSON implements [json.Unmarshaler]. The error is a *json.UnmarshalTypeError, to which encoding/json adds the
// name of the field.
func (d *Duration) UnmarshalJSON(data []byte) error {
	var text *string
	if err := json.Unmarshal(data, &text); err != nil {
		return err
	}
	if text == nil {
		return nil
	}
	parsed, err := ParseDuration(*text)
	if err != nil {
		return &json.UnmarshalTypeError{Value: "string", Type: reflect.TypeFor[Duration]()}
	}
	*d = parsed
	return nil
}
