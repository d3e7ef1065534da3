package relaytest

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/queue"
)

func (q queueTest) repeatQueuedOnce() {
	first := text("a", "a1")
	again := first
	again.Body = "a1, sent again"
	q.send(first, again)
	held := q.one("a1", hidden)
	q.send(again, text("a", "a2"))
	q.remove(held)
	if diff := cmp.Diff([]string{"a2"}, q.drain(1)); diff != "" {
		q.Errorf("after the repeat (-want +received):\n%s", diff)
	}
	q.nothing("the repeat is not queued")
}

func (q queueTest) repeatAfterDelete() {
	q.send(text("a", "a1"))
	q.drain(1)
	q.send(text("a", "a1"), text("a", "a2"))
	if diff := cmp.Diff([]string{"a2"}, q.drain(1)); diff != "" {
		q.Errorf("after the repeat (-want +received):\n%s", diff)
	}
	q.nothing("the repeat is not queued")
}

func (q queueTest) deliveryTells() {
	sent := queue.Outgoing{
		Group: "0123456789abcdef", DeduplicationID: "SM00000000000000000000000000000001.delivered.1",
		Body: ` {"v":1} `, Attributes: map[string]string{"reason": "attempts_exhausted", "last_error": `quote " and <tag> & ü`},
	}
	q.send(sent, queue.Outgoing{Group: "b", DeduplicationID: "b1", Body: "b1"})
	held := q.hold(2)
	if held[0].Group != sent.Group {
		held[0], held[1] = held[1], held[0]
	}
	want := []queue.Delivery{
		{Group: sent.Group, DeduplicationID: sent.DeduplicationID, Body: sent.Body, Attributes: sent.Attributes, ReceiveCount: 1},
		{Group: "b", DeduplicationID: "b1", Body: "b1", ReceiveCount: 1},
	}
	ofItsOwn := cmpopts.IgnoreFields(queue.Delivery{}, "MessageID", "ReceiptHandle", "SentAt")
	if diff := cmp.Diff(want, held, ofItsOwn, cmpopts.EquateEmpty()); diff != "" {
		q.Errorf("deliveries (-want +got):\n%s", diff)
	}
	if held[0].MessageID == "" || held[0].MessageID == held[1].MessageID {
		q.Errorf("message ids %q and %q, want two", held[0].MessageID, held[1].MessageID)
	}
}

// everyCharacter sends all characters of XML 1.0 in the Basic Multilingual Plane and a comb of those beyond.
func (q queueTest) everyCharacter() {
	var want []string
	var body strings.Builder
	flush := func() {
		want = append(want, body.String())
		body.Reset()
	}
	for _, r := range xmlCharacters() {
		if body.WriteRune(r); body.Len() > 60_000 {
			flush()
		}
	}
	flush()
	for i, body := range want {
		q.send(queue.Outgoing{Group: "a", DeduplicationID: string(rune('a' + i)), Body: body})
	}
	for i, got := range q.drain(len(want)) {
		if got != want[i] {
			q.Errorf("body %d of %d bytes came back different, first at byte %d", i, len(want[i]), firstDifference(want[i], got))
		}
	}
}

func xmlCharacters() []rune {
	characters := []rune{'\t', '\n', '\r'}
	appendRange := func(from, to, step rune) {
		for r := from; r <= to; r += step {
			characters = append(characters, r)
		}
	}
	appendRange(0x20, 0xD7FF, 1)
	appendRange(0xE000, 0xFFFD, 1)
	appendRange(0x10000, 0x10FFFF, 61)
	return append(characters, '\U0001F600', '\U0010FFFF')
}

func firstDifference(a, b string) int {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return i
		}
	}
	return min(len(a), len(b))
}

func (q queueTest) longBody() {
	body := strings.Repeat("0123456789 abcdef\\\"<&>", 100_000/22+1)
	q.send(queue.Outgoing{Group: "a", DeduplicationID: "a1", Body: body})
	if got := q.drain(1); got[0] != body {
		q.Errorf("sent %d bytes, received %d, first different at byte %d", len(body), len(got[0]), firstDifference(body, got[0]))
	}
}

func (q queueTest) tenAttributes() {
	message := text("a", "a1")
	message.Attributes = map[string]string{}
	for _, name := range []string{"reason", "attempts", "last_error", "d-e", "e.f", "F", "g1", "h", "i", "j"} {
		message.Attributes[name] = "value of " + name + " \t\n<&>\"ü\U0001F600"
	}
	q.send(message)
	first := q.one("a1", hidden)
	q.change(0, first)
	for _, got := range []queue.Delivery{first, q.one("a1", hidden)} {
		if diff := cmp.Diff(message.Attributes, got.Attributes); diff != "" {
			q.Errorf("attributes of receipt %d (-sent +received):\n%s", got.ReceiveCount, diff)
		}
	}
}

func (q queueTest) refusals() {
	const mebibyte = 1 << 20
	for name, body := range map[string]string{
		"a body over 1 MiB":       strings.Repeat("x", mebibyte+1),
		"U+FFFE":                  "a\uFFFEb",
		"U+FFFF":                  "a\uFFFFb",
		"a control character":     "a\x01b",
		"a character cut in half": "a\xc3",
	} {
		err := q.Send(q.Context(), queue.Outgoing{Group: "a", DeduplicationID: "refused", Body: body})
		if classified, ok := errors.AsType[*fault.Error](err); !ok || classified.Kind != fault.Permanent {
			q.Errorf("Send of %s: error %v, want a permanent *fault.Error", name, err)
		}
	}
	q.nothing("all were refused")
}

func (q queueTest) endedContext() {
	ctx, cancel := context.WithCancel(q.Context())
	cancel()
	err := q.Send(ctx, text("a", "a1"))
	classified, ok := errors.AsType[*fault.Error](err)
	if !ok || classified.Kind != fault.Transient && classified.Kind != fault.Unknown {
		q.Errorf("Send with an ended context: error %v, want a transient or unknown *fault.Error", err)
	}
}

func (q queueTest) sentAt() {
	before := wallClock()
	q.send(text("a", "a1"))
	after := wallClock()
	got := q.one("a1", hidden).SentAt
	if got.Before(before.Add(-slack)) || got.After(after.Add(slack)) {
		q.Errorf("sent at %v, want between %v and %v", got, before, after)
	}
	if !got.Equal(got.Truncate(time.Millisecond)) {
		q.Errorf("sent at %v, want whole milliseconds", got)
	}
}
