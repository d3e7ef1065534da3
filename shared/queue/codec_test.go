package queue_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// inXML is section 2.2 of XML 1.0, which is what SQS accepts.
func inXML(r rune) bool {
	return r == 0x9 || r == 0xA || r == 0xD || r >= 0x20 && r <= 0xD7FF || r >= 0xE000 && r <= 0xFFFD || r >= 0x10000 && r <= 0x10FFFF
}

// checkWire fails if SQS would not take the line, or if it is more than one.
func checkWire(t interface {
	Helper()
	Errorf(string, ...any)
}, line string,
) {
	t.Helper()
	if !utf8.ValidString(line) {
		t.Errorf("wire form %q is no UTF-8", line)
	}
	for i, r := range line {
		if !inXML(r) || r == '\n' || r == '\r' {
			t.Errorf("wire form holds %U at byte %d", r, i)
		}
	}
}

// anyText draws texts rich in what a codec may stumble over.
func anyText() *rapid.Generator[string] {
	nasty := rapid.SampledFrom([]rune{
		0, 1, 8, '\t', '\n', '\v', '\r', 0x1b, 0x1f, '"', '\\', '/', '<', 'u', 'f', 'e', 0x7f, 0x85, 0x2028,
		0xfeff, 0xfffd, 0xfffe, 0xffff, 0x1fffe, 0x10ffff,
	})
	return rapid.StringOfN(rapid.OneOf(nasty, rapid.Rune().Filter(utf8.ValidRune)), 0, 40, -1)
}

func anyMessage(to sms.PhoneNumber) *rapid.Generator[*sms.Message] {
	return rapid.Custom(func(t *rapid.T) *sms.Message {
		m := &sms.Message{
			Sid: anyText().Draw(t, "sid"), AccountSid: anyText().Draw(t, "account"), MessagingServiceSid: anyText().Draw(t, "service"),
			From: sms.PhoneNumber(anyText().Draw(t, "from")), To: to + sms.PhoneNumber(anyText().Draw(t, "to")),
			Body: anyText().Draw(t, "body"), NumSegments: rapid.Int().Draw(t, "segments"), OptOutType: anyText().Draw(t, "opt-out"),
		}
		for range rapid.IntRange(0, 3).Draw(t, "media") {
			m.Media = append(m.Media, sms.Media{URL: anyText().Draw(t, "url"), ContentType: anyText().Draw(t, "type")})
		}
		return m
	})
}

// anyTime draws a time that JSON has a form for.
func anyTime(t *rapid.T, label string) time.Time {
	return time.Unix(rapid.Int64Range(-6e10, 2e11).Draw(t, label+", seconds"),
		rapid.Int64Range(0, 999_999_999).Draw(t, label+", nanoseconds")).UTC()
}

func anyEnvelope() *rapid.Generator[queue.Envelope] {
	return rapid.Custom(func(t *rapid.T) queue.Envelope {
		e := queue.Envelope{
			Version:    queue.Version,
			Kind:       rapid.SampledFrom([]queue.Kind{queue.KindInbound, queue.KindManual, queue.KindReceipt, queue.KindTimer}).Draw(t, "kind"),
			RelayID:    "R" + anyText().Draw(t, "relay id"),
			ReceivedAt: anyTime(t, "received"),
		}
		if e.Kind == queue.KindTimer {
			e.Timer = &queue.Timer{Attempt: rapid.IntRange(1, math.MaxInt).Draw(t, "attempt"), Due: anyTime(t, "due")}
			return e
		}
		if e.Kind == queue.KindReceipt {
			e.Receipt = &sms.Receipt{
				Sid: "S" + anyText().Draw(t, "sid"), Status: sms.Status(anyText().Draw(t, "status")), ErrorCode: rapid.Int().Draw(t, "code"),
				CallbackRef: sms.CallbackRef{
					RelayID: anyText().Draw(t, "ref"), Hop: rapid.Int().Draw(t, "hop"),
					Attempt: rapid.Int().Draw(t, "attempt"),
				},
			}
			return e
		}
		e.Message = anyMessage("+").Draw(t, "message")
		e.Destination = sms.PhoneNumber(anyText().Draw(t, "destination"))
		return e
	})
}

func TestEveryEnvelopeComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := anyEnvelope().Draw(t, "envelope")
		line, err := queue.Encode(e)
		if err != nil {
			t.Fatalf("Encode: %v", err)
		}
		checkWire(t, line)
		got, err := queue.Decode(line)
		if err != nil {
			t.Fatalf("Decode(%q): %v", line, err)
		}
		if diff := cmp.Diff(e, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("came back (-sent +got):\n%s", diff)
		}
	})
}

