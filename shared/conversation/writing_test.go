package conversation_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
)

// What a phone writes in the same moment, or what is decided about in another order than it came in, is kept as well.
func TestWroteOutOfOrder(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for name, second := range map[string]time.Time{
		"in the same moment": at, "a moment before": at.Add(-time.Second), "missed": at.Add(-time.Hour),
	} {
		var p conversation.Phone
		p, _ = p.Wrote(conversation.Writing{MessageSid: "SM1", At: at, Verdict: conversation.Ask})
		p, changed := p.Wrote(conversation.Writing{MessageSid: "SM2", At: second, Verdict: conversation.Join})
		if !changed || !slices.Equal(p.Held.MessageSids, []string{"SM1", "SM2"}) || !p.LastAt.Equal(at) {
			t.Errorf("%s: held are %v, the last text came at %v", name, p.Held.MessageSids, p.LastAt)
		}
	}
}

// A text that comes again changes nothing, however much the phone wrote since.
func TestWroteTwice(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	nth := func(n int) conversation.Writing {
		return conversation.Writing{
			MessageSid: fmt.Sprint("SM", n), At: at.Add(time.Duration(n) * time.Minute), Verdict: conversation.Send, To: customerNumber(1),
		}
	}
	var p conversation.Phone
	for n := range 40 {
		var changed bool
		if p, changed = p.Wrote(nth(n)); !changed {
			t.Fatalf("text %d is taken for one that is known", n)
		}
		for known := range n {
			if _, changed := p.Wrote(nth(known)); changed {
				t.Fatalf("text %d counts again after %d", known, n)
			}
		}
	}
}

// After an outage a question is asked long after the words came in. What it replaces is counted from when the questions were asked.
func TestQuestionAskedLate(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	ask := func(p conversation.Phone, sid string, came, decided time.Duration) conversation.Phone {
		p, _ = p.Wrote(conversation.Writing{
			MessageSid: sid, At: at.Add(came), DecidedAt: at.Add(decided), Verdict: conversation.Ask, Ends: p.Held.MessageSids,
		})
		if !p.Held.AskedAt.IsZero() {
			t.Errorf("%s was asked about before the question was sent", sid)
		}
		return p.Asked(at.Add(decided), true)
	}
	p := ask(ask(conversation.Phone{}, "SM1", 0, 10*time.Minute), "SM2", 5*time.Minute, 10*time.Minute+time.Second)
	if !p.Held.Replaces || !p.Held.AskedAt.Equal(at.Add(10*time.Minute+time.Second)) {
		t.Errorf("held are %+v; want them to replace what was asked a second before", p.Held)
	}
	if p = ask(ask(conversation.Phone{}, "SM1", 0, 0), "SM2", time.Minute, 10*time.Minute); p.Held.Replaces {
		t.Errorf("held are %+v; the question before is ten minutes old", p.Held)
	}
}

// Words end others that nobody was asked about yet: that question may still be on its way.
func TestReplacesWhatWasNotAskedYet(t *testing.T) {
	var p conversation.Phone
	for n := range 2 {
		at := noon.Add(time.Duration(n) * hour)
		p, _ = p.Wrote(conversation.Writing{
			MessageSid: fmt.Sprint("SM", n), At: at, DecidedAt: at, Verdict: conversation.Ask, Ends: p.Held.MessageSids,
		})
	}
	if !p.Held.Replaces {
		t.Errorf("held are %+v", p.Held)
	}
}

// Of two texts to two customers, the later one is decided about first: a further one may be for either.
func TestLastOfTwoOutOfOrder(t *testing.T) {
	var p conversation.Phone
	p, _ = p.Wrote(conversation.Writing{MessageSid: "SM2", At: noon, Verdict: conversation.Send, To: customerOf(ann)})
	p, _ = p.Wrote(conversation.Writing{MessageSid: "SM1", At: noon.Add(-second), Verdict: conversation.Send, To: customerOf(bob)})
	if p.LastTo != "" || !p.LastAt.Equal(noon) {
		t.Errorf("the last text went to %q at %v", string(p.LastTo), p.LastAt)
	}
	view := p.View
	view.Exchanges, view.Owner = all(sent(ann, hour, 0)), customerOf(ann)
	got := conversation.Answer{Body: "at the back door", ReceivedAt: noon.Add(second), DecidedAt: noon.Add(second), View: view}.Address()
	if got.Verdict != conversation.Ask {
		t.Errorf("a further one gets the verdict %v", got.Verdict)
	}
}

