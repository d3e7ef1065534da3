package simulation_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// maxGivings bounds how often operators give customers to phones in a schedule.
const maxGivings = 12

// giving is an operator's order that a phone has a customer, whom another one had when the operator looked.
type giving struct{ customer, from, to sms.PhoneNumber }

// handOver lets an operator give a customer to a phone, over HTTP. What he saw of who has the customer may be old, and some send the form
// twice.
func (s *schedule) handOver() {
	name, way := fmt.Sprintf("giver-%d", len(s.givings)+1), s.ways[len(s.ways)-1]
	g := giving{customer: one(s.chance, slices.Sorted(maps.Keys(s.states))...), to: one(s.chance, append(way.Hops(), phone(3))...)}
	has := s.lastOf(g.customer).Claim
	isHeld := has.Phone != "" && has.EndedAt.IsZero() && time.Since(has.ActedAt) < claimAge
	if isHeld && !s.chance.odds(100) {
		g.from = has.Phone
	}
	s.givings[name] = g
	body, err := json.Marshal(operations.GiveRequest{
		TwilioNumber: twilioNumber, Customer: g.customer, Phone: string(g.to), From: g.from, Mine: s.chance.odds(500), IdempotencyKey: name,
	})
	if err != nil {
		panic(err)
	}
	request := events.APIGatewayV2HTTPRequest{RawPath: operations.PathGive, Body: string(body)}
	request.RequestContext.HTTP.Method = http.MethodPost
	request.RequestContext.Authorizer = &events.APIGatewayV2HTTPRequestContextAuthorizerDescription{
		IAM: &events.APIGatewayV2HTTPRequestContextAuthorizerIAMDescription{UserARN: name},
	}
	isTwice := s.chance.odds(300)
	s.spawn(&process{name: name}, name, func(ctx context.Context, _ *actor) {
		for range 1 + map[bool]int{true: 1}[isTwice] {
			response, err := s.operations.Handle(ctx, request)
			if err != nil {
				s.violated("the operator's function returned an error: %v", err)
			}
			s.tellf("%s: %s for %s is answered %d", name, string(g.customer), string(g.to), response.StatusCode)
		}
	})
}

// handed counts the orders that were carried out.
func (s *schedule) handed() int {
	done := map[string]bool{}
	for _, all := range s.states {
		for _, c := range all {
			if s.ordered[c.Claim.MessageSid] != "" {
				done[c.Claim.MessageSid] = true
			}
		}
	}
	return len(done)
}

// TestOperatorsGive plays schedules in which operators give customers to phones, next to what phones do: what holds of claims, of who is
// told and of what goes out again holds all the same.
func TestOperatorsGive(t *testing.T) {
	skipIfOne(t)
	t.Parallel()
	handed := 0
	for seed := uint64(1); seed <= uint64(min(*schedulesFlag, 3000)); seed++ {
		sc := scenarioOf(seed)
		if sc.AnswerTimeout == 0 {
			continue
		}
		sc.Gives = 60
		o := play(t, sc, fromSeed(seed), false)
		if len(o.violations) > 0 {
			o = play(t, sc, fromSeed(seed), true)
			t.Fatalf("seed %d violates what must hold:\n%v\n%s", seed, o.violations, o.trace)
		}
		handed += o.handed
	}
	t.Logf("%d orders were carried out", handed)
	if handed == 0 {
		t.Error("no order was carried out")
	}
}
