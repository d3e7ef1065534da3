package operations

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
)

var (
	errNoObject = errors.New("the body is not one JSON object with the fields of this request")
	errFollowed = errors.New("something follows the JSON object")
)

// readObject reads a JSON object with the named fields, each into its place in fields, and returns which fields the object
// has. Mistakes in fields go to wrong. The error, which is also for the caller, says that the body is not such an object.
func readObject(body []byte, names []string, fields map[string]any, wrong *findings) (seen map[string]bool, err error) {
	decoder := json.NewDecoder(bytes.NewReader(body))
	if start, err := decoder.Token(); err != nil || start != json.Delim('{') {
		return nil, errNoObject
	}
	seen = map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		name, isName := token.(string)
		var value json.RawMessage
		if err != nil || !isName || decoder.Decode(&value) != nil {
			return nil, errNoObject
		}
		switch {
		case !slices.Contains(names, name):
			wrong.malform(name, "unknown field %q: the fields are %s and %s", name, strings.Join(names[:len(names)-1], ", "), names[len(names)-1])
		case seen[name]:
			wrong.malform(name, "%s is there twice", name)
		default:
			readField(name, value, fields[name], wrong)
		}
		seen[name] = true
	}
	if _, err := decoder.Token(); err != nil {
		return nil, errNoObject
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errFollowed
	}
	return seen, nil
}

// readField reads one value. It refuses JSON's null: a field without a value must be left out.
func readField(name string, value json.RawMessage, field any, wrong *findings) {
	kind := kindOf(value)
	if kind != "null" && decode(value, field) == nil {
		return
	}
	want := "a string"
	switch field.(type) {
	case *bool:
		want = "true or false"
	case *int64:
		want = "a whole number"
	case *[]string:
		want = "an array of strings"
	case *[]Picture:
		want = "an array of objects with content_type and data"
	case *[]Shift:
		want = "an array of objects with days, from, to and phones"
	}
	wrong.malform(name, "%s: want %s, not a JSON %s", name, want, kind)
}

// decode reads a value. Objects in it have no fields but those that are known.
func decode(value json.RawMessage, field any) error {
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.DisallowUnknownFields()
	return decoder.Decode(field)
}

// kindOf names the kind of a JSON value by how it begins.
func kindOf(value json.RawMessage) string {
	switch value[0] {
	case '"':
		return "string"
	case '[':
		return "array"
	case '{':
		return "object"
	case 't', 'f':
		return "bool"
	case 'n':
		return "null"
	default:
		return "number"
	}
}