// Words that were for somebody else, by their tag, and went to nobody: what the person writes next may be for that one, too.
func TestAfterWordsThatWentToNobody(t *testing.T) {
	for name, tt := range map[string]struct {
		between *conversation.Writing
		want    conversation.Verdict
	}{
		"at once":         {nil, conversation.Ask},
		"after words":     {&conversation.Writing{Verdict: conversation.Send, To: customerOf(ann)}, conversation.Send},
		"after a command": {&conversation.Writing{Verdict: conversation.Tell}, conversation.Ask},
	} {
		t.Run(name, func(t *testing.T) {
			p := conversation.Phone{View: conversation.View{Exchanges: all(sent(ann, hour, 0))}}
			p, _ = p.Wrote(conversation.Writing{MessageSid: "SM1", At: noon, Verdict: conversation.Refuse, Leading: bob})
			if tt.between != nil {
				tt.between.MessageSid, tt.between.At = "SM2", noon.Add(second)
				p, _ = p.Wrote(*tt.between)
			}
			at := noon.Add(20 * second)
			got := conversation.Answer{Body: "at the back door", ReceivedAt: at, DecidedAt: at, View: p.View}.Address()
			if got.Verdict != tt.want {
				t.Errorf("verdict %v, want %v", got.Verdict, tt.want)
			}
		})
	}
}

// A question was read a moment ago, and its words ended by a text with a tag: a tag alone may still answer it, not the next question.
func TestReplacesWhatEndedAMomentAgo(t *testing.T) {
	for name, tt := range map[string]struct {
		isAsked bool
		since   time.Duration
		want    bool
	}{
		"asked": {true, minute, true}, "not asked yet": {false, minute, true}, "asked long ago": {true, 2 * minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := conversation.Phone{}.Wrote(conversation.Writing{MessageSid: "SM1", At: noon, DecidedAt: noon, Verdict: conversation.Ask})
			if tt.isAsked {
				p = p.Asked(noon, true)
			}
			p, _ = p.Wrote(conversation.Writing{
				MessageSid: "SM2", At: noon.Add(second), DecidedAt: noon.Add(second), Verdict: conversation.Send, Ends: []string{"SM1"},
				To: customerOf(ann),
			})
			at := noon.Add(tt.since)
			p, _ = p.Wrote(conversation.Writing{MessageSid: "SM3", At: at, DecidedAt: at, Verdict: conversation.Ask})
			if p.Held.Replaces != tt.want {
				t.Errorf("held are %+v, want Replaces %v", p.Held, tt.want)
			}
		})
	}
}

// A text that comes so late that the phone cannot say whether it knows it takes its place in what may go back and forth all the same.
func TestTakesItsPlaceHoweverLate(t *testing.T) {
	p := conversation.Phone{View: conversation.View{Exchanges: all(sent(ann, hour, 0))}}
	wrote := func(sid string, at time.Time) {
		p, _ = p.Wrote(conversation.Writing{
			MessageSid: sid, At: at, DecidedAt: noon, Now: noon, Verdict: conversation.Send, To: customerOf(ann), Texts: 1,
		})
	}
	for n := range 39 {
		wrote(fmt.Sprint("SM", n), noon)
	}
	wrote("SM38", noon)
	if p.Pause(customerOf(ann), noon) > 0 {
		t.Fatal("a text that came twice took two places")
	}
	wrote("SMlate", noon.Add(-hour))
	if p.Pause(customerOf(ann), noon) == 0 {
		t.Error("the late one took no place")
	}
}

