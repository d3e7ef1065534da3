package queue_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
)

var update = flag.Bool("update", false, "rewrite the golden files")

const (
	twilioNumber sms.PhoneNumber = "+18585550100"
	customer     sms.PhoneNumber = "+18585550111"
	phone        sms.PhoneNumber = "+18585550122"
	firstSid                     = "SM00000000000000000000000000000001"
)

var received = time.Date(2026, 11, 24, 12, 34, 56, 789e6, time.UTC)

// inbound has every field set that an inbound envelope can have.
func inbound() queue.Envelope {
	return queue.Envelope{
		Version: queue.Version, Kind: queue.KindInbound, RelayID: firstSid, ReceivedAt: received,
		Message: &sms.Message{
			Sid: firstSid, AccountSid: "AC00000000000000000000000000000001", MessagingServiceSid: "MG00000000000000000000000000000001",
			From: customer, To: twilioNumber, Body: "Tor offen? <3 & \"bis\" später\u2028\uFFFE\uFFFF\x00🙂", NumSegments: 2,
			Media:      []sms.Media{{URL: "https://api.twilio.com/1", ContentType: "image/png"}, {URL: "https://api.twilio.com/2"}},
			OptOutType: "HELP",
		},
	}
}

func manual() queue.Envelope {
	return queue.Envelope{
		Version: queue.Version, Kind: queue.KindManual, RelayID: "RL00000000000000000000000000000001", ReceivedAt: received,
		Message:     &sms.Message{Sid: "RL00000000000000000000000000000001", To: twilioNumber, Body: "We are on our way."},
		Destination: phone,
	}
}

func receipt() queue.Envelope {
	return queue.Envelope{
		Version: queue.Version, Kind: queue.KindReceipt, RelayID: firstSid, ReceivedAt: received,
		Receipt: &sms.Receipt{
			Sid: "SM00000000000000000000000000000002", Status: sms.StatusUndelivered, ErrorCode: 30003,
			CallbackRef: sms.CallbackRef{RelayID: firstSid, Hop: 1, Attempt: 2},
		},
	}
}

func timer() queue.Envelope {
	return queue.Envelope{
		Version: queue.Version, Kind: queue.KindTimer, RelayID: firstSid, ReceivedAt: received,
		Timer: &queue.Timer{Attempt: 2, Due: received.Add(20 * time.Minute)},
	}
}

// TestWire pins the wire form: envelopes of the last release lie on the queue while the next one starts.
func TestWire(t *testing.T) {
	bareText := inbound()
	bareText.Message = &sms.Message{Sid: firstSid, From: customer, To: twilioNumber}
	bareReceipt := receipt()
	bareReceipt.Receipt = &sms.Receipt{Sid: "SM00000000000000000000000000000002"}
	bareTimer := timer()
	bareTimer.Timer = &queue.Timer{Attempt: 1}
	opening := timer()
	opening.Timer = &queue.Timer{Opens: true, Due: received.Add(20 * time.Minute)}
	for name, e := range map[string]queue.Envelope{
		"inbound": inbound(), "inbound_bare": bareText, "manual": manual(), "receipt": receipt(), "receipt_bare": bareReceipt,
		"timer": timer(), "timer_bare": bareTimer, "timer_opens": opening,
	} {
		t.Run(name, func(t *testing.T) {
			got, err := queue.Encode(e)
			if err != nil {
				t.Fatalf("Encode: %v", err)
			}
			want := golden(t, name+".json", got)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("wire form (-want +got):\n%s\nOlder envelopes lie on queues: change it only so that both are read.", diff)
			}
			decoded, err := queue.Decode(want)
			if err != nil {
				t.Fatalf("Decode of the golden file: %v", err)
			}
			if diff := cmp.Diff(e, decoded); diff != "" {
				t.Errorf("decoded golden file (-want +got):\n%s", diff)
			}
		})
	}
}

// golden returns the golden file's line, which -update makes got.
func golden(t *testing.T, name, got string) string {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v (go test -update writes it)", err)
	}
	return strings.TrimSuffix(string(want), "\n")
}