// TestEveryCharacterComesBack goes through all of Unicode, in blocks, each in every place that can hold a text.
func TestEveryCharacterComesBack(t *testing.T) {
	var block strings.Builder
	for r := rune(0); r <= utf8.MaxRune; r++ {
		if utf8.ValidRune(r) {
			block.WriteRune(r)
		}
		// The characters that XML lacks are all in the first 64 K: there, a block is short enough to be read.
		if r != utf8.MaxRune && (r < 0x10000 && block.Len() < 1000 || block.Len() < 50_000) {
			continue
		}
		text := block.String()
		block.Reset()
		e := inbound()
		e.RelayID, e.Message.From, e.Message.Body, e.Message.Media[0].URL = text, sms.PhoneNumber(text), text, text
		line, err := queue.Encode(e)
		if err != nil {
			t.Fatalf("Encode of characters up to %U: %v", r, err)
		}
		checkWire(t, line)
		if got, err := queue.Decode(line); err != nil || !cmp.Equal(e, got) {
			t.Errorf("characters up to %U came back different, error %v", r, err)
		}
	}
}

// TestBrokenTextIsRepaired: an SQS message cannot hold bytes that are not UTF-8.
func TestBrokenTextIsRepaired(t *testing.T) {
	e := inbound()
	e.Message.Body = "cut \xf0\x9f, lone \xff, surrogate \xed\xa0\x80, overlong \xc0\x80, half of U+FFFE \xef\xbf"
	line, err := queue.Encode(e)
	if err != nil {
		t.Fatalf("Encode: %v", err)
	}
	checkWire(t, line)
	if got, err := queue.Decode(line); err != nil || !strings.HasPrefix(got.Message.Body, "cut \uFFFD") {
		t.Errorf("Decode: %+v, %v", got.Message, err)
	}
}

