package mapping

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestFilter passes on what the pattern wants, and nothing else.
func TestFilter(t *testing.T) {
	f, err := ParseFilter(`{"dynamodb":{"Keys":{"Item":{"S":[{"prefix":"c#"}]}}}}`)
	if err != nil {
		t.Fatal(err)
	}
	var batch []Record
	for _, item := range []string{`"c#+13125550147"`, `"p#1"`, `"c#"`, `7`, `null`} {
		batch = append(batch, Record{SequenceNumber: item, Text: json.RawMessage(`{"dynamodb":{"Keys":{"Item":{"S":` + item + `}}}}`)})
	}
	batch = append(batch, Record{SequenceNumber: "no key", Text: json.RawMessage(`{"dynamodb":{"Keys":{}}}`)})
	var got []string
	for _, record := range f.wanted(batch) {
		got = append(got, record.SequenceNumber)
	}
	if strings.Join(got, " ") != `"c#+13125550147" "c#"` {
		t.Errorf("it wants %q", got)
	}
	if all := (Filter{}).wanted(batch); len(all) != len(batch) {
		t.Errorf("without a pattern it wants %d of %d", len(all), len(batch))
	}
}

// TestFilterOfAnotherForm is refused: it would let through what Lambda holds back.
func TestFilterOfAnotherForm(t *testing.T) {
	for _, pattern := range []string{
		``, `{`, `"c#"`, `{"a":"c#"}`, `{"a":["c#"]}`, `{"a":[{"suffix":"c#"}]}`, `{"a":[{"prefix":"a","suffix":"b"}]}`,
	} {
		if _, err := ParseFilter(pattern); err == nil {
			t.Errorf("%s is accepted", pattern)
		}
	}
}
