package audit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sort"
	"strconv"

	"github.com/aws/aws-lambda-go/events"
)

// image reads a stream image into T by way of JSON, whose names are the attributes' names. An absent image is nil.
func image[T any](attributes map[string]events.DynamoDBAttributeValue) (*T, error) {
	if len(attributes) == 0 {
		return nil, nil //nolint:nilnil // an absent image is a case of its own, not an error.
	}
	w := newItemWriter()
	if err := w.object(attributes); err != nil {
		return nil, err
	}
	value := new(T)
	if w.broken || json.Unmarshal(w.text.Bytes(), value) != nil {
		// The cause is left out: it may quote the item.
		return nil, fmt.Errorf("item is not a %T", *value)
	}
	return value, nil
}

// itemWriter writes an item as JSON: text by text, since a tree of maps for encoding/json would cost ten times as many allocations.
type itemWriter struct {
	text    bytes.Buffer
	encoder *json.Encoder
	// broken is whether there was a number that is none.
	broken bool
	// word and number are what the encoder is given.
	word   string
	number json.Number
}

func newItemWriter() *itemWriter {
	const usual = 2048
	w := &itemWriter{}
	w.text.Grow(usual)
	w.encoder = json.NewEncoder(&w.text)
	return w
}

func (w *itemWriter) object(attributes map[string]events.DynamoDBAttributeValue) error {
	names := make([]string, 0, len(attributes))
	for name := range attributes {
		names = append(names, name)
	}
	// If two names are one field's, always the same counts.
	sort.Strings(names)
	w.text.WriteByte('{')
	for i, name := range names {
		w.separate(i)
		w.string(name)
		w.text.WriteByte(':')
		if err := w.value(attributes[name]); err != nil {
			return fmt.Errorf("attribute %s: %w", name, err)
		}
	}
	w.text.WriteByte('}')
	return nil
}

// value writes what an attribute value holds. The accessors of events.DynamoDBAttributeValue panic on a type other than their
// own, so the type is checked first.
func (w *itemWriter) value(value events.DynamoDBAttributeValue) error {
	switch value.DataType() {
	case events.DataTypeString:
		w.string(value.String())
	case events.DataTypeNumber:
		w.number = json.Number(value.Number())
		w.broken = w.encoder.Encode(&w.number) != nil || w.broken
	case events.DataTypeBoolean:
		w.text.WriteString(strconv.FormatBool(value.Boolean()))
	case events.DataTypeNull:
		w.text.WriteString("null")
	case events.DataTypeMap:
		return w.object(value.Map())
	case events.DataTypeList:
		return list(w, value.List(), w.value)
	case events.DataTypeStringSet:
		return list(w, value.StringSet(), func(word string) error {
			w.string(word)
			return nil
		})
	case events.DataTypeNumberSet, events.DataTypeBinary, events.DataTypeBinarySet:
		return fmt.Errorf("unexpected type %d", value.DataType())
	default:
		return fmt.Errorf("unknown type %d", value.DataType())
	}
	return nil
}

func (w *itemWriter) string(word string) {
	w.word = word
	w.broken = w.encoder.Encode(&w.word) != nil || w.broken
}

// separate writes what stands before the ith of several.
func (w *itemWriter) separate(i int) {
	if i > 0 {
		w.text.WriteByte(',')
	}
}

func list[E any](w *itemWriter, elements []E, write func(E) error) error {
	w.text.WriteByte('[')
	for i, element := range elements {
		w.separate(i)
		if err := write(element); err != nil {
			return err
		}
	}
	w.text.WriteByte(']')
	return nil
}
