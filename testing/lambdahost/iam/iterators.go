package iam

import "encoding/json"

// iterators knows which stream each shard iterator is of: the calls that use one do not say. A call may be repeated with the
// iterator of the last, so that one that was used stays known, until manyIterators newer ones have come.
type iterators struct {
	recent, older map[string]string
}

// manyIterators is how many are known at least: three hours' of a stream that is read four times a second.
const manyIterators = 50_000

func (i *iterators) stream(iterator string) string {
	if stream, ok := i.recent[iterator]; ok {
		return stream
	}
	return i.older[iterator]
}

func (i *iterators) note(iterator, stream string) {
	if iterator == "" || stream == "" {
		return
	}
	if i.recent == nil || len(i.recent) >= manyIterators {
		i.recent, i.older = map[string]string{}, i.recent
	}
	i.recent[iterator] = stream
}

// iterates reports whether the answer to an operation names a shard iterator.
func iterates(operation string) bool {
	return operation == "GetShardIterator" || operation == "GetRecords"
}

// remember notes the iterator that an answer names. Each answer to GetRecords names the next one, but for the last of a
// closed shard; an error names none.
func (r *Recorder) remember(answer *watched, request []byte) {
	var asked struct{ StreamArn, ShardIterator string }
	var told struct{ ShardIterator, NextShardIterator string }
	if !answer.keep || json.Unmarshal(request, &asked) != nil || json.Unmarshal(answer.body.Bytes(), &told) != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.iterators.note(told.ShardIterator, asked.StreamArn)
	r.iterators.note(told.NextShardIterator, r.iterators.stream(asked.ShardIterator))
}
