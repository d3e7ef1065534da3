package figures_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/figures"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	business = sms.PhoneNumber("+18585550100")
	anns     = sms.PhoneNumber("+16195550123")
	bos      = sms.PhoneNumber("+16195550124")
	one      = sms.PhoneNumber("+13125550147")
	two      = sms.PhoneNumber("+13125550148")
	three    = sms.PhoneNumber("+13125550149")
)

// noon is a Monday, and now is the Wednesday after it.
var (
	noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	now  = noon.AddDate(0, 0, 2)
)

func way() route.Route {
	return route.Route{
		TwilioNumber: business, DestinationCarrier: anns, FallbackCarriers: []sms.PhoneNumber{bos},
		Phones: []route.Phone{{Name: "Ann", Number: anns}, {Name: "Bo", Number: bos}},
	}
}

// stage is a ledger, and how many records were read of it.
type stage struct {
	*testing.T
	figures.Book

	ledger relaytest.MemoryLedger
	now    time.Time
	read   int
	n      int
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{T: t}
	s.Texts, s.Now, s.now = s, func() time.Time { return s.now }, now
	return s
}

func (s *stage) List(ctx context.Context, q ledger.Query) (ledger.Page, error) {
	page, err := s.ledger.List(ctx, q)
	s.read += len(page.Records)
	return page, err
}

func (s *stage) put(r ledger.Record) {
	s.Helper()
	s.n++
	if r.MessageSid == "" {
		r.MessageSid = relaytest.MessageSid(s.n)
	}
	r.TwilioNumber = business
	if _, err := s.ledger.Create(s.Context(), r); err != nil {
		s.Fatal(err)
	}
}

// texts has a customer's text come in, which is delivered to a phone two seconds later.
func (s *stage) texts(customer sms.PhoneNumber, at time.Time, to sms.PhoneNumber, edit func(*ledger.Attempt)) {
	s.Helper()
	a := ledger.Attempt{
		Number: 1, To: to, Header: "A47:", Outcome: ledger.OutcomeAccepted, EndedAt: at.Add(2 * time.Second), Status: sms.StatusDelivered,
	}
	if edit != nil {
		edit(&a)
	}
	s.put(ledger.Record{Customer: customer, Body: "Is it open?", ReceivedAt: at, State: ledger.Delivered, Attempts: []ledger.Attempt{a}})
}

// answers has a phone answer a customer.
func (s *stage) answers(customer sms.PhoneNumber, at time.Time) {
	s.Helper()
	s.put(ledger.Record{
		Customer: customer, Destination: customer, Body: "Yes", ReceivedAt: at, State: ledger.Delivered,
		Answer:   ledger.Answer{Phone: anns, At: at, Verdict: ledger.AnswerSent},
		Attempts: []ledger.Attempt{{To: customer, Outcome: ledger.OutcomeAccepted, EndedAt: at, Status: sms.StatusDelivered}},
	})
}

// says has a phone tell the relay something about the customer of a tag.
func (s *stage) says(body, tag string, at time.Time) {
	s.Helper()
	s.put(ledger.Record{
		Customer: anns, Body: body, ReceivedAt: at, State: ledger.Dropped,
		Answer: ledger.Answer{Phone: anns, At: at, Tag: tag, Verdict: ledger.AnswerCommand},
	})
}

func (s *stage) of(kind figures.Kind, at time.Time) figures.Figures {
	s.Helper()
	f, err := s.Of(s.Context(), way(), figures.PeriodOf(kind, at))
	if err != nil {
		s.Fatal(err)
	}
	return f
}