func TestGroup(t *testing.T) {
	whatsApp, reversed := inbound(), inbound()
	whatsApp.Message.From, whatsApp.Message.To = "whatsapp:"+customer, "whatsapp:"+twilioNumber
	reversed.Message.From, reversed.Message.To = twilioNumber, customer
	shifted := inbound()
	shifted.Message.To, shifted.Message.From = twilioNumber+customer, ""
	anotherText := receipt()
	anotherText.RelayID = "SM00000000000000000000000000000009"
	// By hand: printf 'conversation\0+18585550100\0+18585550111' | sha256sum, the first half.
	want := map[string]string{
		"inbound": "af5d421e5de4a1e66c078025f0093d77",
		"manual":  "7a4441716559f578d9da6b536071e2b3",
		"receipt": "6957e20afe8afdbb0bca1a5e245687cf",
	}
	seen := map[string]string{}
	for name, e := range map[string]queue.Envelope{
		"inbound": inbound(), "manual": manual(), "receipt": receipt(), "receipt of another text": anotherText,
		"WhatsApp": whatsApp, "reversed": reversed, "shifted": shifted,
	} {
		group := e.Group()
		if pinned, ok := want[name]; ok && group != pinned {
			t.Errorf("group of %s = %s, want %s", name, group, pinned)
		}
		if !regexp.MustCompile(`^[0-9a-f]{32}$`).MatchString(group) {
			t.Errorf("group of %s = %q, want 32 hexadecimal digits", name, group)
		}
		if other, ok := seen[group]; ok {
			t.Errorf("%s and %s share a group", name, other)
		}
		seen[group] = name
	}
}

// TestGroupOfAConversation: what the customer says has no part in it, nor has when.
func TestGroupOfAConversation(t *testing.T) {
	first, second := inbound(), inbound()
	second.RelayID, second.ReceivedAt = "SM2", received.Add(time.Hour)
	second.Message = &sms.Message{Sid: "SM2", From: customer, To: twilioNumber, Body: "Hallo?"}
	third := manual()
	third.Message.From = customer
	if first.Group() != second.Group() || first.Group() != third.Group() {
		t.Errorf("groups %s, %s and %s of one conversation differ", first.Group(), second.Group(), third.Group())
	}
	early, late := receipt(), receipt()
	late.Receipt = &sms.Receipt{Sid: "SM9", Status: sms.StatusDelivered}
	if early.Group() != late.Group() {
		t.Errorf("groups %s and %s of one text's receipts differ", early.Group(), late.Group())
	}
}

func TestDeduplicationID(t *testing.T) {
	for name, tt := range map[string]struct {
		envelope queue.Envelope
		want     string
	}{
		"inbound": {inbound(), firstSid},
		"manual":  {manual(), "RL00000000000000000000000000000001"},
		"receipt": {receipt(), "SM00000000000000000000000000000002.undelivered.2"},
	} {
		got := tt.envelope.DeduplicationID()
		if got != tt.want {
			t.Errorf("deduplication id of %s = %q, want %q", name, got, tt.want)
		}
		// SQS accepts up to 128 letters, digits and marks.
		if !regexp.MustCompile("^[!-~]{1,128}$").MatchString(got) {
			t.Errorf("deduplication id of %s = %q, which SQS does not accept", name, got)
		}
	}
}

// TestDeduplicationIDOfReceipts: only the very same receipt is a repeat.
func TestDeduplicationIDOfReceipts(t *testing.T) {
	status, attempt, sid := receipt(), receipt(), receipt()
	status.Receipt.Status = sms.StatusDelivered
	attempt.Receipt.Attempt = 3
	sid.Receipt.Sid = "SM00000000000000000000000000000003"
	seen := map[string]bool{}
	for _, e := range []queue.Envelope{receipt(), status, attempt, sid} {
		if id := e.DeduplicationID(); seen[id] {
			t.Errorf("two receipts share the deduplication id %q", id)
		} else {
			seen[id] = true
		}
	}
}

// TestTimersHaveNoOrder: they travel on a queue that accepts neither a group nor a deduplication id.
func TestTimersHaveNoOrder(t *testing.T) {
	if group, id := timer().Group(), timer().DeduplicationID(); group != "" || id != "" {
		t.Errorf("group %q and deduplication id %q, want none", group, id)
	}
	body, err := queue.Encode(timer())
	if err != nil {
		t.Fatalf("Encode: %v", err)
	}
	got, err := timer().Outgoing()
	if err != nil {
		t.Fatalf("Outgoing: %v", err)
	}
	if diff := cmp.Diff(queue.Outgoing{Body: body}, got); diff != "" {
		t.Errorf("Outgoing (-want +got):\n%s", diff)
	}
}

// TestMaxDelay is the longest DelaySeconds that SQS accepts.
func TestMaxDelay(t *testing.T) {
	if queue.MaxDelay != 900*time.Second {
		t.Errorf("MaxDelay = %v, want 900 s", queue.MaxDelay)
	}
}

func TestOutgoing(t *testing.T) {
	e := inbound()
	body, err := queue.Encode(e)
	if err != nil {
		t.Fatalf("Encode: %v", err)
	}
	got, err := e.Outgoing()
	if err != nil {
		t.Fatalf("Outgoing: %v", err)
	}
	want := queue.Outgoing{Group: e.Group(), DeduplicationID: firstSid, Body: body}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Outgoing (-want +got):\n%s", diff)
	}
}
