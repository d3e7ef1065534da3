package operations_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/operator/conversations"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/contact"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

func post(path, fields string) events.APIGatewayV2HTTPRequest {
	return request(http.MethodPost, path, "", `{"twilio_number":"+18585550100","customer":"`+string(relaytest.Customer)+`"`+fields+`}`)
}

// ofCustomer names the customer in a query.
const ofCustomer = "number=%2B18585550100&customer=%2B18585550111"

func get(path, query string) events.APIGatewayV2HTTPRequest {
	return request(http.MethodGet, path, query, "")
}

// TestWhoWaitsPageByPage: the pages have each who waits once, in the order of urgency, and the filter narrows them.
func TestWhoWaitsPageByPage(t *testing.T) {
	s := impatient(t)
	for i := range 7 {
		c := waited()
		c.Customer = sms.PhoneNumber("+1312555014" + string(rune('0'+i)))
		c.Spell.BeganAt = c.Spell.BeganAt.Add(-time.Duration(i) * time.Minute)
		if i == 2 {
			c.Spell.UnansweredAt = noon
		}
		if i == 3 {
			c.Claim = conversation.Claim{Phone: relaytest.Destination, Since: noon, ActedAt: noon}
		}
		s.keep(t, c)
	}
	seen := conversation.Conversation{TwilioNumber: relaytest.TwilioNumber, Customer: "+13125550149", Name: "Zoe"}
	s.keep(t, seen)
	list := func(query string) (found []sms.PhoneNumber) {
		for cursor := ""; ; {
			var page conversations.List
			decode(t, s.ask(t, get(operations.PathConversations, "number=%2B18585550100&limit=3"+query+cursor)).body, &page)
			for _, c := range page.Conversations {
				found = append(found, c.Customer[len(c.Customer)-1:])
			}
			if page.NextCursor == "" {
				return found
			}
			cursor = "&cursor=" + strings.ReplaceAll(page.NextCursor, "+", "%2B")
		}
	}
	for query, want := range map[string]string{
		"": "01234569", "&open=true": "2654310", "&open=true&only=unanswered": "2", "&open=true&only=free": "265410",
		"&open=true&only=held": "", "&open=false": "01234569",
	} {
		got := ""
		for _, c := range list(query) {
			got += string(c)
		}
		if got != want {
			t.Errorf("with %q come %s, want %s", query, got, want)
		}
	}
	for query, status := range map[string]int{
		"": http.StatusBadRequest, "number=%2B18585550100&open=yes": http.StatusBadRequest,
		"number=%2B18585550100&open=true&only=x": http.StatusBadRequest,
		"number=%2B18585550100&only=free":        http.StatusUnprocessableEntity,
		ofCustomer + "&open=true":                http.StatusUnprocessableEntity, ofCustomer + "&limit=0": http.StatusBadRequest,
		"number=%2B18585550100&customer=%2B13125550199": http.StatusNotFound,
	} {
		if a := s.ask(t, get(operations.PathConversations, query)); a.status != status {
			t.Errorf("%s: status %d, want %d: %s", query, a.status, status, a.body)
		}
	}
}

// TestACustomersWordsAreReadOnRecord, and are in no other answer.
func TestACustomersWordsAreReadOnRecord(t *testing.T) {
	s := impatient(t)
	s.keep(t, waited())
	r := relayed()
	s.store(t, r)
	without := s.ask(t, get(operations.PathConversations, ofCustomer))
	if without.status != http.StatusOK || strings.Contains(without.body, `"text"`) || strings.Contains(without.body, r.Body) {
		t.Errorf("status %d: %s", without.status, without.body)
	}
	with := s.ask(t, get(operations.PathWords, ofCustomer+"&limit=5"))
	var all conversations.Details
	decode(t, with.body, &all)
	if len(all.Texts) != 1 || all.Texts[0].Text == nil || *all.Texts[0].Text != r.Body {
		t.Fatalf("status %d: %s", with.status, with.body)
	}
	if read, err := s.ledger.Get(t.Context(), r.MessageSid); err != nil || read.Reading.By != caller {
		t.Errorf("read by %+v, error %v", read.Reading, err)
	}
}

