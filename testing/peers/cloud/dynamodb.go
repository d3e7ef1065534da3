package cloud

import (
	"encoding/json"
	"maps"
	"strings"
)

// item is one in DynamoDB's JSON.
type item map[string]json.RawMessage

// keyOf returns an item's key in its table as one text. The first attribute alone is the key of most.
func (c *Cloud) keyOf(table string, of item) string {
	var parts []string
	for _, attribute := range c.config.Keys[table] {
		var value struct{ S string }
		_ = json.Unmarshal(of[attribute], &value) // What is no text is the empty one.
		parts = append(parts, value.S)
	}
	return strings.Join(parts, "\x00")
}

func (c *Cloud) store(table string, written item) {
	if c.tables[table] == nil {
		c.tables[table] = map[string]item{}
	}
	c.tables[table][c.keyOf(table, written)] = written
}

func (c *Cloud) find(table string, key item) (item, bool) {
	found, ok := c.tables[table][c.keyOf(table, key)]
	return found, ok
}

// dynamo answers DynamoDB's operations.
func (c *Cloud) dynamo(operation string, asked request) (answer any, refused *refusal) {
	switch operation {
	case "GetItem":
		if found, ok := c.find(asked.TableName, asked.Key); ok {
			return map[string]any{"Item": found}, nil
		}
		return struct{}{}, nil
	case "BatchGetItem":
		return c.batchGet(asked), nil
	case "Query":
		return map[string]any{"Items": []item{}, "Count": 0, "ScannedCount": 0}, nil
	case "PutItem":
		return c.put(asked)
	case "UpdateItem":
		return c.update(asked)
	case "TransactWriteItems":
		for _, write := range asked.TransactItems {
			if _, refused := c.put(*write.Put); refused != nil {
				return nil, &refusal{Type: "TransactionCanceledException", Message: "Transaction cancelled"}
			}
		}
		return struct{}{}, nil
	default:
		return nil, &refusal{Type: "UnknownOperationException", Message: operation + " is not played here"}
	}
}

func (c *Cloud) batchGet(asked request) any {
	responses := map[string][]item{}
	for table, wanted := range asked.RequestItems {
		responses[table] = []item{}
		for _, key := range wanted.Keys {
			if found, ok := c.find(table, key); ok {
				responses[table] = append(responses[table], found)
			}
		}
	}
	return map[string]any{"Responses": responses, "UnprocessedKeys": struct{}{}}
}

// put writes an item, unless it has to be new and is not.
func (c *Cloud) put(asked request) (answer any, refused *refusal) {
	stored, exists := c.find(asked.TableName, asked.Item)
	if exists && strings.HasPrefix(asked.ConditionExpression, "attribute_not_exists") {
		return nil, &refusal{
			Type: "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", Message: "The conditional request failed", Item: stored,
		}
	}
	c.store(asked.TableName, asked.Item)
	return struct{}{}, nil
}

// update sets the attributes that an expression such as "SET #a = :a, #b = :b" names.
func (c *Cloud) update(asked request) (answer any, refused *refusal) {
	found, _ := c.find(asked.TableName, asked.Key)
	changed := maps.Clone(asked.Key)
	maps.Copy(changed, found)
	assignments, isSet := strings.CutPrefix(asked.UpdateExpression, "SET ")
	if !isSet {
		return nil, &refusal{Type: "ValidationException", Message: "only SET is played here"}
	}
	for assignment := range strings.SplitSeq(assignments, ",") {
		name, value, _ := strings.Cut(assignment, "=")
		name = strings.TrimSpace(name)
		if full, ok := asked.ExpressionAttributeNames[name]; ok {
			name = full
		}
		changed[name] = asked.ExpressionAttributeValues[strings.TrimSpace(value)]
	}
	c.store(asked.TableName, changed)
	return struct{}{}, nil
}
