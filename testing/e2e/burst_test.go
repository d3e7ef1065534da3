//go:build unix

package e2e

import (
	"flag"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const customers = 50

var burstEach = flag.Int("burst.each", 8, "how many texts each customer of TestBurst sends")

func customer(i int) sms.PhoneNumber {
	return sms.PhoneNumber(fmt.Sprintf("+1%d55501%02d", 312+i/100, i%100))
}

// burst lets every customer send its texts, one after the other; every tenth webhook comes twice. It returns the sids by body.
func (s *stage) burst(each int) map[string]string {
	s.t.Helper()
	var mu sync.Mutex
	taken := map[string]string{}
	var senders errgroup.Group
	senders.SetLimit(8)
	for c := range customers {
		senders.Go(func() error {
			for n := range each {
				in := twiliofake.Inbound{From: customer(c), To: number, Body: fmt.Sprintf("text %03d of customer %02d", n, c)}
				answer, err := s.twilio.SendInbound(s.t.Context(), in, s.webhook())
				if err == nil && !answer.Taken {
					err = fmt.Errorf("answered %d", answer.StatusCode)
				}
				if err != nil {
					return fmt.Errorf("%s: %w", in.Body, err)
				}
				mu.Lock()
				taken[in.Body] = answer.MessageSid
				mu.Unlock()
				if (c*each+n)%10 != 0 {
					continue
				}
				in.Sid = answer.MessageSid
				if _, err := s.twilio.SendInbound(s.t.Context(), in, s.webhook()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := senders.Wait(); err != nil {
		s.t.Fatal(err)
	}
	return taken
}

// count returns how many texts the ledger has in a state.
func (s *stage) count(state ledger.State) int {
	s.t.Helper()
	n, q := 0, ledger.Query{State: state, Limit: ledger.MaxLimit, Since: time.Now().Add(-time.Hour)}
	for {
		page, err := s.ledger().List(s.t.Context(), q)
		if err != nil {
			s.t.Fatal(err)
		}
		if n += len(page.Records); page.Next.IsZero() {
			return n
		}
		q.Cursor = page.Next
	}
}

// TestBurst sends some webhooks of each of 50 customers, every tenth twice, and wants as many messages, in order for each customer, and
// as many complete trails in the audit log.
func TestBurst(t *testing.T) {
	each := *burstEach
	s := newStage(t, map[string]any{"PacePair": "off", "PaceNumber": "off"}, nil)
	s.putRoute(route.Route{TwilioNumber: number, DestinationCarrier: phone})
	started := time.Now()
	taken := s.burst(each)
	accepted := time.Since(started)
	s.until("all texts delivered", 5*time.Minute, func() bool { return s.count(ledger.Delivered) == customers*each })
	t.Logf("%d webhooks answered after %v, all delivered after %v", len(taken), accepted.Round(time.Millisecond),
		time.Since(started).Round(time.Millisecond))

	order := map[conversation.Tag][]string{}
	for _, m := range s.twilio.Messages() {
		if m.Direction == twiliofake.DirectionOutboundAPI {
			tag, _, _ := conversation.Leading(m.Body)
			order[tag] = append(order[tag], conversation.WithoutHeader(m.Body))
		}
	}
	for who, texts := range order {
		if len(texts) != each || !slices.IsSorted(texts) {
			t.Errorf("customer %s: %d messages, in order: %v", who, len(texts), slices.IsSorted(texts))
		}
	}
	if len(order) != customers {
		t.Errorf("messages of %d customers, want %d", len(order), customers)
	}
	var sids []string
	for _, sid := range taken {
		sids = append(sids, sid)
	}
	s.checkTrails(sids)
	if denied := s.host.Recorder().Denied(); len(denied) > 0 {
		t.Errorf("calls that the policies do not allow: %+v", denied)
	}
}
