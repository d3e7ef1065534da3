package twiliofake_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// TestRegistrations sends from numbers that the carriers do not know.
func TestRegistrations(t *testing.T) {
	const tollFree, abroad = sms.PhoneNumber("+18005550100"), sms.PhoneNumber("+44" + "7700900123")
	account := start(t, func(c *twiliofake.Config) {
		c.Numbers = []sms.PhoneNumber{ours, tollFree}
		c.Registrations = map[sms.PhoneNumber]twiliofake.Registration{tollFree: twiliofake.RegistrationInProgress}
	})
	for _, tt := range []struct {
		from, to sms.PhoneNumber
		as       twiliofake.Registration
		status   string
		code     any
	}{
		{ours, carrier, "", "delivered", nil},
		{tollFree, carrier, "", "undelivered", 30032.0},
		{ours, carrier, twiliofake.RegistrationNone, "undelivered", 30034.0},
		{ours, carrier, twiliofake.RegistrationInProgress, "undelivered", 30034.0},
		{ours, carrier, twiliofake.RegistrationFailed, "undelivered", 30034.0},
		{ours, carrier, twiliofake.RegistrationConfiguring, "undelivered", 30035.0},
		{ours, carrier, twiliofake.RegistrationSuspended, "undelivered", 30033.0},
		{ours, abroad, twiliofake.RegistrationNone, "delivered", nil},
		{ours, carrier, twiliofake.RegistrationVerified, "delivered", nil},
		{tollFree, carrier, twiliofake.RegistrationVerified, "delivered", nil},
	} {
		if tt.as != "" {
			if number, found := account.Register(tt.from, tt.as); !found || number.Registration != tt.as {
				t.Fatalf("%s as %s: %+v, %t", tt.from, tt.as, number, found)
			}
		}
		sid := account.mustCreate(t, params("From", string(tt.from), "To", string(tt.to)))
		account.settle(t)
		if got := account.fetch(t, sid); got["status"] != tt.status || got["error_code"] != tt.code {
			t.Errorf("from %s as %q to %s: %v %v", tt.from, tt.as, tt.to, got["status"], got["error_code"])
		}
	}
	account.Register(ours, twiliofake.RegistrationNone)
	sid := account.mustCreate(t, params("From", "", "MessagingServiceSid", serviceSid))
	account.settle(t)
	if got := account.fetch(t, sid); got["error_code"] != 30034.0 {
		t.Errorf("of a Messaging Service: %v %v", got["status"], got["error_code"])
	}
	if _, found := account.Register(carrier, twiliofake.RegistrationNone); found {
		t.Error("somebody else's number was registered")
	}
}

func TestOptOutsAreSeenAndSet(t *testing.T) {
	account := start(t, func(c *twiliofake.Config) { c.Webhook.URL = receive(t, nil).url })
	text := func(body string) {
		t.Helper()
		if _, err := account.SendInbound(t.Context(), twiliofake.Inbound{From: customer, To: ours, Body: body}, ""); err != nil {
			t.Fatal(err)
		}
	}
	text(" stop ")
	if got := account.OptOuts(); len(got) != 1 || got[0] != (twiliofake.OptOut{Number: ours, Phone: customer, Word: "STOP", At: noon}) {
		t.Errorf("opted out are %+v", got)
	}
	text("start")
	account.OptOut(ours, carrier)
	if got := account.OptOuts(); len(got) != 1 || got[0].Phone != carrier || got[0].Word != "" {
		t.Errorf("opted out are %+v", got)
	}
	if got := account.create(t, params()); got.body["code"] != 21610.0 {
		t.Errorf("answered %v", got.body)
	}
	if got := account.create(t, params("From", "", "MessagingServiceSid", serviceSid)); got.body["code"] != 21610.0 {
		t.Errorf("of a Messaging Service: answered %v", got.body)
	}
	if !account.OptIn(ours, carrier) || account.OptIn(ours, carrier) || len(account.OptOuts()) > 0 {
		t.Errorf("opted out are %+v", account.OptOuts())
	}
	account.mustCreate(t, params())
}

