package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// maxNamings bounds how often operators name customers, or take a name away, in a schedule.
const maxNamings = 12

// namesOf are the names that operators give a customer; nobody else has them.
func namesOf(n int) []string {
	return [][]string{{"Ann", "Ann Miller"}, {"Ben", "Ben Ito"}, {"Cleo", "Mrs Cleo"}, {"Dora", "Dora Lee"}, {"Emil", "Old Emil"}}[n]
}

// knownChange is one version of one conversation.
type knownChange struct {
	conversation.Conversation

	by *actor
	at time.Time
}

// knew keeps what the conversations' table has stored, and holds it against the version before: an operator changes the name alone, and
// nobody else changes it.
func (s *schedule) knew(a *actor, stored conversation.Conversation) {
	before := s.knownOf(stored.Customer)
	s.known = append(s.known, knownChange{stored, a, time.Now()})
	if stored.Version != before.Version+1 {
		s.violated("the conversation with %s went from version %d to %d", string(stored.Customer), before.Version, stored.Version)
	}
	if !strings.HasPrefix(a.name, "namer-") {
		if stored.Name != before.Name || stored.NamedBy != before.NamedBy {
			s.violated("%s changed the name of %s from %q to %q", a.name, string(stored.Customer), before.Name, stored.Name)
		}
		return
	}
	stored.Name, stored.NamedBy, stored.Version, stored.Seal, stored.UpdatedAt = before.Name, before.NamedBy, before.Version, before.Seal,
		before.UpdatedAt
	if before.Version == 0 {
		stored.ID = ""
		before.TwilioNumber, before.Customer = stored.TwilioNumber, stored.Customer
	}
	if was, is := image(before), image(stored); fmt.Sprint(was) != fmt.Sprint(is) {
		s.violated("%s changed more of %s than a name", a.name, string(stored.Customer))
	}
}

// knownOf returns the conversation with the customer as it is stored.
func (s *schedule) knownOf(customer sms.PhoneNumber) conversation.Conversation {
	for _, c := range slices.Backward(s.known) {
		if c.Customer == customer {
			return c.Conversation
		}
	}
	return conversation.Conversation{}
}

// hadName reports whether the customer had the name, "" for none, at some time since.
func (s *schedule) hadName(customer sms.PhoneNumber, name string, since time.Time) bool {
	at := ""
	for _, c := range s.known {
		if c.Customer != customer {
			continue
		}
		if !c.at.Before(since) && at == name {
			return true
		}
		at = c.Name
	}
	return at == name
}

// rename lets an operator give a customer a name, or take it away, over HTTP.
func (s *schedule) rename() {
	s.namings++
	who, name, began := s.chance.of(5), fmt.Sprintf("namer-%d", s.namings), time.Now()
	wanted := one(s.chance, slices.Concat(namesOf(who), []string{""})...)
	request := events.APIGatewayV2HTTPRequest{RawPath: operations.PathContacts}
	request.RequestContext.HTTP.Method = http.MethodPut
	body, err := json.Marshal(operations.ContactRequest{TwilioNumber: twilioNumber, Customer: customer(who), Name: wanted})
	if err != nil {
		panic(err)
	}
	if request.Body = string(body); wanted == "" {
		request.RequestContext.HTTP.Method, request.Body = http.MethodDelete, ""
		request.RawQueryString = url.Values{"number": {string(twilioNumber)}, "customer": {string(customer(who))}}.Encode()
	}
	s.spawn(&process{name: name}, name, func(ctx context.Context, _ *actor) {
		response, err := s.operations.Handle(ctx, request)
		if err != nil {
			s.violated("the operator's function returned an error: %v", err)
		}
		s.tellf("%s: %q for %s is answered %d", name, wanted, string(customer(who)), response.StatusCode)
		if response.StatusCode == http.StatusOK && !s.hadName(customer(who), wanted, began) {
			s.violated("%s was told that %s is %q, who never was", name, string(customer(who)), wanted)
		}
	})
}

// checkHeader holds the header that a phone reads against the names of the customer: it shows one that he had, or none.
func (s *schedule) checkHeader(p *post, r ledger.Record, name string) {
	header := s.attemptOf(p).Header
	if header == "" || r.Notice || r.IsAnswer() || r.Manual {
		return
	}
	isNoName := func(word string) bool {
		return word == string(r.Customer) || word == "From" || conversation.Tag(word).IsValid()
	}
	words := slices.DeleteFunc(strings.Fields(strings.Trim(header, " :")), isNoName)
	shown := strings.Join(words, " ")
	isOwn := func(c knownChange) bool {
		first, _, _ := strings.Cut(c.Name, " ")
		return c.Customer == r.Customer && (c.Name == shown || first == shown)
	}
	if shown != "" && !slices.ContainsFunc(s.known, isOwn) {
		s.violated("%s is headed %q, and %s never had that name", name, header, string(r.Customer))
	}
}

// conversationsFeed is the change stream of the conversations, as the mapping lets it through.
func (s *schedule) conversationsFeed() *feed {
	return &feed{name: "audit of names", made: func() int { return len(s.known) }, change: func(i int) tableChange {
		c := s.known[i]
		item := conversation.Item(c.Customer)
		keys := map[string]events.DynamoDBAttributeValue{
			"TwilioNumber": events.NewStringAttribute(string(c.TwilioNumber)), "Item": events.NewStringAttribute(item),
		}
		return tableChange{keys: keys, id: item, item: c.Conversation, at: c.at}
	}}
}
