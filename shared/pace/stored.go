package pace

import (
	"encoding/json"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// stored is a state's JSON form: times since 1970, Next and At (BookedAt) in nanoseconds and the moments in milliseconds.
type stored struct {
	Next  int64                       `json:",omitzero"`
	Pairs map[sms.PhoneNumber][]int64 `json:",omitempty"`
	At    int64                       `json:",omitzero"`
}

// MarshalJSON writes the state as an object of Next and Pairs.
func (s State) MarshalJSON() ([]byte, error) {
	var form stored
	if !s.Next.IsZero() {
		form.Next = s.Next.UnixNano()
	}
	if !s.BookedAt.IsZero() {
		form.At = s.BookedAt.UnixNano()
	}
	form.Pairs = make(map[sms.PhoneNumber][]int64, len(s.Recent))
	for to, moments := range s.Recent {
		for _, moment := range moments {
			form.Pairs[to] = append(form.Pairs[to], moment.UnixMilli())
		}
	}
	return json.Marshal(form)
}

// UnmarshalJSON reads what MarshalJSON wrote; it ignores unknown fields.
func (s *State) UnmarshalJSON(text []byte) error {
	var form stored
	if err := json.Unmarshal(text, &form); err != nil {
		return err
	}
	*s = State{Recent: make(map[sms.PhoneNumber][]time.Time, len(form.Pairs))}
	if form.Next != 0 {
		s.Next = time.Unix(0, form.Next).UTC()
	}
	if form.At != 0 {
		s.BookedAt = time.Unix(0, form.At).UTC()
	}
	for to, moments := range form.Pairs {
		for _, moment := range moments {
			s.Recent[to] = append(s.Recent[to], time.UnixMilli(moment).UTC())
		}
	}
	return nil
}