// TestKeywordReplies are Twilio's, and those of a toll-free number the network's. They come once.
func TestKeywordReplies(t *testing.T) {
	const tollFree = sms.PhoneNumber("+18005550100")
	account := start(t, func(c *twiliofake.Config) {
		c.KeywordReplies, c.Webhook.URL, c.Numbers = true, receive(t, nil).url, nil
	})
	for _, tt := range []struct {
		to         sms.PhoneNumber
		body, want string
	}{
		{ours, "Please stop", ""},
		{ours, "help", "Reply STOP to unsubscribe."},
		{ours, "start", ""},
		{ours, "Stop", "You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START"},
		{ours, "stop", ""},
		{ours, "info", ""},
		{ours, "YES", "You have successfully been re-subscribed to messages from this number."},
		{tollFree, "stop", `NETWORK MSG: You replied with the word "stop"`},
		{tollFree, "unstop", `NETWORK MSG: You have replied "unstop"`},
	} {
		before := len(account.Messages())
		if _, err := account.SendInbound(t.Context(), twiliofake.Inbound{From: customer, To: tt.to, Body: tt.body}, ""); err != nil {
			t.Fatal(err)
		}
		account.settle(t)
		replies := account.Messages()[before+1:]
		switch {
		case tt.want == "" && len(replies) > 0:
			t.Errorf("%s got %q", tt.body, replies[0].Body)
		case tt.want == "":
		case len(replies) != 1 || !strings.HasPrefix(replies[0].Body, tt.want) || replies[0].From != tt.to ||
			replies[0].Status != sms.StatusDelivered:
			t.Errorf("%s got %+v", tt.body, replies)
		}
	}
}

// TestReactions are read by the relay as reactions to the text.
func TestReactions(t *testing.T) {
	app := receive(t, nil)
	account := start(t, func(c *twiliofake.Config) { c.Webhook.URL = app.url })
	sid := account.mustCreate(t, params("Body", "See you at three"))
	account.settle(t)
	for i, emoji := range append(twiliofake.Emojis(), "🎉") {
		if response, err := account.React(t.Context(), sid, emoji); err != nil || !response.Taken {
			t.Fatalf("%s: %+v, %v", emoji, response, err)
		}
		posted := app.webhooks()[i].params
		got, ok := sms.ReactionOf(posted.Get("Body"))
		if !ok || got != (sms.Reaction{Emoji: emoji, Quote: "See you at three"}) || posted.Get("From") != string(carrier) {
			t.Errorf("%s is %q: %+v, %t", emoji, posted.Get("Body"), got, ok)
		}
	}
	inbound, _ := account.FindMessages(twiliofake.MessageFilter{Direction: "inbound", Limit: 1})
	for sid, emoji := range map[string]string{"SM1": "👍", sid: "", inbound[0].Sid: "👍"} {
		if _, err := account.React(t.Context(), sid, emoji); err == nil {
			t.Errorf("%s got the reaction %q", sid, emoji)
		}
	}
}

// TestReset forgets all, and sets what was set as it was at the start.
func TestReset(t *testing.T) {
	app := receive(t, nil)
	account := start(t, watched, func(c *twiliofake.Config) {
		c.Webhook.URL, c.Numbers, c.Misbehaviour.Seed = app.url, []sms.PhoneNumber{ours}, 7
	})
	account.mustCreate(t, params())
	account.settle(t)
	account.OptOut(ours, customer)
	account.Register(ours, twiliofake.RegistrationNone)
	if err := account.Misbehave(twiliofake.Misbehaviour{Odds: twiliofake.Odds{ErrorRate: 1}}); err != nil {
		t.Fatal(err)
	}
	before, _ := account.Changes()
	account.Reset()
	after, _ := account.Changes()
	exchanges, _ := account.Exchanges(twiliofake.ExchangeFilter{})
	if len(account.Messages()) > 0 || len(account.Callbacks()) > 0 || len(account.OptOuts()) > 0 || len(exchanges) > 0 {
		t.Errorf("left are %v %v %v %v", account.Messages(), account.Callbacks(), account.OptOuts(), exchanges)
	}
	if number, _ := account.Number(ours); number.Registration != twiliofake.RegistrationVerified ||
		account.Misbehaviour() != (twiliofake.Misbehaviour{Seed: 7}) || after == before {
		t.Errorf("%+v, %+v, %d changes", number, account.Misbehaviour(), after)
	}
	account.mustCreate(t, params())
}