// A text that comes so late that the phone cannot say whether it knows it ends the words that it ends, and no others: further words are
// not joined with what is not held any more.
func TestEndsWhatIsHeldHoweverLate(t *testing.T) {
	for name, tt := range map[string]struct {
		ends []string
		want bool
	}{
		"these": {[]string{"SM0", "SM1"}, true}, "others": {[]string{"SM0"}, false}, "none": {nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			var p conversation.Phone
			for n := range 12 {
				p, _ = p.Wrote(conversation.Writing{MessageSid: fmt.Sprint("SMx", n), At: noon, DecidedAt: noon, Verdict: conversation.Tell})
			}
			p, _ = p.Wrote(conversation.Writing{MessageSid: "SM1", At: noon, DecidedAt: noon, Verdict: conversation.Ask})
			late := conversation.Writing{
				MessageSid: "SM2", At: noon.Add(-hour), DecidedAt: noon.Add(second), Verdict: conversation.Send, To: customerOf(ann), Ends: tt.ends,
			}
			for range 2 {
				p, _ = p.Wrote(late)
				if p.Held.IsZero() != tt.want || p.AskedAt.IsZero() == tt.want {
					t.Errorf("held are %+v, asked at %v; want ended %v", p.Held, p.AskedAt, tt.want)
				}
			}
			if p.LastTo != "" || !p.LastAt.Equal(noon) {
				t.Errorf("the last text went to %q at %v", string(p.LastTo), p.LastAt)
			}
		})
	}
}

// A tag alone that comes after another text is about that text, or about nothing: it sends no held words. What the phone writes by itself,
// and a reaction, is not such a text.
func TestWrittenBetweenAQuestionAndATag(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for between, want := range map[conversation.Verdict]conversation.Verdict{
		conversation.Ignore: conversation.Release, conversation.Tell: conversation.Tell, conversation.Refuse: conversation.Tell,
	} {
		var p conversation.Phone
		for _, tag := range []conversation.Tag{ann, bob} {
			p = p.Receive(conversation.Exchange{Customer: customerOf(tag), Tag: tag, SentAt: at}, string(tag))
		}
		p, _ = p.Wrote(conversation.Writing{
			MessageSid: "SM1", At: at.Add(minute), DecidedAt: at.Add(minute), Verdict: conversation.Ask, Named: []conversation.Tag{ann, bob},
		})
		p = p.Asked(at.Add(minute), true)
		p, _ = p.Wrote(conversation.Writing{MessageSid: "SM2", At: at.Add(5 * minute), DecidedAt: at.Add(5 * minute), Verdict: between})
		lone := conversation.Answer{Body: string(ann), ReceivedAt: at.Add(10 * minute), DecidedAt: at.Add(10 * minute), View: p.View}
		if got := lone.Address(); got.Verdict != want || got.EndsHeld != (want == conversation.Tell) {
			t.Errorf("after verdict %v: %v, ends %v; want %v", between, got.Verdict, got.EndsHeld, want)
		}
	}
}

// A text comes once more when so many came since, within minutes, that it is not known any more. What came to be held since is held still.
func TestComesAgainAmongMany(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	var p conversation.Phone
	write := func(w conversation.Writing) {
		w.At, w.DecidedAt, w.Now = at, at, at
		p, _ = p.Wrote(w)
	}
	early := []conversation.Writing{
		{MessageSid: "SM0", Verdict: conversation.Ask, IsOver: true},
		{MessageSid: "SM1", Verdict: conversation.Ask, Ends: []string{"SM0"}},
		{MessageSid: "SM2", Verdict: conversation.Join, IsOver: true},
		{MessageSid: "SM3", Verdict: conversation.Send, To: customerNumber(1), Ends: []string{"SM1", "SM2"}},
		{MessageSid: "SM4", Verdict: conversation.Release, To: customerNumber(1), Ends: []string{"SM0"}},
	}
	write(conversation.Writing{MessageSid: "SM5", Verdict: conversation.Ask})
	for n := range 12 {
		write(conversation.Writing{MessageSid: fmt.Sprint("SM1", n), Verdict: conversation.Join})
	}
	p = p.Asked(at.Add(minute), true)
	held := p.Held
	if at = at.Add(-minute); len(held.MessageSids) != 13 {
		t.Fatalf("%d texts are held", len(held.MessageSids))
	}
	for _, w := range early {
		if write(w); !reflect.DeepEqual(p.Held, held) {
			t.Errorf("after %s once more: held are %+v, want %+v", w.MessageSid, p.Held, held)
			p.Held = held
		}
	}
	p, _ = p.Without("SM5")
	if write(early[0]); !p.Held.IsZero() {
		t.Errorf("words that are over are held: %+v", p.Held)
	}
}

