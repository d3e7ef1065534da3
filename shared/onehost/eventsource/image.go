package eventsource

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
)

// Image translates an item's JSON to a stream image: each JSON value to the attribute value that DynamoDB keeps of it.
// No item, nil or "null", is a nil image.
func Image(item json.RawMessage) (map[string]events.DynamoDBAttributeValue, error) {
	if len(item) == 0 {
		return nil, nil //nolint:nilnil // no item has no image.
	}
	decoder := json.NewDecoder(bytes.NewReader(item))
	decoder.UseNumber()
	var plain map[string]any
	if err := decoder.Decode(&plain); err != nil {
		return nil, fmt.Errorf("decode item: %w", err)
	}
	if plain == nil {
		return nil, nil //nolint:nilnil // no item has no image.
	}
	return imageOf(plain), nil
}

func imageOf(plain map[string]any) map[string]events.DynamoDBAttributeValue {
	image := make(map[string]events.DynamoDBAttributeValue, len(plain))
	for name, value := range plain {
		image[name] = attributeOf(value)
	}
	return image
}

func attributeOf(value any) events.DynamoDBAttributeValue {
	switch v := value.(type) {
	case string:
		return events.NewStringAttribute(v)
	case json.Number:
		return events.NewNumberAttribute(v.String())
	case bool:
		return events.NewBooleanAttribute(v)
	case []any:
		list := make([]events.DynamoDBAttributeValue, len(v))
		for i, element := range v {
			list[i] = attributeOf(element)
		}
		return events.NewListAttribute(list)
	case map[string]any:
		return events.NewMapAttribute(imageOf(v))
	default:
		return events.NewNullAttribute()
	}
}