// TestBlocks: the API says of each change what the command says, and the record has who made it.
func TestBlocks(t *testing.T) {
	s := newStage()
	block := func(method, query, fields string) events.APIGatewayV2HTTPRequest {
		r := post(operations.PathBlocks, fields)
		if r.RequestContext.HTTP.Method = method; method != http.MethodPut {
			r.Body, r.RawQueryString = "", query
		}
		return r
	}
	for _, step := range []struct {
		request events.APIGatewayV2HTTPRequest
		change  contact.Change
		blocked bool
	}{
		{block(http.MethodPut, "", `,"dry_run":true`), contact.WasBlocked, true},
		{block(http.MethodPut, "", ""), contact.WasBlocked, true},
		{block(http.MethodPut, "", ""), contact.Unchanged, true},
		{block(http.MethodDelete, ofCustomer, ""), contact.WasUnblocked, false},
		{block(http.MethodDelete, ofCustomer, ""), contact.Unchanged, false},
		{block(http.MethodPut, "", ""), contact.WasBlocked, true},
	} {
		var done contact.ShownBlockStep
		if decode(t, s.ask(t, step.request).body, &done); done.Action != step.change || done.Block.Blocked != step.blocked {
			t.Errorf("%s: %+v, want %s", step.request.RequestContext.HTTP.Method, done, step.change)
		}
	}
	var one contact.ShownBlock
	if decode(t, s.ask(t, block(http.MethodGet, ofCustomer, "")).body, &one); !one.Blocked || one.By != caller {
		t.Errorf("blocked is %+v", one)
	}
	var list operations.BlockList
	if decode(t, s.ask(t, block(http.MethodGet, "number=%2B18585550100", "")).body, &list); len(list.Blocks) != 1 {
		t.Errorf("the list is %+v", list)
	}
	r := block(http.MethodPut, "", "")
	r.Body = strings.Replace(r.Body, string(relaytest.Customer), string(relaytest.Destination), 1)
	s.ask(t, r).wantProblem(t, http.StatusUnprocessableEntity, "is a phone of +18585550100")
	r.Body = strings.Replace(r.Body, "+18585550100", "+18585550101", 1)
	s.ask(t, r).wantProblem(t, http.StatusConflict, "no_route")
}

// TestDoneIsForWhatWasSeen.
func TestDoneIsForWhatWasSeen(t *testing.T) {
	s := impatient(t)
	s.ask(t, post(operations.PathDone, "")).wantProblem(t, http.StatusNotFound, "nothing is kept")
	s.keep(t, waited())
	s.ask(t, post(operations.PathDone, `,"newest_sid":"`+relaytest.MessageSid(1)+`"`)).
		wantProblem(t, http.StatusConflict, "wrote again")
	var c conversations.Shown
	for range 2 {
		if decode(t, s.ask(t, post(operations.PathDone, `,"newest_sid":"`+relaytest.MessageSid(2)+`"`)).body, &c); c.Waiting != nil {
			t.Errorf("the customer waits: %+v", c)
		}
	}
	if kept, err := s.conversations.Get(t.Context(), relaytest.TwilioNumber, relaytest.Customer); err != nil || kept.Seen.By != caller {
		t.Errorf("seen by %+v, error %v", kept.Seen, err)
	}
}

// TestResume lets the texts of one customer go on.
func TestResume(t *testing.T) {
	s := newStage()
	phone := conversation.Phone{PhoneKey: conversation.PhoneKey{TwilioNumber: relaytest.TwilioNumber, Phone: relaytest.Destination}}
	phone.Exchanges = []conversation.Exchange{{Customer: relaytest.Customer, SentAt: noon}}
	for wait := time.Duration(0); wait == 0; {
		phone, wait = phone.TakeText(relaytest.Customer, noon)
	}
	if _, err := s.conversations.PutPhone(t.Context(), phone); err != nil {
		t.Fatal(err)
	}
	for i, fields := range []string{`,"dry_run":true`, "", ""} {
		var done conversations.Resumed
		decode(t, s.ask(t, post(operations.PathResume, fields)).body, &done)
		if (len(done.Phones) == 1) != (i < 2) || done.DryRun != (i == 0) {
			t.Errorf("step %d: %+v", i, done)
		}
	}
	if did := s.conversations.Actions(); len(did) != 1 || did[0].By != caller || did[0].Deed != conversation.DeedResume {
		t.Errorf("on record is %+v", did)
	}
}

