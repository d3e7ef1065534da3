package audit

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
)

// image reads a stream image into T by way of JSON, whose names are the attributes' names. An absent image is nil.
func image[T any](attributes map[string]events.DynamoDBAttributeValue) (*T, error) {
	if len(attributes) == 0 {
		return nil, nil //nolint:nilnil // an absent image is a case of its own, not an error.
	}
	item, err := plainMap(attributes)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(item)
	value := new(T)
	if err != nil || json.Unmarshal(text, value) != nil {
		// The cause is left out: it may quote the item.
		return nil, fmt.Errorf("item is not a %T", *value)
	}
	return value, nil
}

func plainMap(attributes map[string]events.DynamoDBAttributeValue) (map[string]any, error) {
	item := make(map[string]any, len(attributes))
	for name, attribute := range attributes {
		value, err := plain(attribute)
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", name, err)
		}
		item[name] = value
	}
	return item, nil
}

// plain returns what an attribute value holds. The accessors of events.DynamoDBAttributeValue panic on a type other than their
// own, so the type is checked first.
func plain(value events.DynamoDBAttributeValue) (any, error) {
	switch value.DataType() {
	case events.DataTypeString:
		return value.String(), nil
	case events.DataTypeNumber:
		return json.Number(value.Number()), nil
	case events.DataTypeBoolean:
		return value.Boolean(), nil
	case events.DataTypeNull:
		return nil, nil //nolint:nilnil // DynamoDB's NULL is JSON's null.
	case events.DataTypeMap:
		return plainMap(value.Map())
	case events.DataTypeList:
		list := make([]any, len(value.List()))
		for i, element := range value.List() {
			var err error
			if list[i], err = plain(element); err != nil {
				return nil, err
			}
		}
		return list, nil
	case events.DataTypeStringSet:
		return value.StringSet(), nil
	case events.DataTypeNumberSet, events.DataTypeBinary, events.DataTypeBinarySet:
		return nil, fmt.Errorf("unexpected type %d", value.DataType())
	default:
		return nil, fmt.Errorf("unknown type %d", value.DataType())
	}
}