// A question about words that are not held any more comes late, before or after the one about those that are. For a while a tag alone
// may answer either, so it sends nothing; and never does, if the late one is what the person has read last.
func TestLateQuestionAboutOtherWords(t *testing.T) {
	at := time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		late, asked, alone time.Duration
		want               conversation.Verdict
	}{
		"before, and a tag soon":                       {1, 2, 3, conversation.Tell},
		"before the words, and a tag when it was read": {1, 2, 7, conversation.Release},
		"after the words":                              {3, 4, 5, conversation.Tell},
		"after the words, and a tag when it was read":  {3, 4, 9, conversation.Release},
		"after the question":                           {5, 4, 9, conversation.Tell},
	} {
		var p conversation.Phone
		for _, tag := range []conversation.Tag{ann, bob} {
			p = p.Receive(conversation.Exchange{Customer: customerOf(tag), Tag: tag, SentAt: at}, string(tag))
		}
		for now := range 10 {
			then := at.Add(minute / 2).Add(time.Duration(now) * minute / 2)
			if time.Duration(now) == tt.late {
				p = p.Asked(then, false)
			}
			if now == 2 {
				p, _ = p.Wrote(conversation.Writing{
					MessageSid: "SM1", At: then, DecidedAt: then, Verdict: conversation.Ask, Named: []conversation.Tag{ann, bob},
				})
			}
			if time.Duration(now) == tt.asked {
				p = p.Asked(then, true)
			}
			if time.Duration(now) == tt.alone {
				got := conversation.Answer{Body: string(ann), ReceivedAt: then, DecidedAt: then, View: p.View}.Address()
				if got.Verdict != tt.want {
					t.Errorf("%s: verdict %v, want %v", name, got.Verdict, tt.want)
				}
			}
		}
	}
}

// The clock was ahead when the phone wrote to one customer. When it is right again, that text is not the last one any more once the phone
// has written to another: what it writes then may be for either.
func TestWroteWhileTheClockWasAhead(t *testing.T) {
	const ahead = 20 * time.Minute
	var p conversation.Phone
	for n := 1; n <= 2; n++ {
		e := conversation.Exchange{Customer: customerNumber(n), Tag: conversation.Tag(fmt.Sprint("A0", n)), SentAt: noon}
		p = p.Receive(e, fmt.Sprint("SM", n))
	}
	wrote := func(sid string, at time.Time, to int) {
		p, _ = p.Wrote(conversation.Writing{
			MessageSid: sid, At: at, DecidedAt: at, Now: at, Verdict: conversation.Send, To: customerNumber(to),
		})
	}
	wrote("SM3", noon.Add(minute+ahead), 1)
	wrote("SM4", noon.Add(18*minute), 2)
	if !p.LastAt.Equal(noon.Add(18*minute)) || p.LastTo != customerNumber(2) {
		t.Errorf("the last text came in at %v and went to %s, want the one of a moment ago", p.LastAt, p.LastTo)
	}
	at := noon.Add(minute + ahead + 30*time.Second)
	if got := (conversation.Answer{Body: "3 pm", ReceivedAt: at, DecidedAt: at, View: p.View}).Address(); got.Verdict != conversation.Ask {
		t.Errorf("it is decided %d for %s, want the phone to be asked", got.Verdict, got.To.Customer)
	}
	wrote("SM5", noon.Add(19*minute), 1)
	for _, e := range p.Exchanges {
		if e.Customer == customerNumber(1) && !e.AnsweredAt.Equal(noon.Add(19*minute)) {
			t.Errorf("the first customer was answered at %v, want the time by the right clock", e.AnsweredAt)
		}
	}
	p = p.Receive(conversation.Exchange{Customer: customerNumber(1), Tag: "A01", SentAt: noon.Add(2 * hour)}, "SM6")
	p = p.Receive(conversation.Exchange{Customer: customerNumber(1), Tag: "A01", SentAt: noon.Add(hour)}, "SM7")
	for _, e := range p.Exchanges {
		if e.Customer == customerNumber(1) && !e.SentAt.Equal(noon.Add(hour)) {
			t.Errorf("the first customer's text was sent at %v, want the time by the right clock", e.SentAt)
		}
	}
}