// TestCounted: texts and answers by the day, how long it took from when Twilio had the first text, and what became of each message.
func TestCounted(t *testing.T) {
	s := newStage(t)
	s.texts(one, noon, anns, nil)
	s.texts(one, noon.Add(time.Minute), anns, nil) // waits since the first one
	s.says("/mine A47", "A47", noon.Add(3*time.Minute+2*time.Second))
	s.answers(one, noon.Add(5*time.Minute+2*time.Second))
	s.answers(one, noon.Add(6*time.Minute)) // nobody waits any more
	s.texts(two, noon.Add(10*time.Hour), bos, func(a *ledger.Attempt) { a.Status, a.ErrorCode = sms.StatusUndelivered, 30003 })
	s.answers(two, noon.Add(20*time.Hour+2*time.Second)) // on the next day
	s.texts(three, noon.Add(-11*time.Hour), anns, func(a *ledger.Attempt) { a.Status, a.Header = sms.StatusSent, "B73:" })
	s.put(ledger.Record{Customer: "+13125550141", Body: "Hi", ReceivedAt: noon, State: ledger.Dropped, Reason: ledger.ReasonBlocked})
	f := s.of(figures.Week, now)
	total := figures.Part{
		Texts: 5, Answers: 3, Claim: figures.Times{3 * time.Minute, 10 * time.Hour}, Answer: figures.Times{5 * time.Minute, 10 * time.Hour},
		Unanswered: 1, Sent: 7, Received: 9,
	}
	if diff := cmp.Diff(total, f.Total); diff != "" {
		t.Errorf("total (-want +got):\n%s", diff)
	}
	mon, tue := f.Parts[0], f.Parts[1]
	if mon.Texts != 5 || len(mon.Answer) != 2 || mon.Answers != 2 || tue.Answers != 1 || len(f.Parts) != 7 {
		t.Errorf("the days are %+v", f.Parts)
	}
	want := []figures.Delivery{{Phone: anns, Name: "Ann", Delivered: 2, Open: 1}, {Phone: bos, Name: "Bo", Lost: 1}, {Delivered: 3}}
	if diff := cmp.Diff(want, f.Deliveries); diff != "" {
		t.Errorf("deliveries (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]figures.Code{{Number: 30003, Times: 1}}, f.Codes); diff != "" {
		t.Error(diff)
	}
	// An hour of the day before is not in it, though somebody answered it then.
	if day := s.of(figures.Day, now.AddDate(0, 0, -1)); day.Total.Answers != 1 || len(day.Total.Answer) != 0 || len(day.Parts) != 24 {
		t.Errorf("Tuesday is %+v", day.Total)
	}
}

// TestEndsOtherwise: who was seen to without an answer waits no more, and is no answer; one by hand is an answer, and nobody's claim.
func TestEndsOtherwise(t *testing.T) {
	s := newStage(t)
	s.texts(one, noon, anns, nil)
	s.says("/done A47", "A47", noon.Add(time.Minute))
	s.answers(one, noon.Add(time.Hour))
	s.texts(two, noon, anns, func(a *ledger.Attempt) { a.Header = "B73:" })
	s.put(ledger.Record{
		MessageSid: "RL00000000000000000000000000000001", Manual: true, Destination: two, Body: "Hello", State: ledger.Delivered,
		ReceivedAt: noon.Add(2*time.Minute + 2*time.Second),
		Attempts:   []ledger.Attempt{{To: two, Outcome: ledger.OutcomeAccepted, EndedAt: noon.Add(3 * time.Minute), Status: sms.StatusDelivered}},
	})
	f := s.of(figures.Month, noon).Total
	if diff := cmp.Diff(figures.Times{2 * time.Minute}, f.Answer); diff != "" || len(f.Claim) > 0 || f.Unanswered > 0 || f.Answers != 2 {
		t.Errorf("the figures are %+v\n%s", f, diff)
	}
}

// TestLeftOut: pictures have another price, and of words that are gone nobody knows how long they were.
func TestLeftOut(t *testing.T) {
	s := newStage(t)
	taken := []ledger.Attempt{{To: anns, Outcome: ledger.OutcomeAccepted, EndedAt: noon, Status: sms.StatusDelivered}}
	s.put(ledger.Record{
		Customer: one, Body: "Look", Media: []sms.Media{{URL: "https://api.twilio.com/1", ContentType: "image/jpeg"}}, ReceivedAt: noon,
		State:    ledger.Delivered,
		Attempts: []ledger.Attempt{{To: anns, Media: "k", Outcome: ledger.OutcomeAccepted, EndedAt: noon, Status: sms.StatusDelivered}},
	})
	s.put(ledger.Record{
		Customer: two, ReceivedAt: noon, State: ledger.Delivered, Attempts: taken, Decision: ledger.Decision{What: ledger.VerdictForget},
	})
	if f := s.of(figures.Day, noon).Total; f.Pictures != 2 || f.Erased != 2 || f.Sent+f.Received != 0 || f.Texts != 2 {
		t.Errorf("the figures are %+v", f)
	}
}

// TestBounded: however many texts there are, no more are read at once than there is time for; the days that do not change any more are
// remembered, so that the rest comes when it is asked for again.
func TestBounded(t *testing.T) {
	s := newStage(t)
	long := now.AddDate(0, 0, -20)
	const days, each = 6, 900
	for day := range days {
		for n := range each {
			at := figures.PeriodOf(figures.Day, long).From.AddDate(0, 0, day).Add(time.Duration(n) * time.Second)
			s.put(ledger.Record{MessageSid: fmt.Sprintf("SM%030d%02d", n, day), Customer: one, ReceivedAt: at, State: ledger.Delivered})
		}
	}
	var read []int
	var f figures.Figures
	for range 3 {
		s.read = 0
		f = s.of(figures.Month, long)
		read = append(read, s.read)
		if f.Since.IsZero() != (f.Total.Texts == days*each) {
			t.Errorf("%d texts are counted since %v", f.Total.Texts, f.Since)
		}
	}
	if read[0] == 0 || slices.Max(read) > figures.MaxRead+ledger.MaxLimit || read[2] != 0 || !f.Since.IsZero() || f.Total.Texts != days*each {
		t.Errorf("read are %v, and counted %d since %v", read, f.Total.Texts, f.Since)
	}
}

// TestFresh: what may still change is read again after a quarter of an hour, and today is read each time.
func TestFresh(t *testing.T) {
	s := newStage(t)
	s.texts(one, now.Add(-time.Hour), anns, nil)
	s.texts(one, now.AddDate(0, 0, -1), anns, nil)
	for _, want := range []struct {
		passed time.Duration
		read   int
	}{{0, 2}, {time.Minute, 1}, {15 * time.Minute, 2}} {
		s.now, s.read = s.now.Add(want.passed), 0
		if f := s.of(figures.Week, now); f.Total.Texts != 2 || s.read != want.read {
			t.Errorf("after %v: read %d, want %d; counted %d", want.passed, s.read, want.read, f.Total.Texts)
		}
	}
}

// TestManyOnADay: a day with more texts than are read at once is counted bit by bit.
func TestManyOnADay(t *testing.T) {
	s := newStage(t)
	long := figures.PeriodOf(figures.Day, now.AddDate(0, 0, -20)).From
	const texts = 2*figures.MaxRead + 1
	for n := range texts {
		s.put(ledger.Record{
			MessageSid: fmt.Sprintf("SM%032d", n), Customer: one, ReceivedAt: long.Add(time.Duration(n) * time.Second), State: ledger.Delivered,
		})
	}
	var counted []int
	for range 3 {
		counted = append(counted, s.of(figures.Day, long).Total.Texts)
	}
	if diff := cmp.Diff([]int{figures.MaxRead, 2 * figures.MaxRead, texts}, counted); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

// TestPeriods: they begin and end by the clocks of a place, and a day may have 25 hours.
func TestPeriods(t *testing.T) {
	place, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		kind     figures.Kind
		at       time.Time
		from, to string
		parts    int
	}{
		{figures.Day, time.Date(2026, 11, 1, 12, 0, 0, 0, place), "2026-11-01", "2026-11-02", 25},
		{figures.Week, time.Date(2026, 11, 1, 12, 0, 0, 0, place), "2026-10-26", "2026-11-02", 7},
		{figures.Month, time.Date(2026, 2, 28, 23, 0, 0, 0, place), "2026-02-01", "2026-03-01", 28},
		{"year", time.Date(2026, 11, 30, 0, 0, 0, 0, place), "2026-11-30", "2026-12-07", 7},
	} {
		p := figures.PeriodOf(one.kind, one.at)
		if p.From.Format(time.DateOnly) != one.from || p.To.Format(time.DateOnly) != one.to || len(p.Parts) != one.parts {
			t.Errorf("%s of %v is %v to %v in %d parts", one.kind, one.at, p.From, p.To, len(p.Parts))
		}
	}
}

func TestQuantile(t *testing.T) {
	var times figures.Times
	if _, ok := times.Quantile(0.5); ok {
		t.Error("nothing has a median")
	}
	for n := range 10 {
		times = append(times, time.Duration(10-n)*time.Minute)
	}
	for share, want := range map[float64]time.Duration{0.5: 5 * time.Minute, 0.9: 9 * time.Minute, 1: 10 * time.Minute} {
		if got, _ := times.Quantile(share); got != want {
			t.Errorf("quantile %v is %v, want %v", share, got, want)
		}
	}
}
