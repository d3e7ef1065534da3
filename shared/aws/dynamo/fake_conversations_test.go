package dynamo_test

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// reason is why a transaction is given up, as far as one of its writes is concerned.
type reason struct {
	Code    string
	Message string   `json:",omitempty"`
	Item    wireItem `json:",omitempty"`
}

type transactInput struct {
	TransactItems      []struct{ Put putInput }
	ClientRequestToken string
}

// transact writes all or nothing. A token that was answered before is answered the same.
func (f *fakeDynamo) transact(in transactInput) (any, error) {
	if in.ClientRequestToken == "" || len(in.TransactItems) == 0 {
		return nil, invalid()
	}
	if f.tokens[in.ClientRequestToken] {
		return struct{}{}, nil
	}
	before := maps.Clone(f.items)
	reasons := make([]reason, len(in.TransactItems))
	refused := false
	for i, write := range in.TransactItems {
		reasons[i].Code = "None"
		_, err := f.put(write.Put)
		if err == nil {
			continue
		}
		failed, ok := err.(refusal) //nolint:errorlint // f.put returns no other
		if !ok || failed.code != "ConditionalCheckFailedException" {
			return nil, err
		}
		refused = true
		reasons[i] = reason{Code: "ConditionalCheckFailed", Message: "The conditional request failed", Item: failed.item}
	}
	if refused {
		f.items = before
		return nil, canceled(reasons...)
	}
	if !f.forgetsTokens {
		f.tokens[in.ClientRequestToken] = true
	}
	return struct{}{}, nil
}

func canceled(reasons ...reason) refusal {
	return refusal{status: http.StatusBadRequest, code: "TransactionCanceledException", reasons: reasons}
}

// queryTable answers a query of the table itself, by the beginning of its sort keys.
func (f *fakeDynamo) queryTable(in queryInput) (any, error) {
	partition, prefix := in.ExpressionAttributeValues.text(":partition"), in.ExpressionAttributeValues.text(":prefix")
	after := in.ExclusiveStartKey.text(f.schema.SortKey)
	if partition == "" || prefix == "" || f.schema.SortKey == "" || in.ScanIndexForward != nil ||
		in.KeyConditionExpression != "#partition = :partition AND begins_with(#item, :prefix)" ||
		in.ExclusiveStartKey != nil && (in.ExclusiveStartKey.text(f.schema.Key) != partition || !strings.HasPrefix(after, prefix)) {
		return nil, invalid()
	}
	found := []wireItem{}
	for _, stored := range f.items {
		key := stored.text(f.schema.SortKey)
		if stored.text(f.schema.Key) == partition && strings.HasPrefix(key, prefix) && key > after {
			found = append(found, stored)
		}
	}
	slices.SortFunc(found, func(a, b wireItem) int { return cmp.Compare(a.text(f.schema.SortKey), b.text(f.schema.SortKey)) })
	size := len(found) + 1
	for _, limit := range []int{in.Limit, f.pageSize} {
		if limit > 0 {
			size = min(size, limit)
		}
	}
	if len(found) < size {
		return map[string]any{"Items": found}, nil
	}
	last := found[size-1]
	return map[string]any{"Items": found[:size], "LastEvaluatedKey": wireItem{
		f.schema.Key: last[f.schema.Key], f.schema.SortKey: last[f.schema.SortKey],
	}}, nil
}