func TestEncodeRefuses(t *testing.T) {
	edit := func(e queue.Envelope, change func(*queue.Envelope)) queue.Envelope {
		change(&e)
		return e
	}
	tests := []struct {
		name     string
		envelope queue.Envelope
		want     error
	}{
		{"nothing", queue.Envelope{}, queue.ErrMalformed},
		{"another version", edit(inbound(), func(e *queue.Envelope) { e.Version = 2 }), queue.ErrVersion},
		{"no relay id", edit(inbound(), func(e *queue.Envelope) { e.RelayID = "" }), queue.ErrMalformed},
		{"no kind", edit(inbound(), func(e *queue.Envelope) { e.Kind = "" }), queue.ErrMalformed},
		{"unknown kind", edit(inbound(), func(e *queue.Envelope) { e.Kind = "fax" }), queue.ErrMalformed},
		{"inbound without message", edit(inbound(), func(e *queue.Envelope) { e.Message = nil }), queue.ErrMalformed},
		{"inbound with a receipt only", edit(receipt(), func(e *queue.Envelope) { e.Kind = queue.KindInbound }), queue.ErrMalformed},
		{"manual to nobody", edit(manual(), func(e *queue.Envelope) { e.Message = &sms.Message{From: customer} }), queue.ErrMalformed},
		{"manual without message", edit(manual(), func(e *queue.Envelope) { e.Message = nil }), queue.ErrMalformed},
		{"receipt without receipt", edit(receipt(), func(e *queue.Envelope) { e.Receipt = nil }), queue.ErrMalformed},
		{"receipt with a message only", edit(inbound(), func(e *queue.Envelope) { e.Kind = queue.KindReceipt }), queue.ErrMalformed},
		{"receipt of nothing", edit(receipt(), func(e *queue.Envelope) { e.Receipt = &sms.Receipt{Status: sms.StatusSent} }), queue.ErrMalformed},
		{"timer without timer", edit(timer(), func(e *queue.Envelope) { e.Timer = nil }), queue.ErrMalformed},
		{"timer with a message only", edit(inbound(), func(e *queue.Envelope) { e.Kind = queue.KindTimer }), queue.ErrMalformed},
		{"timer of no attempt", edit(timer(), func(e *queue.Envelope) { e.Timer = &queue.Timer{Due: received} }), queue.ErrMalformed},
		{
			"timer of a negative attempt", edit(timer(), func(e *queue.Envelope) { e.Timer = &queue.Timer{Attempt: -1, Due: received} }),
			queue.ErrMalformed,
		},
		{"timer of no text", edit(timer(), func(e *queue.Envelope) { e.RelayID = "" }), queue.ErrMalformed},
		{"timer of another version", edit(timer(), func(e *queue.Envelope) { e.Version = 2 }), queue.ErrVersion},
		{"inbound with a timer only", edit(timer(), func(e *queue.Envelope) { e.Kind = queue.KindInbound }), queue.ErrMalformed},
		{"receipt with a timer only", edit(timer(), func(e *queue.Envelope) { e.Kind = queue.KindReceipt }), queue.ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if line, err := queue.Encode(tt.envelope); !errors.Is(err, tt.want) || line != "" {
				t.Errorf("Encode = %q, %v; want %v", line, err, tt.want)
			}
			if got, err := tt.envelope.Outgoing(); !errors.Is(err, tt.want) || !cmp.Equal(got, queue.Outgoing{}) {
				t.Errorf("Outgoing = %+v, %v; want %v", got, err, tt.want)
			}
		})
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct {
		name, body string
		want       error
	}{
		{"nothing", "", queue.ErrMalformed},
		{"text", "hello", queue.ErrMalformed},
		{"array", `[]`, queue.ErrMalformed},
		{"string", `"v"`, queue.ErrMalformed},
		{"cut", `{"v":1,"kind":"inbound"`, queue.ErrMalformed},
		{"two", `{"v":1}{"v":1}`, queue.ErrMalformed},
		{"version no number", `{"v":"1","kind":"inbound"}`, queue.ErrMalformed},
		{"no version", `{"kind":"inbound","relay_id":"SM1"}`, queue.ErrMalformed},
		{"version 0", `{"v":0,"kind":"inbound","relay_id":"SM1"}`, queue.ErrMalformed},
		{"version 2", `{"v":2,"kind":"inbound","relay_id":"SM1"}`, queue.ErrVersion},
		{"no relay id", `{"v":1,"kind":"inbound","message":{"To":"+18585550100"}}`, queue.ErrMalformed},
		{"no kind", `{"v":1,"relay_id":"SM1","message":{"To":"+18585550100"}}`, queue.ErrMalformed},
		{"unknown kind", `{"v":1,"kind":"fax","relay_id":"SM1"}`, queue.ErrMalformed},
		{"no message", `{"v":1,"kind":"inbound","relay_id":"SM1","message":null}`, queue.ErrMalformed},
		{"no receipt", `{"v":1,"kind":"receipt","relay_id":"SM1"}`, queue.ErrMalformed},
		{"no timer", `{"v":1,"kind":"timer","relay_id":"SM1"}`, queue.ErrMalformed},
		{"timer that is null", `{"v":1,"kind":"timer","relay_id":"SM1","timer":null}`, queue.ErrMalformed},
		{"timer that is empty", `{"v":1,"kind":"timer","relay_id":"SM1","timer":{}}`, queue.ErrMalformed},
		{"timer of no attempt", `{"v":1,"kind":"timer","relay_id":"SM1","timer":{"due":"2026-11-24T12:00:00Z"}}`, queue.ErrMalformed},
		{
			"timer of a negative attempt", `{"v":1,"kind":"timer","relay_id":"SM1","timer":{"attempt":-1,"due":"2026-11-24T12:00:00Z"}}`,
			queue.ErrMalformed,
		},
		{
			"timer of half an attempt", `{"v":1,"kind":"timer","relay_id":"SM1","timer":{"attempt":1.5,"due":"2026-11-24T12:00:00Z"}}`,
			queue.ErrMalformed,
		},
		{"timer due at no time", `{"v":1,"kind":"timer","relay_id":"SM1","timer":{"attempt":1,"due":"noon"}}`, queue.ErrMalformed},
		{"timer of no text", `{"v":1,"kind":"timer","timer":{"attempt":1,"due":"2026-11-24T12:00:00Z"}}`, queue.ErrMalformed},
		{"time no time", `{"v":1,"kind":"inbound","relay_id":"SM1","received_at":"noon","message":{"To":"+18585550100"}}`, queue.ErrMalformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, err := queue.Decode(tt.body); !errors.Is(err, tt.want) || !cmp.Equal(got, queue.Envelope{}) {
				t.Errorf("Decode = %+v, %v; want %v", got, err, tt.want)
			}
		})
	}
}

