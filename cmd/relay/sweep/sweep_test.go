package sweep_test

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/sweep"
	"quickdumpnow.com/smsrelay/shared/twilio"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	accountSid = "AC00000000000000000000000000000001"
	authToken  = "faketokenfaketokenfaketokenfake1"
)

var now = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// stage is a fake Twilio behind its real client, and a relay that heard nothing.
type stage struct {
	sweep.Sweep

	t      *testing.T
	clock  *relaytest.Clock
	fake   *twiliofake.Server
	ledger *relaytest.MemoryLedger
	queue  *relaytest.MemoryQueue
}

func newStage(t *testing.T) *stage {
	t.Helper()
	clock := relaytest.NewClock(now)
	fake, err := twiliofake.New(twiliofake.Config{
		AccountSid: accountSid, AuthToken: authToken, Now: clock.Now, Webhook: twiliofake.Webhook{URL: "http://127.0.0.1:1/sms/inbound"},
	})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(fake)
	t.Cleanup(func() { server.Close(); fake.Close() })
	client, err := twilio.New(twilio.Config{AccountSid: accountSid, AuthToken: authToken, BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	s := &stage{
		t: t, clock: clock, fake: fake, ledger: &relaytest.MemoryLedger{},
		queue: relaytest.NewMemoryQueue(relaytest.QueueOptions{}, clock.Now),
	}
	s.Sweep = sweep.Sweep{
		Messages: client, Records: s.ledger, Queue: s.queue, AccountSid: accountSid, Since: now.Add(-time.Hour), Grace: time.Minute,
		Now: clock.Now,
	}
	return s
}

// texted lets a customer text the number, whose webhook nobody answers, and returns the text's MessageSid.
func (s *stage) texted(body string, media ...sms.Media) string {
	s.t.Helper()
	response, err := s.fake.SendInbound(context.Background(), twiliofake.Inbound{
		From: relaytest.Customer, To: relaytest.TwilioNumber,
		Body: body, Media: media,
	}, "")
	if err != nil || response.Taken {
		s.t.Fatalf("accepted %v, error %v", response.Taken, err)
	}
	s.clock.Advance(2 * time.Second)
	return response.MessageSid
}

func (s *stage) missing() (sids []string, looked int) {
	s.t.Helper()
	missing, looked, err := s.Missing(context.Background(), relaytest.TwilioNumber)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, m := range missing {
		sids = append(sids, m.Sid)
	}
	return sids, looked
}

// A text that is held is on record, and no queue has it. If nobody takes it up, it is put on the queue once more.
func TestForgottenHold(t *testing.T) {
	s := newStage(t)
	sid := s.texted("Is the gate open?")
	r := relaytest.Record(1, now)
	r.MessageSid = sid
	held, err := r.Close(ledger.ReasonClosed, now.Add(10*time.Minute), now)
	if err == nil {
		_, err = s.ledger.Create(t.Context(), held)
	}
	if err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(39 * time.Minute)
	if got, looked := s.missing(); got != nil || looked != 1 {
		t.Errorf("%v of %d are missing, which are held", got, looked)
	}
	s.clock.Advance(2 * time.Minute)
	if got, _ := s.missing(); len(got) != 1 || got[0] != sid {
		t.Errorf("missing %v, want the text that nobody took up", got)
	}
}

func TestMissing(t *testing.T) {
	s := newStage(t)
	first, second, third := s.texted("The first"), s.texted("The second"), s.texted("The third")
	r := relaytest.Record(1, now)
	r.MessageSid = second
	if _, err := s.ledger.Create(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	if got, looked := s.missing(); got != nil || looked != 0 {
		t.Errorf("%v of %d are missing, whose webhooks may be on their way", got, looked)
	}
	s.clock.Advance(time.Minute)
	got, looked := s.missing()
	if diff := cmp.Diff([]string{first, third}, got); diff != "" || looked != 3 {
		t.Errorf("looked at %d; missing (-want +got):\n%s", looked, diff)
	}
	s.Since = now.Add(3 * time.Second)
	if got, looked := s.missing(); !cmp.Equal(got, []string{third}) || looked != 1 {
		t.Errorf("since then %v of %d are missing", got, looked)
	}
	// What the relay sent to the number's own customers is no text to it, and neither are texts to other numbers.
	if missing, looked, err := s.Missing(t.Context(), relaytest.Fallback); err != nil || len(missing) != 0 || looked != 0 {
		t.Errorf("%v of %d to another number are missing, error %v", missing, looked, err)
	}
}

// Twilio's dates tell nothing apart within a second; its order does.
func TestMissingWithinASecondKeepTheirOrder(t *testing.T) {
	s := newStage(t)
	var want []string
	for n := range 5 {
		want = append(want, s.texted(fmt.Sprint("Part ", n)))
		s.clock.Advance(-2 * time.Second)
	}
	s.clock.Advance(time.Hour / 2)
	if got, _ := s.missing(); !cmp.Equal(got, want) {
		t.Errorf("missing %v, want %v", got, want)
	}
}

func TestInject(t *testing.T) {
	s := newStage(t)
	sid := s.texted("Is the gate open?", sms.Media{URL: "https://example.com/1.jpg", ContentType: "image/jpeg"})
	s.clock.Advance(time.Minute)
	missing, _, err := s.Missing(t.Context(), relaytest.TwilioNumber)
	if err != nil || len(missing) != 1 {
		t.Fatalf("missing %v, error %v", missing, err)
	}
	for range 2 {
		if err := s.Inject(t.Context(), missing[0]); err != nil {
			t.Fatal(err)
		}
	}
	queued := s.queue.Messages()
	if len(queued) != 1 {
		t.Fatalf("%d messages on the queue, want 1", len(queued))
	}
	got, err := queue.Decode(queued[0].Body)
	want := queue.Envelope{
		Version: queue.Version, Kind: queue.KindInbound, RelayID: sid, ReceivedAt: s.clock.Now(), WrittenAt: s.clock.Now().Add(-62 * time.Second),
		Message: &sms.Message{
			Sid: sid, AccountSid: accountSid, From: relaytest.Customer, To: relaytest.TwilioNumber, Body: "Is the gate open?",
			Media: []sms.Media{{URL: "https://api.twilio.com/2010-04-01/Accounts/" + accountSid + "/Messages/" + sid + "/Media"}},
		},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" || queued[0].Group != want.Group() || queued[0].DeduplicationID != sid {
		t.Errorf("queued %+v, error %v (-want +got):\n%s", queued[0], err, diff)
	}
}

// On a copied folder, a text that came in before the copy's start keeps its time: the sender asks Twilio about it before it sends it.
func TestInjectOnACopy(t *testing.T) {
	for name, test := range map[string]struct {
		askBefore time.Duration
		isAsked   bool
	}{"came in before": {time.Minute, true}, "came in later": {-time.Minute, false}} {
		s := newStage(t)
		s.texted("Hello")
		s.clock.Advance(time.Hour)
		s.AskBefore = now.Add(test.askBefore)
		listed, _, err := s.Missing(t.Context(), relaytest.TwilioNumber)
		if err != nil || len(listed) != 1 {
			t.Fatalf("%s: %v, error %v", name, listed, err)
		}
		if err := s.Inject(t.Context(), listed[0]); err != nil {
			t.Fatal(err)
		}
		got, err := s.queue.Receive(t.Context(), 1, 0, time.Minute)
		if err != nil || len(got) != 1 {
			t.Fatalf("%s: received %v, error %v", name, got, err)
		}
		envelope, err := queue.Decode(got[0].Body)
		if err != nil || envelope.ReceivedAt.Before(s.AskBefore) != test.isAsked {
			t.Errorf("%s: received at %v, error %v", name, envelope.ReceivedAt, err)
		}
	}
}

// TestInjectOfAPicture: the text on the queue says where its picture is, as a webhook would have.
func TestInjectOfAPicture(t *testing.T) {
	s := newStage(t)
	response, err := s.fake.SendInbound(t.Context(), twiliofake.Inbound{
		From: relaytest.Customer, To: relaytest.TwilioNumber, Files: []twiliofake.File{{ContentType: "image/jpeg", Content: []byte("x")}},
	}, "")
	if err != nil {
		t.Fatal(err)
	}
	s.clock.Advance(time.Minute)
	missing, _, err := s.Missing(t.Context(), relaytest.TwilioNumber)
	if err != nil || len(missing) != 1 {
		t.Fatalf("missing %v, error %v", missing, err)
	}
	if err := s.Inject(t.Context(), missing[0]); err != nil {
		t.Fatal(err)
	}
	got, err := queue.Decode(s.queue.Messages()[0].Body)
	if err != nil || len(got.Message.Media) != 1 {
		t.Fatalf("queued %+v, error %v", got.Message, err)
	}
	one := got.Message.Media[0]
	if one.ContentType != "image/jpeg" || !strings.Contains(one.URL, "/Messages/"+response.MessageSid+"/Media/ME") {
		t.Errorf("the picture is at %+v", one)
	}
}

// TestInjectOfALongText: what the phone on duty reads of a swept text is shortened as of any other, before its note.
func TestInjectOfALongText(t *testing.T) {
	s := newStage(t)
	s.texted(strings.Repeat("x", 1580), sms.Media{URL: "https://example.com/1.jpg", ContentType: "image/jpeg"})
	s.clock.Advance(time.Minute)
	missing, _, err := s.Missing(t.Context(), relaytest.TwilioNumber)
	if err != nil || len(missing) != 1 {
		t.Fatalf("missing %v, error %v", missing, err)
	}
	if err := s.Inject(t.Context(), missing[0]); err != nil {
		t.Fatal(err)
	}
	got, err := queue.Decode(s.queue.Messages()[0].Body)
	if err != nil {
		t.Fatal(err)
	}
	if text := plan.Text(*got.Message); sms.Length(text) != sms.MaxBody || !strings.HasSuffix(text, "x… [1 attachment: unknown]") {
		t.Errorf("%d characters, ending in %q", sms.Length(text), text[len(text)-40:])
	}
}

// many are as many messages as are asked for.
type many struct{}

func (many) List(_ context.Context, f sms.ListFilter) ([]sms.Listed, error) {
	found := make([]sms.Listed, f.Limit)
	for i := range found {
		found[i] = sms.Listed{Sid: fmt.Sprintf("SM%032x", i), Direction: sms.DirectionInbound, DateCreated: now}
	}
	return found, nil
}

func (many) ListMedia(context.Context, string) ([]sms.Media, error) { return nil, nil }

// long is a list that is longer than what is read at once: a text each second, the newest first.
type long struct {
	many

	texts int
}

func (l long) List(_ context.Context, f sms.ListFilter) (found []sms.Listed, err error) {
	for i := range l.texts {
		at := now.Add(-time.Duration(i) * time.Second)
		if len(found) < f.Limit && (f.SentBefore.IsZero() || !at.After(f.SentBefore)) {
			found = append(found, sms.Listed{Sid: fmt.Sprintf("SM%032x", i), Direction: sms.DirectionInbound, DateCreated: at})
		}
	}
	return found, nil
}

// A list that is too long to be read at once is read in several parts, and no text is there twice or left out.
func TestSweepReadsALongList(t *testing.T) {
	s := newStage(t)
	const texts = 12_345
	s.Messages, s.Since, s.Grace = long{texts: texts}, now.Add(-24*time.Hour), 0
	s.clock.Advance(time.Minute)
	missing, looked, err := s.Missing(t.Context(), relaytest.TwilioNumber)
	if err != nil || looked != texts || len(missing) != texts {
		t.Fatalf("%d missing of %d, error %v; want %d", len(missing), looked, err, texts)
	}
	for i, m := range missing {
		if want := fmt.Sprintf("SM%032x", texts-1-i); m.Sid != want {
			t.Fatalf("text %d is %s, want %s", i, m.Sid, want)
		}
	}
}

func TestSweepSaysWhatItCannotDo(t *testing.T) {
	s := newStage(t)
	s.texted("Hello")
	s.clock.Advance(time.Minute)
	away := &fault.Error{Kind: fault.Transient, Err: errors.New("away")}
	s.ledger.Fault = func(string) error { return away }
	if _, _, err := s.Missing(t.Context(), relaytest.TwilioNumber); !errors.Is(err, away) {
		t.Errorf("ledger: error %v", err)
	}
	s.queue.Fault = func(string) error { return away }
	if err := s.Inject(t.Context(), sms.Listed{Sid: "SM1", From: relaytest.Customer, To: relaytest.TwilioNumber}); !errors.Is(err, away) {
		t.Errorf("queue: error %v", err)
	}
	s.ledger.Fault, s.Messages = nil, many{}
	if _, _, err := s.Missing(t.Context(), relaytest.TwilioNumber); !errors.Is(err, sweep.ErrTooMany) {
		t.Errorf("list: error %v", err)
	}
}
