package reconcile_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/plan"
	"quickdumpnow.com/smsrelay/shared/reconcile"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// twilioList is Twilio's list. It counts how often it is read.
type twilioList struct {
	messages []sms.Listed
	reads    int
}

// List returns them all, as many as the limit lets through.
func (l *twilioList) List(_ context.Context, f sms.ListFilter) ([]sms.Listed, error) {
	l.reads++
	return l.messages[:min(len(l.messages), f.Limit)], nil
}

// refused is a text that came in so long before noon, with attempts that Twilio refused, begun so long after noon.
func refused(n int, before time.Duration, begun ...time.Duration) ledger.Record {
	r := relaytest.Record(n, noon.Add(-before))
	r.Body = "Is the gate open?"
	for i, after := range begun {
		r.Attempts = append(r.Attempts, ledger.Attempt{
			Number: i + 1, ClaimID: fmt.Sprint("claim-", n, "-", i+1), To: relaytest.Destination, StartedAt: noon.Add(after),
			Outcome: fault.Transient.String(), HTTPStatus: 503,
		})
	}
	return r
}

// taken makes the text's first attempt one that Twilio accepted.
func taken(r ledger.Record, sid string) ledger.Record {
	r.Attempts[0].Outcome, r.Attempts[0].OutboundSid = ledger.OutcomeAccepted, sid
	return r
}

// madeBy is a message on the list as the text's attempts make them.
func madeBy(r ledger.Record, sid string, after time.Duration) sms.Listed {
	m := listed("", after)
	m.Sid, m.From, m.To, m.Body = sid, r.TwilioNumber, relaytest.Destination, "From "+string(r.Customer)+": "+r.Body
	return m
}