// TestDecodeTellsANewerShape: a version is raised just because the shape changes, so that a reader of the old one, which
// still runs during a deployment, meets fields of other types. That is no malformed envelope: nobody may give it up.
func TestDecodeTellsANewerShape(t *testing.T) {
	for _, body := range []string{
		`{"v":2,"kind":{"name":"inbound"},"relay_id":"SM1","message":"text"}`,
		`{"kind":"inbound","relay_id":1,"v":2}`,
	} {
		if _, err := queue.Decode(body); !errors.Is(err, queue.ErrVersion) {
			t.Errorf("Decode(%s): error %v, want ErrVersion", body, err)
		}
	}
}

// TestTextWithoutAddresses: Twilio's form may lack them, and the text is kept all the same.
func TestTextWithoutAddresses(t *testing.T) {
	bare := inbound()
	bare.Message = &sms.Message{Sid: firstSid, Body: "Hello"}
	line, err := queue.Encode(bare)
	if err != nil {
		t.Fatal(err)
	}
	decoded, err := queue.Decode(line)
	if diff := cmp.Diff(bare, decoded); err != nil || diff != "" {
		t.Errorf("Decode: %v (-want +got):\n%s", err, diff)
	}
}

// TestDecodeQuotesNothing: errors go to logs.
func TestDecodeQuotesNothing(t *testing.T) {
	for _, body := range []string{
		`{"v":1,"kind":"inbound","relay_id":"SM1","message":"my secret"}`,
		`{"v":1,"kind":"inbound","relay_id":"SM1","received_at":"my secret"}`,
		`my secret`,
		`{"v":1,"kind":"my secret","relay_id":"SM1"}`,
		`{"v":1,"kind":"timer","relay_id":"SM1","timer":{"attempt":1,"due":"my secret"}}`,
		`{"v":1,"kind":"manual","relay_id":"my secret","message":{"Body":"my secret"}}`,
	} {
		if _, err := queue.Decode(body); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("Decode(%q): error %v, want one that quotes nothing", body, err)
		}
	}
}

func TestDecodePassesOverNewFields(t *testing.T) {
	line, err := queue.Encode(inbound())
	if err != nil {
		t.Fatalf("Encode: %v", err)
	}
	newer := strings.Replace(line, `{"v":1,`, `{"v":1,"priority":{"level":9},`, 1)
	newer = strings.Replace(newer, `"message":{`, `"message":{"Language":["en"],`, 1)
	got, err := queue.Decode(newer)
	if err != nil || !cmp.Equal(inbound(), got) {
		t.Errorf("Decode of a newer writer's envelope: %v\n%s", err, cmp.Diff(inbound(), got))
	}
}

func FuzzDecode(f *testing.F) {
	for _, e := range []queue.Envelope{inbound(), manual(), receipt(), timer()} {
		line, err := queue.Encode(e)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(line)
	}
	f.Add(`{"v":1,"kind":"receipt","relay_id":"a","receipt":{"MessageSid":"\ufffe\ud800"}}`)
	f.Fuzz(func(t *testing.T, body string) {
		e, err := queue.Decode(body)
		if err != nil {
			if !errors.Is(err, queue.ErrMalformed) && !errors.Is(err, queue.ErrVersion) {
				t.Errorf("Decode: error %v is neither ErrMalformed nor ErrVersion", err)
			}
			return
		}
		out, err := e.Outgoing()
		if err != nil {
			t.Fatalf("what was decoded is not encoded: %v", err)
		}
		checkWire(t, out.Body)
		again, err := queue.Decode(out.Body)
		if diff := cmp.Diff(e, again, cmpopts.EquateEmpty()); err != nil || diff != "" {
			t.Errorf("decoded again: %v (-first +second):\n%s", err, diff)
		}
	})
}

func benchmarkEnvelopes(b *testing.B, run func(b *testing.B, e queue.Envelope)) {
	b.Helper()
	long := inbound()
	long.Message.Body = strings.Repeat("ü🙂a", sms.MaxBody/3)
	for name, e := range map[string]queue.Envelope{"inbound": inbound(), "long": long, "receipt": receipt(), "timer": timer()} {
		b.Run(fmt.Sprintf("envelope=%s", name), func(b *testing.B) {
			b.ReportAllocs()
			run(b, e)
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	benchmarkEnvelopes(b, func(b *testing.B, e queue.Envelope) {
		b.Helper()
		for b.Loop() {
			if _, err := queue.Encode(e); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	benchmarkEnvelopes(b, func(b *testing.B, e queue.Envelope) {
		b.Helper()
		line, err := queue.Encode(e)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(line)))
		for b.Loop() {
			if _, err := queue.Decode(line); err != nil {
				b.Fatal(err)
			}
		}
	})
}
