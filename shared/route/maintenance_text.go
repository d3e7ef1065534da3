package route

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/nearest"
)

// plainText returns the JSON in a file that an editor saved: without the mark that some editors put before UTF-8. The error
// says why the file is not UTF-8 text.
func plainText(data []byte) ([]byte, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")), bytes.HasPrefix(data, []byte("\xfe\xff")), len(data) > 1 && (data[0] == 0 || data[1] == 0):
		return nil, errors.New("line 1: the file is UTF-16: save it as UTF-8")
	case len(bytes.TrimSpace(data)) == 0:
		return nil, errors.New("line 1: the file is empty")
	default:
		return data, nil
	}
}

// fieldNames are the fields of a T in a file.
func fieldNames[T any]() []string {
	var names []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[T]()) {
		names = append(names, field.Name)
	}
	return names
}

// nested finds unknown and repeated fields in the lists of a route.
func (p *parser) nested(start int, element json.RawMessage) (problems []error) {
	var lists struct {
		Phones, Schedule, Overrides []json.RawMessage
		AutoAnswer                  json.RawMessage
	}
	if err := json.Unmarshal(element, &lists); err != nil {
		return nil // what it is instead of a list is said when the route is read.
	}
	for _, list := range []struct {
		entries []json.RawMessage
		known   []string
	}{
		{lists.Phones, fieldNames[Phone]()},
		{lists.Schedule, fieldNames[Shift]()},
		{lists.Overrides, fieldNames[Override]()},
		{[]json.RawMessage{lists.AutoAnswer}, fieldNames[AutoAnswer]()},
	} {
		read := 0
		for _, entry := range list.entries {
			at := max(0, bytes.Index(element[read:], entry)) + read
			problems = append(problems, checkNames(p.data, start+at, entry, list.known)...)
			read = at
		}
	}
	return problems
}

// foldedPhones returns the phones with their names as they are kept.
func foldedPhones(phones []Phone) []Phone {
	for i, p := range phones {
		if folded := PhoneName(p.Name); folded != "" {
			phones[i].Name = folded
		}
	}
	return phones
}

// foldedSchedule returns the route with the names in its schedule as they are kept.
func (r Route) foldedSchedule() Route {
	fold := func(whos []string) {
		for i, who := range whos {
			whos[i] = foldedWho(who)
		}
	}
	for _, s := range r.Schedule {
		fold(s.Phones)
	}
	for _, o := range r.Overrides {
		fold(o.Phones)
	}
	fold(r.NightPhones)
	return r
}

// foldedWho returns a name or a number as it is kept.
func foldedWho(who string) string {
	if folded := PhoneName(who); folded != "" && !strings.HasPrefix(who, "+") {
		return folded
	}
	return who
}

// checkNames finds unknown and repeated fields of a JSON object, also if a repeated field has another spelling: programs
// differ in which one they use. start is the object's place in data.
func checkNames(data []byte, start int, object []byte, known []string) (problems []error) {
	decoder := json.NewDecoder(bytes.NewReader(object))
	if token, err := decoder.Token(); err != nil || token != json.Delim('{') {
		return nil
	}
	seen := map[string]string{}
	for decoder.More() {
		token, err := decoder.Token()
		name, isName := token.(string)
		line := lineOf(data, start+int(decoder.InputOffset()))
		var value json.RawMessage
		if err != nil || !isName || decoder.Decode(&value) != nil {
			return problems // The decoder reports what is not JSON.
		}
		earlier, twice := seen[strings.ToLower(name)]
		switch {
		case twice && earlier == name:
			problems = append(problems, fmt.Errorf("line %d: %s is there twice: leave one out", line, name))
		case twice:
			problems = append(problems, fmt.Errorf("line %d: %s is there already, as %s: leave one out", line, name, earlier))
		case !slices.Contains(known, name):
			problems = append(problems, fmt.Errorf("line %d: unknown field %q%s", line, name, nearest.Question(name, known)))
		}
		seen[strings.ToLower(name)] = name
	}
	return problems
}

func lineOf(data []byte, offset int) int {
	return 1 + bytes.Count(data[:min(offset, len(data))], []byte("\n"))
}

// explain says in words what is wrong with the JSON, and in which line. start is the place in data where the decoder began.
func explain(data []byte, start int, err error) error {
	offset := start
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset += int(syntax.Offset)
		if strings.Contains(err.Error(), "unexpected end") {
			err = io.ErrUnexpectedEOF
		}
	} else if kind, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		offset += int(kind.Offset)
		err = fmt.Errorf("%s must not be a JSON %s%s", nameOf(kind.Field), kind.Value, wantOf(kind.Field))
	} else if !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("line %d: the file ends early, as if it had been cut: its last brackets are missing",
			lineOf(data, len(bytes.TrimSpace(data))))
	}
	return fmt.Errorf("line %d: %w", lineOf(data, offset), err)
}

// nameOf names what a JSON error is about: a field, or the file's own value.
func nameOf(field string) string {
	if field == "" {
		return "this"
	}
	return field
}

// wantOf says how to write the settings that are often written wrong.
func wantOf(field string) string {
	switch field {
	case "Ring":
		return fmt.Sprintf(": want %q or %q", RingInTurn, RingAll)
	case "OnUncertain":
		return fmt.Sprintf(": want %q or %q", Park, Resend)
	case "DeliveryTimeout", "MaxAge", "AnswerWindow", "HoldTime", "AnswerTimeout", "ClaimTime":
		return `: want a duration in quotes, such as "90s" or "4h"`
	case "Phones":
		return `: want a list of phones, such as [{"Name": "Ann", "Number": "+16195550123"}]`
	case "Phones.Name", "Owner":
		return `: want a name in quotes, such as "Ann"`
	case "Schedule":
		return `: want a list such as [{"Days": "Mon-Fri", "From": "07:00", "To": "18:00", "Phones": ["Ann"]}]`
	case "Overrides":
		return `: want a list such as [{"Date": "2026-12-24", "Phones": ["Ann"]}]`
	case "Schedule.Phones", "Overrides.Phones", "NightPhones":
		return `: want a list of names or numbers, such as ["Ann", "+18585550110"]`
	case "AutoAnswer":
		return `: want texts such as {"Closed": "We are closed. We answer tomorrow."}`
	case "Closed":
		return fmt.Sprintf(": want %q, %q or %q", ClosedRelay, ClosedNight, ClosedHold)
	case "FallbackCarriers", "Threads", "Phones.Also":
		return `: want a list of numbers, such as ["+18585550110"]`
	case "PaceNumber":
		return `: want a pace in quotes, such as "3/1s" or "off"`
	default:
		return ""
	}
}
