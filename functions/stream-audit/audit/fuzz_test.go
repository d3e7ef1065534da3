package audit_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
)

// strange returns a value of each type that DynamoDB has, by the type's name. None holds anything but mark.
func strange(mark string) map[string]events.DynamoDBAttributeValue {
	text := events.NewStringAttribute(mark)
	return map[string]events.DynamoDBAttributeValue{
		"nothing": {}, "S": text, "N": events.NewNumberAttribute("7"), "a fraction": events.NewNumberAttribute("7.5"),
		"a great number": events.NewNumberAttribute("1e125"), "BOOL": events.NewBooleanAttribute(true), "NULL": events.NewNullAttribute(),
		"B": events.NewBinaryAttribute([]byte(mark)), "BS": events.NewBinarySetAttribute([][]byte{[]byte(mark)}),
		"SS": events.NewStringSetAttribute([]string{mark}), "NS": events.NewNumberSetAttribute([]string{"7"}),
		"L":             events.NewListAttribute([]events.DynamoDBAttributeValue{text}),
		"M":             events.NewMapAttribute(map[string]events.DynamoDBAttributeValue{mark: text}),
		"no binary":     events.NewBinaryAttribute(nil),
		"no list":       events.NewListAttribute(nil),
		"no map":        events.NewMapAttribute(nil),
		"no set":        events.NewStringSetAttribute(nil),
		"an empty text": events.NewStringAttribute(""),
		"deep": events.NewListAttribute([]events.DynamoDBAttributeValue{
			events.NewMapAttribute(map[string]events.DynamoDBAttributeValue{"To": events.NewBinarySetAttribute(nil)}),
		}),
	}
}

// checkAnswered fails unless the change was either written, or named and not written.
func checkAnswered(t *testing.T, s stage, failed, number string) {
	t.Helper()
	switch lines := s.log.Lines(); {
	case failed == "" && len(lines) == 1, failed == number && len(lines) == 0:
	default:
		t.Errorf("change %q is named and %d lines are written: %s", failed, len(lines), s.logged)
	}
}

// TestStrangeAttributes puts each type of value at each attribute: nothing panics, and what is wrong is never quoted.
func TestStrangeAttributes(t *testing.T) {
	const mark = "+18585550199 SECRETS"
	text, routed, talked := life(1, noon)[2], settled(), talk(t)[2]
	talked.Tag, talked.TagUsedAt, talked.TagVersion = "A47", noon, 1
	originals := map[string]events.DynamoDBEventRecord{
		"ledger": ofMessage(1, nil, &text), "routing": ofRoute(1, nil, &routed), "conversations": ofConversation(1, nil, &talked),
	}
	for table, original := range originals {
		for name := range original.Change.NewImage {
			for kind, value := range strange(mark) {
				t.Run(fmt.Sprintf("%s/%s/%s", table, name, kind), func(t *testing.T) {
					record := original
					record.Change.NewImage = maps.Clone(original.Change.NewImage)
					record.Change.NewImage[name] = value
					s := newStage(nil)
					checkAnswered(t, s, s.handle(t, record), record.Change.SequenceNumber)
					if strings.Contains(s.logged.String(), "55501") || strings.Contains(s.logged.String(), "SECRETS") {
						t.Errorf("the operator's log quotes the item: %s", s.logged)
					}
				})
			}
		}
	}
}

// FuzzHandle reads any JSON as a stream record and handles it: nothing panics, and what is not written is named.
func FuzzHandle(f *testing.F) {
	for _, table := range []string{"ledger", "routing", "conversations"} {
		for _, record := range readEvent(f, table+"_event.json").Records {
			text, err := json.Marshal(record)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(text)
		}
	}
	for _, value := range []string{
		`{}`, `{"S":1}`, `{"L":[{"NS":["1"]}]}`, `{"M":{"":{"NULL":true}}}`, `{"B":"AAEC"}`,
		`{"N":"-1e-99"}`, `{"BS":[]}`,
	} {
		f.Add([]byte(`{"eventName":"INSERT","dynamodb":{"SequenceNumber":"7","Keys":{"MessageSid":{"S":"x"}},"NewImage":{"Attempts":` +
			value + `}}}`))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		record, ok := decodeRecord(text)
		if !ok || record.Change.SequenceNumber == "" {
			t.Skip("Lambda would not have delivered it")
		}
		s := newStage(nil)
		if failed := s.handle(t, record); isPassedOver(record) {
			if lines := s.log.Lines(); failed != "" || len(lines) > 0 {
				t.Errorf("change %q is named and %d lines are written of an item that nobody audits", failed, len(lines))
			}
		} else {
			checkAnswered(t, s, failed, record.Change.SequenceNumber)
		}
		for _, line := range s.log.Lines() {
			if !json.Valid(line.Text) || strings.ContainsAny(string(line.Text), "\n\r") {
				t.Errorf("not one line of JSON: %q", line.Text)
			}
		}
	})
}

// isPassedOver reports whether the change is one of a phone or a tag.
func isPassedOver(record events.DynamoDBEventRecord) bool {
	item, ok := record.Change.Keys["Item"]
	return ok && item.DataType() == events.DataTypeString && !strings.HasPrefix(item.String(), "c#") &&
		!strings.HasPrefix(item.String(), "a#")
}

// decodeRecord decodes a record as Lambda's runtime does. Package events panics over some invalid sets.
func decodeRecord(text []byte) (record events.DynamoDBEventRecord, ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	return record, json.Unmarshal(text, &record) == nil
}
