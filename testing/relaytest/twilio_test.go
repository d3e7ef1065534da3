package relaytest

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/functions/sender/delivery"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// account is a Twilio, and a way to have it deliver what it has.
type account struct {
	delivery.Messages
	// deliver waits until the messages to everybody but queuedPhone are delivered.
	deliver func()
}

// queuedPhone is one whose messages never leave Twilio's queue.
const queuedPhone sms.PhoneNumber = "+15005550111"

func openTwilio(_ *testing.T, clock *Clock) account {
	f := &Twilio{Now: clock.Now}
	return account{f, func() {
		for _, p := range f.Posts() {
			if p.To != queuedPhone {
				f.Become(p.N, sms.StatusDelivered, 0)
			}
		}
	}}
}

// openDoor opens the door to Twilio, with the fake behind it.
func openDoor(t *testing.T, clock *Clock) account {
	t.Helper()
	const sid, token = "AC0123456789abcdef0123456789abcdef", "not-a-real-token"
	fake, err := twiliofake.New(twiliofake.Config{AccountSid: sid, AuthToken: token, Now: clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(fake)
	t.Cleanup(func() { server.Close(); fake.Close() })
	door, err := twilio.New(twilio.Config{AccountSid: sid, AuthToken: token, BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return account{door, func() {
		if err := fake.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
	}}
}

// The double and the door are held against the same.
func TestTwilioIsLikeItsDoor(t *testing.T) {
	for name, open := range map[string]func(*testing.T, *Clock) account{"double": openTwilio, "door": openDoor} {
		t.Run(name, func(t *testing.T) {
			for name, test := range map[string]func(*testing.T, *Clock, account){
				"a message is listed and fetched": isListedAndFetched, "the list by numbers and dates": listsByNumbersAndDates,
				"the list ends with a page": endsWithAPage, "no such message": hasNoSuchMessage,
			} {
				t.Run(name, func(t *testing.T) {
					clock := NewClock(noon)
					test(t, clock, open(t, clock))
				})
			}
		})
	}
}

func (a account) send(t *testing.T, to sms.PhoneNumber, body string) {
	t.Helper()
	_, err := a.Create(t.Context(), sms.Outbound{From: TwilioNumber, To: to, Body: body})
	if err != nil {
		t.Fatal(err)
	}
}

// lists holds the bodies that a filter lets through against what they must be.
func (a account) lists(t *testing.T, filter sms.ListFilter, want ...string) {
	t.Helper()
	found, err := a.List(t.Context(), filter)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range found {
		got = append(got, m.Body)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%+v (-want +got):\n%s", filter, diff)
	}
}

func isListedAndFetched(t *testing.T, clock *Clock, a account) {
	t.Helper()
	clock.Advance(300 * time.Millisecond)
	created, err := a.Create(t.Context(), sms.Outbound{From: TwilioNumber, To: Destination, Body: "Is the gate open?"})
	if err != nil || created.Status != sms.StatusQueued {
		t.Fatalf("created %+v, %v", created, err)
	}
	a.deliver()
	want := sms.Listed{
		Sid: created.Sid, Status: sms.StatusDelivered, Body: "Is the gate open?", From: TwilioNumber, To: Destination,
		Direction: sms.DirectionAPI, DateCreated: noon,
	}
	got, err := a.Fetch(t.Context(), created.Sid)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("Fetch: %v (-want +got):\n%s", err, diff)
	}
	listed, err := a.List(t.Context(), sms.ListFilter{To: Destination})
	if diff := cmp.Diff([]sms.Listed{want}, listed); err != nil || diff != "" {
		t.Errorf("List: %v (-want +got):\n%s", err, diff)
	}
}

func listsByNumbersAndDates(t *testing.T, clock *Clock, a account) {
	t.Helper()
	for _, body := range []string{"one", "two", "three"} {
		a.send(t, Destination, body)
		a.deliver()
		clock.Advance(time.Hour)
	}
	a.send(t, queuedPhone, "waits")
	at := func(hours int, more time.Duration) time.Time { return noon.Add(time.Duration(hours)*time.Hour + more) }
	a.lists(t, sms.ListFilter{}, "waits", "three", "two", "one")
	a.lists(t, sms.ListFilter{Limit: 2}, "waits", "three")
	a.lists(t, sms.ListFilter{To: queuedPhone}, "waits")
	a.lists(t, sms.ListFilter{To: queuedPhone, SentAfter: noon})
	a.lists(t, sms.ListFilter{To: queuedPhone, SentBefore: at(9, 0)})
	a.lists(t, sms.ListFilter{From: Destination})
	a.lists(t, sms.ListFilter{SentAfter: at(1, 0)}, "three", "two")
	a.lists(t, sms.ListFilter{SentAfter: at(1, 500*time.Millisecond)}, "three", "two")
	a.lists(t, sms.ListFilter{SentAfter: at(1, time.Second)}, "three")
	a.lists(t, sms.ListFilter{SentBefore: at(1, 0)}, "two", "one")
	a.lists(t, sms.ListFilter{SentBefore: at(1, -500*time.Millisecond)}, "two", "one")
	a.lists(t, sms.ListFilter{SentBefore: at(1, -time.Second)}, "one")
	a.lists(t, sms.ListFilter{CreatedAfter: at(2, 0)}, "waits", "three", "two", "one")
}

// Two pages and a half of messages, a second apart.
func endsWithAPage(t *testing.T, clock *Clock, a account) {
	t.Helper()
	const sent = 2*twilioPage + twilioPage/2
	for range sent {
		a.send(t, Destination, "Is the gate open?")
		clock.Advance(time.Second)
	}
	for _, tt := range []struct {
		filter sms.ListFilter
		want   int
	}{
		{sms.ListFilter{}, sent},
		{sms.ListFilter{Limit: twilioPage + 1}, twilioPage + 1},
		{sms.ListFilter{CreatedAfter: noon.Add(sent * time.Second)}, twilioPage},
		{sms.ListFilter{CreatedAfter: noon.Add((sent - twilioPage) * time.Second)}, 2 * twilioPage},
		{sms.ListFilter{CreatedAfter: noon.Add((sent - twilioPage - 1) * time.Second)}, sent},
		{sms.ListFilter{CreatedAfter: noon}, sent},
	} {
		found, err := a.List(t.Context(), tt.filter)
		if err != nil || len(found) != tt.want {
			t.Errorf("%+v: %d messages, %v; want %d", tt.filter, len(found), err, tt.want)
		}
	}
}

func hasNoSuchMessage(t *testing.T, _ *Clock, a account) {
	t.Helper()
	a.send(t, Destination, "Is the gate open?")
	_, err := a.Fetch(t.Context(), MessageSid(404))
	if f := fault.Of(err); err == nil || f.Kind != fault.Permanent || f.Code != 20404 || f.HTTPStatus != 404 {
		t.Errorf("Fetch: %v", err)
	}
}

// What the script and the faults make of a POST.
func TestTwilioKeepsPosts(t *testing.T) {
	ref := sms.CallbackRef{RelayID: MessageSid(1), Attempt: 2, Hop: 1}
	refused := &fault.Error{Kind: fault.Throttled, Code: 20429, HTTPStatus: 429}
	ours, theirs := OutboundSid(8), ""
	f := &Twilio{Now: func() time.Time { return noon }, SidOffset: 7}
	seen := ""
	for name, tt := range map[string]struct {
		answer TwilioAnswer
		fail   Fault
		heard  error
		sid    string
	}{
		"taken":                        {TwilioAnswer{}, nil, nil, ours},
		"refused":                      {TwilioAnswer{Err: refused}, nil, refused, theirs},
		"refused and taken":            {TwilioAnswer{Err: refused, Taken: true}, nil, refused, ours},
		"the answer is lost":           {TwilioAnswer{}, failing("after Create"), errLost, ours},
		"the answer of one is not his": {TwilioAnswer{Err: refused}, failing("after Create"), errLost, theirs},
	} {
		t.Run(name, func(t *testing.T) {
			f.Forget()
			f.Fault = tt.fail
			f.Answer = func(int, sms.Outbound) TwilioAnswer {
				tt.answer.Meanwhile = func() { seen = f.Posts()[0].Message.Sid }
				return tt.answer
			}
			_, err := f.Create(t.Context(), sms.Outbound{To: Destination, StatusCallback: ref.URL("https://relay.example.com")})
			got := f.Posts()[0]
			if !errors.Is(err, tt.heard) || !errors.Is(got.Err, tt.heard) || got.Message.Sid != tt.sid || seen != tt.sid || got.Ref != ref {
				t.Errorf("%v; meanwhile %q, then %+v", err, seen, got)
			}
		})
	}
}

func TestTwilioRefusesAStrangeCallback(t *testing.T) {
	f := &Twilio{Now: time.Now}
	_, err := f.Create(t.Context(), sms.Outbound{StatusCallback: "https://relay.example.com/sms/callback?who=knows"})
	if err == nil || fault.Of(err).Kind != fault.Permanent || len(f.Posts()) > 0 {
		t.Errorf("%v, %d POSTs", err, len(f.Posts()))
	}
}

// What a test asks about reads, and how it keeps a message from the list.
func TestTwilioKeepsReads(t *testing.T) {
	hidden := true
	f := &Twilio{Now: func() time.Time { return noon }, Hides: func(TwilioPost) bool { return hidden }}
	a := account{Messages: f}
	a.send(t, Destination, "Is the gate open?")
	a.lists(t, sms.ListFilter{To: Destination})
	hidden = false
	a.lists(t, sms.ListFilter{To: Destination}, "Is the gate open?")
	f.Add(sms.Listed{To: Destination, Body: "Another's", DateCreated: noon.Add(time.Second)})
	a.lists(t, sms.ListFilter{To: Destination}, "Another's", "Is the gate open?")
	ended, end := context.WithCancel(t.Context())
	end()
	for _, sid := range []string{OutboundSid(1), ""} {
		_, err := f.Fetch(ended, sid)
		if fault.Of(err).Kind != fault.Transient {
			t.Errorf("Fetch with an ended context: %v", err)
		}
	}
	if got := fmt.Sprint(len(f.Lists()), f.Lists()[0].Filter.To, f.Fetches()[0].Sid); got != fmt.Sprint(3, Destination, OutboundSid(1)) {
		t.Errorf("reads: %s", got)
	}
}