// TestResetEndsWhatIsUnderWay: no message of before gets a status after it, and no callback.
func TestResetEndsWhatIsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		posts := 0
		b := inBubble(t, func(r *http.Request) (*http.Response, error) {
			posts++
			return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: r}, nil
		}, func(c *twiliofake.Config) { c.StepDelay = time.Minute })
		if got := b.create(t, params("StatusCallback", "http://app.example.com/")); got != http.StatusCreated {
			t.Fatal(got)
		}
		synctest.Wait()
		b.Reset()
		began := time.Now()
		if err := b.Wait(t.Context()); err != nil || time.Since(began) > 0 {
			t.Errorf("something is still under way for %s, %v", time.Since(began), err)
		}
		time.Sleep(time.Hour)
		if posts > 0 || len(b.Messages()) > 0 {
			t.Errorf("%d posts, %v", posts, b.Messages())
		}
	})
}

// TestMisbehaveRepeatsTheSeed: the same seed makes the same faults, and what cannot be changes nothing.
func TestMisbehaveRepeatsTheSeed(t *testing.T) {
	account := start(t)
	asked := twiliofake.Misbehaviour{Odds: twiliofake.Odds{ErrorRate: 0.5}, Seed: 4711}
	run := func() (statuses []int) {
		if err := account.Misbehave(asked); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			statuses = append(statuses, account.create(t, params()).status)
		}
		return statuses
	}
	first, second := run(), run()
	failed := 0
	for i, status := range first {
		if status != second[i] {
			t.Fatalf("%v and %v", first, second)
		}
		if status != http.StatusCreated {
			failed++
		}
	}
	if failed == 0 || failed == len(first) {
		t.Errorf("%d of %d failed", failed, len(first))
	}
	if err := account.Misbehave(twiliofake.Misbehaviour{Odds: twiliofake.Odds{ErrorRate: 2}}); err == nil || account.Misbehaviour() != asked {
		t.Errorf("%v, %+v", err, account.Misbehaviour())
	}
}

// TestWaitHearsAMessage waits for one that comes later.
func TestWaitHearsAMessage(t *testing.T) {
	account := start(t)
	answered := make(chan answer, 1)
	go func() {
		answered <- account.do(t, http.MethodGet, account.url+"/fake/wait?status=delivered&timeout=1m&text=mattress", nil)
	}()
	sid := account.mustCreate(t, params())
	got := <-answered
	messages, ok := got.body["messages"].([]any)
	if got.status != http.StatusOK || !ok || len(messages) != 1 ||
		!strings.Contains(text(t, got.body, "message"), "messages that match: 1, expected: at least 1") {
		t.Errorf("%d %v, want %s", got.status, got.body, sid)
	}
}

// TestPagesOfMessages are not shifted by newer ones.
func TestPagesOfMessages(t *testing.T) {
	account := start(t)
	var sids []string
	for range 5 {
		sids = append(sids, account.mustCreate(t, params()))
	}
	page, more := account.FindMessages(twiliofake.MessageFilter{Limit: 2, To: carrier})
	account.mustCreate(t, params())
	next, _ := account.FindMessages(twiliofake.MessageFilter{Limit: 2, To: carrier, Before: page[0].Sid})
	if !more || page[0].Sid != sids[3] || next[0].Sid != sids[1] || next[1].Sid != sids[2] {
		t.Errorf("%v then %v of %v", page, next, sids)
	}
	for name, filter := range map[string]twiliofake.MessageFilter{
		"another text": {Text: "piano"}, "another phone": {Phone: customer}, "another sender": {From: customer},
		"the other direction": {Direction: "inbound"}, "another status": {Status: sms.StatusFailed}, "nothing": {Before: "SM1"},
	} {
		if found, _ := account.FindMessages(filter); len(found) > 0 {
			t.Errorf("%s: %v", name, found)
		}
	}
	if found, _ := account.FindMessages(twiliofake.MessageFilter{Text: "MATTRESS", Phone: carrier, Direction: "outbound"}); len(found) != 6 {
		t.Errorf("found %d", len(found))
	}
}