// A text that was held back for two days may be sent in the same minute as another of the same words: its message is not the other's.
func TestSearchKnowsOlderTexts(t *testing.T) {
	text, twin := refused(1, 0, 0), taken(refused(2, 48*time.Hour, 0), "SMtwin")
	records := &relaytest.MemoryLedger{}
	for _, r := range []ledger.Record{text, twin} {
		if _, err := records.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	list := &twilioList{messages: []sms.Listed{madeBy(twin, "SMtwin", time.Second)}}
	search := reconcile.Search{
		Messages: list, Ledger: records, Records: records, Span: span,
		Now: func() time.Time { return noon.Add(time.Hour) },
	}
	if _, verdict, err := search.Find(t.Context(), text, text.Attempts[0]); err != nil || verdict != reconcile.Absent {
		t.Errorf("Find: %v, %v; want absent", verdict, err)
	}
	if may, err := search.MayHave(t.Context(), text); err != nil || may {
		t.Errorf("MayHave: %v, %v; want false", may, err)
	}
	if owner, err := reconcile.Owner(t.Context(), records, text, text.Attempts[0], "SMtwin"); err != nil || owner != twin.MessageSid {
		t.Errorf("Owner: %q, %v; want %q", owner, err, twin.MessageSid)
	}
}

// Two texts of the same words begin in the same millisecond, and both answers are lost: they do not find the same message.
func TestSearchOfPostsOfOneMoment(t *testing.T) {
	first, second := refused(1, time.Second, 0), refused(2, 0, 0)
	records := &relaytest.MemoryLedger{}
	for _, r := range []*ledger.Record{&first, &second} {
		r.Attempts[0].Outcome = fault.Unknown.String()
		if _, err := records.Create(t.Context(), *r); err != nil {
			t.Fatal(err)
		}
	}
	list := &twilioList{messages: []sms.Listed{madeBy(first, "SM1", 0), madeBy(first, "SM2", 0)}}
	search := reconcile.Search{
		Messages: list, Ledger: records, Records: records, Span: span,
		Now: func() time.Time { return noon.Add(time.Hour) },
	}
	for i, r := range []ledger.Record{first, second} {
		found, verdict, err := search.Find(t.Context(), r, r.Attempts[0])
		if want := fmt.Sprint("SM", i+1); err != nil || verdict != reconcile.Present || found.Sid != want {
			t.Errorf("text %d: %q, %v, %v; want %q", i+1, found.Sid, verdict, err, want)
		}
	}
}

// Two texts of the same words had found each other's message, and a receipt has given one of them its own. The message that is left
// is the other's, not that of a third text.
func TestSearchOfAMessageThatAReceiptLeft(t *testing.T) {
	right, wrong, third := refused(1, 2*time.Second, 0), refused(2, time.Second, 0), refused(3, 0, 0)
	right, wrong = taken(right, "SM2"), taken(wrong, "SM2")
	wrong.Attempts[0].Found = true
	third.Attempts[0].Outcome = fault.Unknown.String()
	records := &relaytest.MemoryLedger{}
	for _, r := range []ledger.Record{right, wrong, third} {
		if _, err := records.Create(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	list := &twilioList{messages: []sms.Listed{madeBy(third, "SM1", 0), madeBy(third, "SM2", 0)}}
	search := reconcile.Search{
		Messages: list, Ledger: records, Records: records, Span: span,
		Now: func() time.Time { return noon.Add(time.Hour) },
	}
	if found, verdict, err := search.Find(t.Context(), third, third.Attempts[0]); err != nil || verdict != reconcile.Ambiguous {
		t.Errorf("%q, %v, %v; want ambiguous", found.Sid, verdict, err)
	}
}

func TestMayHave(t *testing.T) {
	hour := time.Hour
	for name, tt := range map[string]struct {
		text   ledger.Record
		listed []time.Duration
		want   bool
		reads  int
	}{
		"nothing is listed":          {refused(1, 0, 0, hour), nil, false, 1},
		"the second attempt's is":    {refused(1, 0, 0, hour), []time.Duration{hour}, true, 1},
		"one of another time is":     {refused(1, 0, 0, hour), []time.Duration{2 * hour}, false, 1},
		"there is no telling whose":  {refused(1, 0, 0, time.Second), []time.Duration{0}, true, 1},
		"all that Twilio took is it": {taken(refused(1, 0, 0), "SM0"), []time.Duration{0}, false, 0},
		"the first began later":      {refused(1, 0, hour, 0), []time.Duration{0}, true, 2},
	} {
		t.Run(name, func(t *testing.T) {
			list, records := &twilioList{}, &relaytest.MemoryLedger{}
			for i, after := range tt.listed {
				list.messages = append(list.messages, madeBy(tt.text, fmt.Sprint("SM", i), after))
			}
			search := reconcile.Search{
				Messages: list, Ledger: records, Records: records, Span: span,
				Now: func() time.Time { return noon.Add(24 * hour) },
			}
			may, err := search.MayHave(t.Context(), tt.text)
			if err != nil || may != tt.want || list.reads != tt.reads {
				t.Errorf("%v, %v after %d reads; want %v after %d", may, err, list.reads, tt.want, tt.reads)
			}
		})
	}
}

// Where so much was sent since that the list does not reach back, an absence is no proof for the sender. An operator's command has the
// letter moved: it would lie there for ever otherwise.
func TestAbsenceOnACutList(t *testing.T) {
	text := refused(1, 0, 0)
	list, records := &twilioList{}, &relaytest.MemoryLedger{}
	for i := range 1000 {
		list.messages = append(list.messages, madeBy(text, fmt.Sprint("SM", i), time.Hour))
	}
	search := reconcile.Search{
		Messages: list, Ledger: records, Records: records, Span: span,
		Now: func() time.Time { return noon.Add(24 * time.Hour) },
	}
	if _, verdict, err := search.Find(t.Context(), text, text.Attempts[0]); err != nil || verdict != reconcile.Ambiguous {
		t.Errorf("Find: %v, %v; want ambiguous", verdict, err)
	}
	if may, err := search.MayHave(t.Context(), text); err != nil || may {
		t.Errorf("MayHave: %v, %v; want false", may, err)
	}
}

// A text whose picture was refused goes again without it, and its words with a note. The lost message of the first attempt has the picture
// and no note, and is found by that; the one of the second is no other attempt's.
func TestSearchOfWhatEachAttemptSent(t *testing.T) {
	picture := sms.Media{ContentType: "image/jpeg", Token: "00000000000000000000000000000001", Size: 14_000}
	r := relaytest.Record(1, noon)
	r.State, r.Attempts = ledger.Queued, nil
	claim := func() {
		t.Helper()
		claimed, err := r.Claim(fmt.Sprint("claim", len(r.Attempts)), 0, relaytest.Destination, time.Second, noon)
		if err != nil {
			t.Fatal(err)
		}
		r = claimed
	}
	lose := func() {
		t.Helper()
		last, _ := r.Current()
		ended, _, err := r.End(last.Number, &fault.Error{Kind: fault.Unknown}, ledger.Onward{To: ledger.Queued}, noon)
		if err != nil {
			t.Fatal(err)
		}
		r = ended
	}
	r = r.WithMedia([]sms.Media{picture})
	claim()
	first := plan.TextOf(r, "")
	lose()
	r = r.WithMedia(media.LeaveAll(r.Media))
	claim()
	second := plan.TextOf(r, "")
	lose()
	if first == second {
		t.Fatalf("both attempts say %q", first)
	}
	listed := func(sid, body string, numMedia int) sms.Listed {
		m := madeBy(r, sid, time.Second)
		m.Body, m.NumMedia, m.Status = body, numMedia, sms.StatusDelivered
		return m
	}
	records := &relaytest.MemoryLedger{}
	if _, err := records.Create(t.Context(), r); err != nil {
		t.Fatal(err)
	}
	for i, tt := range []struct{ want, other sms.Listed }{
		{listed("SM1", first, 1), listed("SM2", second, 0)},
		{listed("SM2", second, 0), listed("SM1", first, 1)},
	} {
		search := reconcile.Search{
			Messages: &twilioList{messages: []sms.Listed{tt.want}}, Ledger: records, Records: records, Span: span,
			Now: func() time.Time { return noon.Add(time.Hour) },
		}
		found, verdict, err := search.Find(t.Context(), r, r.Attempts[i])
		if err != nil || verdict != reconcile.Present || found.Sid != tt.want.Sid {
			t.Errorf("attempt %d: %q, %v, %v; want %q", i+1, found.Sid, verdict, err, tt.want.Sid)
		}
		search.Messages = &twilioList{messages: []sms.Listed{tt.other}}
		if found, verdict, err = search.Find(t.Context(), r, r.Attempts[i]); err != nil || verdict != reconcile.Absent {
			t.Errorf("attempt %d, and only the other's message: %q, %v, %v; want absent", i+1, found.Sid, verdict, err)
		}
	}
}

// What another relay may have sent in hours is read in full, though much else went to the phone since. Where even that is not enough, the
// verdict is that nobody can tell.
func TestSearchReadsWhatWasSentInHours(t *testing.T) {
	r := relaytest.Record(1, noon)
	r.Body = "Is the gate open?"
	records := &relaytest.MemoryLedger{}
	for since, want := range map[int]reconcile.Verdict{10: reconcile.Absent, 4000: reconcile.Absent, 6000: reconcile.Ambiguous} {
		list := &twilioList{}
		for i := range since {
			m := madeBy(r, fmt.Sprint("SM", i), time.Minute)
			m.Body = fmt.Sprint("Others' words ", i)
			list.messages = append(list.messages, m)
		}
		search := reconcile.Search{
			Messages: list, Ledger: records, Records: records, Span: span, Longest: time.Hour,
			Now: func() time.Time { return noon.Add(time.Hour) },
		}
		elsewhere := ledger.Attempt{To: relaytest.Destination, StartedAt: noon}
		if _, verdict, err := search.Find(t.Context(), r, elsewhere); err != nil || verdict != want {
			t.Errorf("%d messages since: %v, %v; want %v", since, verdict, err, want)
		}
		list.messages = append(list.messages, madeBy(r, "SMwanted", time.Second))
		found, verdict, err := search.Find(t.Context(), r, elsewhere)
		if isRead := since < 5000; isRead && (err != nil || verdict != reconcile.Present || found.Sid != "SMwanted") {
			t.Errorf("%d messages since, and its own: %q, %v, %v", since, found.Sid, verdict, err)
		}
	}
}
