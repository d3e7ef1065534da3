package dynamo

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// item is a DynamoDB item.
type item = map[string]types.AttributeValue

// encode returns v, which must be a struct, as an item: its JSON fields as attributes, numbers digit by digit.
func encode(v any) (item, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("encode item: %w", err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var fields map[string]any
	if err := decoder.Decode(&fields); err != nil {
		return nil, fmt.Errorf("encode item: %w", err)
	}
	encoded := make(item, len(fields))
	for name, value := range fields {
		encoded[name] = attribute(value)
	}
	return encoded, nil
}

// attribute returns a value of encoding/json as DynamoDB has it.
func attribute(value any) types.AttributeValue { //nolint:ireturn // the SDK's attribute values are a sum type
	switch v := value.(type) {
	case string:
		return &types.AttributeValueMemberS{Value: v}
	case json.Number:
		return &types.AttributeValueMemberN{Value: v.String()}
	case bool:
		return &types.AttributeValueMemberBOOL{Value: v}
	case []any:
		list := make([]types.AttributeValue, len(v))
		for i, element := range v {
			list[i] = attribute(element)
		}
		return &types.AttributeValueMemberL{Value: list}
	case map[string]any:
		fields := make(item, len(v))
		for name, field := range v {
			fields[name] = attribute(field)
		}
		return &types.AttributeValueMemberM{Value: fields}
	default:
		return &types.AttributeValueMemberNULL{Value: true}
	}
}

// decode reads an item into v, a pointer to a struct. It ignores attributes that v has no field for. The error says which
// attribute is wrong, never what it holds.
func decode(stored item, v any) error {
	text, err := canonical(stored)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, v); err != nil {
		if mismatch, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
			return fmt.Errorf("attribute %s should be %s", mismatch.Field, mismatch.Type)
		}
		return errors.New("an attribute has the wrong form")
	}
	return nil
}

// canonical returns the item as JSON with its attributes in order of name.
func canonical(stored item) ([]byte, error) {
	fields := make(map[string]any, len(stored))
	for name, attribute := range stored {
		value, err := plain(attribute)
		if err != nil {
			return nil, fmt.Errorf("attribute %s: %w", name, err)
		}
		fields[name] = value
	}
	text, err := json.Marshal(fields)
	if err != nil {
		return nil, errors.New("a number has the wrong form")
	}
	return text, nil
}

// plain returns an attribute value as encoding/json has it. Sets come from items written by hand and count as lists.
func plain(attribute types.AttributeValue) (any, error) {
	switch a := attribute.(type) {
	case *types.AttributeValueMemberS:
		return a.Value, nil
	case *types.AttributeValueMemberN:
		return json.Number(a.Value), nil
	case *types.AttributeValueMemberBOOL:
		return a.Value, nil
	case *types.AttributeValueMemberNULL:
		return nil, nil
	case *types.AttributeValueMemberSS:
		return a.Value, nil
	case *types.AttributeValueMemberL:
		return plainList(a.Value)
	case *types.AttributeValueMemberM:
		return plainMap(a.Value)
	default:
		return nil, errors.New("its DynamoDB type is not one the relay uses")
	}
}

func plainList(attributes []types.AttributeValue) (any, error) {
	list := make([]any, len(attributes))
	for i, attribute := range attributes {
		value, err := plain(attribute)
		if err != nil {
			return nil, err
		}
		list[i] = value
	}
	return list, nil
}

func plainMap(attributes item) (any, error) {
	fields := make(map[string]any, len(attributes))
	for name, attribute := range attributes {
		value, err := plain(attribute)
		if err != nil {
			return nil, err
		}
		fields[name] = value
	}
	return fields, nil
}

// text returns a string attribute, "" if it is absent or of another type.
func text(stored item, name string) string {
	if s, ok := stored[name].(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}
