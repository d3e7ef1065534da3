package route

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Duration is a time.Duration that JSON, and so the tables, write as people do: "90s", "4h", "1h30m".
type Duration time.Duration

// ParseDuration reads a duration such as "90s" or "4h", see [time.ParseDuration], or one with days of 24 hours before it: "3d", "1d12h".
func ParseDuration(text string) (Duration, error) {
	days, rest, found := strings.Cut(text, "d")
	if !found {
		d, err := time.ParseDuration(text)
		return Duration(d), err
	}
	n, err := strconv.ParseUint(days, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration", text)
	}
	d := time.Duration(n) * 24 * time.Hour
	if rest != "" {
		var more time.Duration
		if more, err = time.ParseDuration(rest); err != nil || more < 0 {
			return 0, fmt.Errorf("%q is not a duration", text)
		}
		d += more
	}
	return Duration(d), nil
}

// String writes the duration as short as [ParseDuration] reads it: "4h", not "4h0m0s".
func (d Duration) String() string {
	text := time.Duration(d).String()
	if short, found := strings.CutSuffix(text, "m0s"); found {
		text = short + "m"
	}
	if short, found := strings.CutSuffix(text, "h0m"); found {
		text = short + "h"
	}
	return text
}

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