// TestGive: who gives a customer to a phone is on record before the order is on the queue, and the answer is what the sender made of it.
func TestGive(t *testing.T) {
	s := impatient(t)
	s.ask(t, post(operations.PathGive, `,"phone":"Ann"`)).wantProblem(t, http.StatusNotFound, "nothing is kept")
	s.keep(t, waited())
	s.ask(t, post(operations.PathGive, `,"phone":"Zoe"`)).wantProblem(t, http.StatusUnprocessableEntity, `"Zoe" is no phone`)
	s.ask(t, post(operations.PathGive, `,"phone":"Ann","from":"`+string(relaytest.Destination)+`"`)).
		wantProblem(t, http.StatusConflict, "nobody has the customer any more")
	s.ask(t, post(operations.PathGive, `,"phone":""`)).wantProblem(t, http.StatusBadRequest, "phone: want")
	s.wantNothingDone(t)
	// Nobody carries it out: who asks is told that it is not certain.
	a := s.ask(t, post(operations.PathGive, `,"phone":"ann","mine":true,"idempotency_key":"k"`))
	e := s.envelope(t)
	if a.status != http.StatusAccepted || e.Kind != queue.KindGive || e.Destination != relaytest.Destination || !e.Give.Mine ||
		e.Message.From != relaytest.Customer || e.Give.From != "" {
		t.Fatalf("status %d: %s, envelope %+v", a.status, a.body, e)
	}
	did := s.conversations.Actions()
	if len(did) != 1 || did[0].By != caller || did[0].Deed != conversation.DeedGive || did[0].MessageSid != e.RelayID ||
		did[0].Phone != relaytest.Destination {
		t.Errorf("on record is %+v", did)
	}
	// It is carried out while who asks waits.
	claim := func(phone sms.PhoneNumber, order string) {
		c, err := s.conversations.Get(t.Context(), relaytest.TwilioNumber, relaytest.Customer)
		if err != nil {
			t.Fatal(err)
		}
		c.Claim = conversation.Claim{Phone: phone, MessageSid: order, Since: noon, ActedAt: noon}
		s.keep(t, c)
	}
	s.Wait = func(context.Context, time.Duration) { claim(relaytest.Destination, e.RelayID) }
	again := post(operations.PathGive, `,"phone":"Ann","mine":true,"idempotency_key":"k"`)
	for range 2 {
		var c conversations.Shown
		if a = s.ask(t, again); a.status != http.StatusOK {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
		if decode(t, a.body, &c); c.Claimer == nil || c.Claimer.Phone != relaytest.Destination {
			t.Errorf("the customer is %s", a.body)
		}
	}
	// A phone is quicker than the order.
	s.Wait = func(context.Context, time.Duration) { claim("", "other") }
	s.ask(t, post(operations.PathGive, `,"phone":"`+string(relaytest.Fallback)+`","from":"`+string(relaytest.Destination)+`"`)).
		wantProblem(t, http.StatusConflict, "nobody has the customer any more")
	claim(relaytest.Fallback, "other")
	s.ask(t, post(operations.PathGive, `,"phone":"Ann"`)).wantProblem(t, http.StatusConflict, string(relaytest.Fallback)+" has the customer")
}

// TestAReplyIsOnRecord with who answered.
func TestAReplyIsOnRecord(t *testing.T) {
	s := newStage()
	for range 2 {
		if a := s.ask(t, post(operations.PathReply, `,"body":"At three","idempotency_key":"k"`)); a.status != http.StatusAccepted {
			t.Fatalf("status %d: %s", a.status, a.body)
		}
	}
	did := s.conversations.Actions()
	if !slices.ContainsFunc(did, func(a conversation.Action) bool {
		return a.By == caller && a.Deed == conversation.DeedReply && a.Customer == relaytest.Customer && a.MessageSid == s.envelope(t).RelayID
	}) || len(did) != 1 {
		t.Errorf("on record is %+v", did)
	}
}
