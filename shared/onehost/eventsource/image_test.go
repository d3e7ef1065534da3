package eventsource_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/shared/onehost/eventsource"
)

// imageText returns an item's image as Lambda would deliver it.
func imageText(t *testing.T, item string) string {
	t.Helper()
	image, err := eventsource.Image(json.RawMessage(item))
	if err != nil {
		t.Fatalf("Image(%s): %v", item, err)
	}
	text, err := json.Marshal(image)
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(text), " ", "")
}

func TestImage(t *testing.T) {
	for _, tt := range []struct{ name, item, want string }{
		{"a text", `{"a":"b"}`, `{"a":{"S":"b"}}`},
		{"an empty text", `{"a":""}`, `{"a":{"S":""}}`},
		{"a text that looks like a number", `{"a":"7"}`, `{"a":{"S":"7"}}`},
		{"characters of all kinds", `{"a":"\u0000\uffff\ud83d\ude9aä"}`, `{"a":{"S":"\u0000` + "\uffff🚚ä" + `"}}`},
		{"true", `{"a":true}`, `{"a":{"BOOL":true}}`},
		{"false", `{"a":false}`, `{"a":{"BOOL":false}}`},
		{"null", `{"a":null}`, `{"a":{"NULL":true}}`},
		{"zero", `{"a":0}`, `{"a":{"N":"0"}}`},
		{"a number no float64 has", `{"a":9007199254740993}`, `{"a":{"N":"9007199254740993"}}`},
		{"a negative one", `{"a":-9007199254740993}`, `{"a":{"N":"-9007199254740993"}}`},
		{"38 digits", `{"a":12345678901234567890123456789012345678}`, `{"a":{"N":"12345678901234567890123456789012345678"}}`},
		{"a fraction", `{"a":0.1}`, `{"a":{"N":"0.1"}}`},
		{"an exponent", `{"a":1.5e-7}`, `{"a":{"N":"1.5e-7"}}`},
		{"a list", `{"a":["b",1,true,null,[],{}]}`, `{"a":{"L":[{"S":"b"},{"N":"1"},{"BOOL":true},{"NULL":true},{"L":[]},{"M":{}}]}}`},
		{"no list", `{"a":[]}`, `{"a":{"L":[]}}`},
		{"a map", `{"a":{"b":{"c":[{"d":2}]}}}`, `{"a":{"M":{"b":{"M":{"c":{"L":[{"M":{"d":{"N":"2"}}}]}}}}}}`},
		{"no map", `{"a":{}}`, `{"a":{"M":{}}}`},
		{"several attributes", `{"b":1,"a":"x","":false}`, `{"":{"BOOL":false},"a":{"S":"x"},"b":{"N":"1"}}`},
		{"no attributes", `{}`, `{}`},
		{"blanks around it", " \n{\"a\":1}\t", `{"a":{"N":"1"}}`},
		{"no item", ``, `null`},
		{"null for no item", `null`, `null`},
	} {
		t.Run(tt.name, func(t *testing.T) { compare(t, "image", tt.want, imageText(t, tt.item)) })
	}
}

func TestImageOfNoItem(t *testing.T) {
	for _, item := range []json.RawMessage{nil, {}, json.RawMessage("null"), json.RawMessage(" null ")} {
		if image, err := eventsource.Image(item); image != nil || err != nil {
			t.Errorf("image of %q is %v, error %v", item, image, err)
		}
	}
}

func TestImageRefuses(t *testing.T) {
	for _, item := range []string{`[]`, `"secret"`, `7`, `true`, `{`, `{"a":secret}`, `{"secret"}`, `secret`} {
		image, err := eventsource.Image(json.RawMessage(item))
		if err == nil || image != nil {
			t.Errorf("image of %s is %v, error %v", item, image, err)
		} else if strings.Contains(err.Error(), "secret") {
			t.Errorf("the error quotes the item: %v", err)
		}
	}
}

// plainOf returns what an attribute value means in JSON.
func plainOf(t *testing.T, value events.DynamoDBAttributeValue) any {
	t.Helper()
	switch value.DataType() { //nolint:exhaustive // JSON has no values of the others.
	case events.DataTypeString:
		return value.String()
	case events.DataTypeNumber:
		return json.Number(value.Number())
	case events.DataTypeBoolean:
		return value.Boolean()
	case events.DataTypeNull:
		return nil
	case events.DataTypeList:
		list := []any{}
		for _, element := range value.List() {
			list = append(list, plainOf(t, element))
		}
		return list
	case events.DataTypeMap:
		fields := map[string]any{}
		for name, field := range value.Map() {
			fields[name] = plainOf(t, field)
		}
		return fields
	default:
		t.Fatalf("type %d", value.DataType())
		return nil
	}
}

// FuzzImage: every JSON object is an image, and reads back as what it was, digit for digit.
func FuzzImage(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"a":[1,"b",null,true,{"c":1e9}]}`, `{"a":9007199254740993}`, `{"a":"\ud800"}`, `[]`, `null`,
		`{"a":1,"a":2}`, `{`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, item []byte) {
		image, err := eventsource.Image(item)
		decoder := json.NewDecoder(bytes.NewReader(item))
		decoder.UseNumber()
		var want map[string]any
		if !json.Valid(item) || decoder.Decode(&want) != nil || want == nil {
			return
		}
		if err != nil {
			t.Fatalf("Image: %v", err)
		}
		compare(t, "item read back", any(want), plainOf(t, events.NewMapAttribute(image)))
	})
}
