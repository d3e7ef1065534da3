package states_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Transcripts are stories of a customer and the people on duty, as they read them on their phones. docs/duty.md shows them. Each line is
// one of these:
//
//	Ann: words              Ann's phone writes to the number; so does the customer, and Bo, Cy and the owner
//	  Ann reads: words      that arrives on Ann's phone because of what is above, and nothing else does on any phone
//	+15 minutes             so much time goes by
//
// {customer} is the customer's number, {last4} its end, {A} the customer's tag.
const transcripts = "testdata/people/*.txt"

// ringMark is in a transcript of a number whose phones get a text at the same time.
const ringMark = "(Ring: all)"

// holdMark is in a transcript of a number that is closed for the first three hours: it holds the customers' texts and tells them nightText.
const (
	holdMark  = "(Closed: hold)"
	nightText = "We are closed. We answer from seven on."
)

// answerTimeout is the AnswerTimeout of the transcripts.
const answerTimeout = 15 * time.Minute

// people are the transcripts as stories.
func people() []story {
	files, err := filepath.Glob(transcripts)
	if err != nil || len(files) == 0 {
		panic("there are no transcripts")
	}
	var all []story
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			panic(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		all = append(all, story{name, func(s *stage) { (&transcript{stage: s}).play(string(text)) }})
	}
	return all
}

// transcript is one that is being played.
type transcript struct {
	*stage

	written, seen int
	expected      []string
}

// phones are who has which phone.
func (s *transcript) phones() map[string]sms.PhoneNumber {
	return map[string]sms.PhoneNumber{
		"customer": s.customer, "Ann": s.first, "Bo": s.second, "Cy": s.third, "owner": s.number[:8] + "0199",
	}
}

func (s *transcript) play(text string) {
	s.reroute(func(r *route.Route) {
		r.FallbackCarriers = []sms.PhoneNumber{s.second, s.third}
		r.AnswerTimeout = route.Duration(answerTimeout)
		r.Phones = []route.Phone{{Name: "Ann", Number: s.first}, {Name: "Bo", Number: s.second}, {Name: "Cy", Number: s.third}}
		r.Owner = string(s.phones()["owner"])
		if strings.Contains(text, ringMark) {
			r.Ring = route.RingAll
		}
		if strings.Contains(text, holdMark) {
			r.TimeZone, r.Closed, r.AutoAnswer.Closed = "America/Los_Angeles", route.ClosedHold, nightText
			r.Schedule = []route.Shift{{Days: "Mon-Sun", From: "07:00", To: "18:00", Phones: []string{"Ann", "Bo", "Cy"}}}
		}
	})
	s.tag(s.customer, 0)
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		who, words, _ := strings.Cut(strings.TrimSpace(line), ": ")
		who, isRead := strings.CutSuffix(who, " reads")
		switch {
		case line == "", strings.HasPrefix(line, "#"):
		case isRead:
			s.expected = append(s.expected, who+": "+words)
		case strings.HasPrefix(line, "+"):
			s.check()
			s.pass(line)
		default:
			s.check()
			s.write(who, words)
		}
		if s.t.Failed() {
			s.t.Fatalf("at the line %q", line)
		}
	}
	s.check()
}

// write brings a text in.
func (s *transcript) write(who, words string) {
	s.written++
	from := s.phones()[who]
	e := s.text(s.written)
	e.Message.From, e.Message.Body = from, s.filled(words)
	s.put(e)
}

// filled puts the customer's number and tag in.
func (s *transcript) filled(words string) string {
	c, err := s.conversations.Get(s.t.Context(), s.number, s.customer)
	s.must(err)
	last4 := string(s.customer[len(s.customer)-4:])
	return strings.NewReplacer("{customer}", string(s.customer), "{A}", string(c.Tag), "{last4}", last4).Replace(words)
}

// pass lets time go by.
func (s *transcript) pass(line string) {
	amount, unit, _ := strings.Cut(strings.TrimPrefix(line, "+"), " ")
	d, err := time.ParseDuration(amount + unit[:1])
	s.must(err)
	s.goesBy(d)
}

// goesBy lets so much time go by in a long story, in which the sender works.
func (s *stage) goesBy(d time.Duration) {
	for end := s.now().Add(d); s.now().Before(end); {
		if s.pump(s.texts, 0)+s.pump(s.timers, 0) == 0 {
			s.skip(min(end.Sub(s.now()), 10*time.Second))
		}
	}
}

// check works until everybody has read what was expected, a customer's texts in that order, and holds it against that.
func (s *transcript) check() {
	s.t.Helper()
	want := make([]string, len(s.expected))
	s.until(func() bool {
		isWorking := s.depth(s.texts) > 0
		return len(s.twilio.Posts())-s.seen >= len(s.expected) && !isWorking
	})
	for i, line := range s.expected {
		want[i] = s.filled(line)
	}
	names := map[sms.PhoneNumber]string{}
	for name, phone := range s.phones() {
		names[phone] = name
	}
	var got []string
	for _, p := range s.twilio.Posts()[s.seen:] {
		got = append(got, names[p.To]+": "+p.Body)
	}
	byReader := func(a, b string) int { return strings.Compare(beginning(a), beginning(b)) }
	slices.SortStableFunc(want, byReader)
	slices.SortStableFunc(got, byReader)
	if !slices.Equal(want, got) {
		s.t.Errorf("the phones read\n  %s\nand were to read\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	s.seen, s.expected = len(s.twilio.Posts()), nil
}

// beginning is who reads a line, and its first word, which is the tag in a customer's text. What else the relay tells them has no order.
func beginning(line string) string {
	who, words, _ := strings.Cut(line, ": ")
	first, _, _ := strings.Cut(words, " ")
	return who + ": " + strings.TrimSuffix(first, ":")
}

// TestDutyShowsTheTranscripts wants docs/duty.md, which people on duty read, to show each transcript as it is played.
func TestDutyShowsTheTranscripts(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/duty.md")
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob(transcripts)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if shown := "```text\n" + strings.Trim(string(text), "\n") + "\n```\n"; !strings.Contains(string(page), shown) {
			t.Errorf("docs/duty.md does not show %s as it is", file)
		}
	}
}
