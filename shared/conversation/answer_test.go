package conversation_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// The customers of the tests, by tag.
const (
	ann conversation.Tag = "A47"
	bob conversation.Tag = "B73"
	cy  conversation.Tag = "C00"
	dee conversation.Tag = "D05"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// customerOf returns the customer of a tag.
func customerOf(tag conversation.Tag) sms.PhoneNumber {
	return map[conversation.Tag]sms.PhoneNumber{
		ann: "+18585550111", bob: "+18585550112", cy: "+18585550113", dee: "+18585550114",
	}[tag]
}

// sent is an exchange whose newest text was sent that long before noon, and which the phone answered that long before noon; 0 is
// never.
func sent(tag conversation.Tag, before, answered time.Duration) conversation.Exchange {
	e := conversation.Exchange{Customer: customerOf(tag), Tag: tag, SentAt: noon.Add(-before)}
	if answered != 0 {
		e.AnsweredAt = noon.Add(-answered)
	}
	return e
}

// all lists exchanges.
func all(exchanges ...conversation.Exchange) []conversation.Exchange { return exchanges }

const (
	second = time.Second
	minute = time.Minute
	hour   = time.Hour
	day    = 24 * time.Hour
)

// Each case is a text of the phone that comes in at noon.
func TestAddress(t *testing.T) {
	held := func(asked time.Duration, named ...conversation.Tag) conversation.Held {
		return conversation.Held{MessageSids: []string{"SM1"}, AskedAt: noon.Add(-asked), LastAt: noon.Add(-asked), Named: named}
	}
	replacing := func(h conversation.Held) conversation.Held {
		h.Replaces = true
		return h
	}
	type want struct {
		verdict conversation.Verdict
		to      conversation.Tag
		words   string
		ends    bool
	}
	two := []conversation.Exchange{sent(ann, 10*minute, 0), sent(bob, 5*minute, 0)}
	named := slices.Clone(two)
	named[0].Name = "Ann Miller"
	for name, tt := range map[string]struct {
		body   string
		media  int
		sent   []conversation.Exchange
		last   conversation.Tag
		lastAt time.Duration
		held   conversation.Held
		late   time.Duration
		left   bool
		want
	}{
		// With a tag.
		"a tag": {body: "a47 yes", sent: two, want: want{conversation.Send, ann, "yes", false}},
		"a tag of six days ago": {
			body: "A47 yes", sent: all(sent(ann, 6*day, 5*day)),
			want: want{conversation.Send, ann, "yes", false},
		},
		"a tag of eight days ago":         {body: "A47 yes", sent: []conversation.Exchange{sent(ann, 8*day, 0), sent(bob, hour, 0)}},
		"a tag that was not sent there":   {body: "C00 yes", sent: two},
		"no tag, though it looks like it": {body: "A99 yes", sent: []conversation.Exchange{sent(ann, minute, 0)}},
		"a tag and a picture":             {body: "A47", media: 1, sent: two, want: want{conversation.Send, ann, "", false}},
		"a tag, with words held": {
			body: "A47 yes", sent: two, held: held(minute, ann, bob),
			want: want{conversation.Send, ann, "yes", true},
		},

		"a header of ours":              {body: "A47 Ann Miller +18585550111: y", sent: named, want: want{conversation.Send, ann, "y", false}},
		"a brief header of ours":        {body: "a47 ann: yes", sent: named, want: want{conversation.Send, ann, "yes", false}},
		"a header without a name":       {body: "A47 +18585550111: yes", sent: two, want: want{conversation.Send, ann, "yes", false}},
		"a header, and nothing else":    {body: "A47 Ann:", sent: named, want: want{conversation.Tell, ann, "", false}},
		"no header of the conversation": {body: "A47 Bob: yes", sent: named, want: want{conversation.Send, ann, "Bob: yes", false}},

		"a brief header of another":     {body: "A47 B73: yes", sent: named, want: want{conversation.Refuse, "", "", false}},
		"a name's header of another":    {body: "B73 A47 ann: yes", sent: named, want: want{conversation.Refuse, "", "", false}},
		"a tag before a code":           {body: "A47 B73 is the code", sent: two, want: want{conversation.Send, ann, "B73 is the code", false}},
		"a colon behind a tag in words": {body: "A47 B73 is it: yes", sent: two, want: want{conversation.Send, ann, "B73 is it: yes", false}},
		"whose a tag is": {
			body: "A47 is +18585550111, last text 2 h ago.", sent: two, want: want{conversation.Refuse, "", "", false},
		},
		"a phone that stopped": {
			body: conversation.PhoneOptedOut("+18585550121"), sent: two[:1], want: want{conversation.Refuse, "", "", false},
		},

		// A tag alone.
		"a lone tag": {body: "A47", sent: two, want: want{conversation.Tell, ann, "", false}},
		"a lone tag answers the question": {
			body: "#a47.", sent: two, held: held(minute, ann, bob), want: want{conversation.Release, ann, "", false},
		},
		"a lone tag that the question did not name": {
			body: "A47", sent: two, held: held(minute, bob, cy), want: want{conversation.Tell, ann, "", true},
		},
		"a lone tag before the question was sent": {
			body: "A47", sent: two,
			held: conversation.Held{MessageSids: []string{"SM1"}, LastAt: noon.Add(-hour), Named: []conversation.Tag{ann, bob}},
			want: want{conversation.Tell, ann, "", false},
		},
		"a lone tag that came in before the question was sent": {
			body: "A47", sent: two, held: held(-minute, ann, bob), want: want{conversation.Tell, ann, "", false}, late: 2 * minute,
		},
		"a lone tag may be about the question before": {
			body: "A47", sent: two, want: want{conversation.Tell, ann, "", false},
			held: replacing(held(minute, ann, bob)),
		},
		"a lone tag, when the question before is long gone": {
			body: "A47", sent: two, want: want{conversation.Release, ann, "", false},
			held: replacing(held(2*minute, ann, bob)),
		},

		// One in play.
		"nobody in play":                      {body: "yes"},
		"one in play":                         {body: "yes", sent: two[:1], want: want{conversation.Send, ann, "yes", false}},
		"two in play":                         {body: "yes", sent: two},
		"the other was answered this morning": {body: "yes", sent: all(sent(ann, minute, 0), sent(bob, 5*hour, 4*hour))},
		"the other was answered the day before": {
			body: "yes", sent: all(sent(ann, minute, 0), sent(bob, 27*hour, 26*hour)),
			want: want{conversation.Send, ann, "yes", false},
		},
		"the other was sent long ago, and answered late": {body: "yes", sent: all(sent(ann, minute, 0), sent(bob, 3*day, hour))},
		"the other waits for an answer since Monday":     {body: "yes", sent: all(sent(ann, minute, 0), sent(bob, 6*day, 0))},
		"the other waits for longer": {
			body: "yes", sent: all(sent(ann, minute, 0), sent(bob, 8*day, 0)), want: want{conversation.Send, ann, "yes", false},
		},
		"only a picture": {media: 1, sent: two[:1], want: want{conversation.Send, ann, "", false}},

		// A further bubble.
		"a further bubble": {
			body: "and bring boxes", sent: all(sent(ann, hour, 30*second), sent(bob, 5*hour, 4*hour)), last: ann, lastAt: 30 * second,
			want: want{conversation.Send, ann, "and bring boxes", false},
		},
		"a bubble after 70 seconds": {
			body: "and", sent: all(sent(ann, hour, 70*second), sent(bob, 5*hour, 4*hour)), last: ann, lastAt: 70 * second,
		},
		"another wrote between": {body: "and", sent: all(sent(ann, hour, 30*second), sent(bob, 10*second, 0)), last: ann, lastAt: 30 * second},
		"another wrote just before": {
			body: "and", sent: all(sent(ann, hour, 30*second), sent(bob, 44*second, 0)), last: ann, lastAt: 30 * second,
		},
		"another waits for its answer": {
			body: "and", sent: all(sent(ann, hour, 30*second), sent(bob, 2*hour, 0)), last: ann, lastAt: 30 * second,
		},
		"another was answered before it was read": {
			body: "and", sent: all(sent(ann, hour, 30*second), sent(bob, 3*hour+30*second, 3*hour)), last: ann, lastAt: 30 * second,
		},
		"another has waited for so long that it may": {
			body: "and", sent: all(sent(ann, hour, 30*second), sent(bob, 5*hour, 0)), last: ann, lastAt: 30 * second,
			want: want{conversation.Send, ann, "and", false},
		},
		"the bubble before went to nobody": {body: "and", sent: two, lastAt: 30 * second},

		// Words that are held.
		"a bubble of held words": {
			body: "and bring boxes", sent: two, lastAt: 20 * second, held: held(20*second, ann, bob),
			want: want{conversation.Join, "", "", false},
		},
		"another wrote since the words were held": {
			body: "ok", sent: all(sent(ann, 10*minute, 0), sent(bob, 10*second, 0)), held: held(20*second, ann, bob),
			want: want{conversation.Ask, "", "", true},
		},
		"another wrote just before the words were held": {
			body: "ok", sent: all(sent(ann, 10*minute, 0), sent(bob, 35*second, 0)), held: held(20*second, ann, bob),
			want: want{conversation.Ask, "", "", true},
		},
		"a text from before the held words": {body: "ok", sent: two, held: held(-minute, ann, bob), want: want{conversation.Ask, "", "", true}},
		"a later text ends held words":      {body: "ok", sent: two, held: held(2*minute, ann, bob), want: want{conversation.Ask, "", "", true}},

		"what begins like ours ends held words": {
			body: "A47 B73: yes", sent: named, held: held(2*minute, ann, bob), want: want{conversation.Refuse, "", "", true},
		},

		// Later than it came in.
		"decided late, one in play":         {body: "yes", sent: two[:1], late: 10 * minute, want: want{conversation.Send, ann, "yes", false}},
		"decided late, another wrote since": {body: "yes", sent: all(sent(ann, minute, 0), sent(bob, -5*minute, 0)), late: 10 * minute},
		"decided late, a further bubble": {
			body: "and", sent: all(sent(ann, hour, 30*second), sent(bob, 5*hour, 4*hour)), last: ann, lastAt: 30 * second,
			late: 10 * minute,
		},
		"decided late, with a tag":            {body: "A47 yes", sent: two, late: 10 * minute, want: want{conversation.Send, ann, "yes", false}},
		"decided late, nobody is in play now": {body: "yes", sent: []conversation.Exchange{sent(ann, 30*hour, 23*hour)}, late: 2 * hour},

		// Not on duty any more.
		"left, with a tag":    {body: "A47 yes", sent: two, left: true, want: want{conversation.Send, ann, "yes", false}},
		"left, without a tag": {body: "yes", sent: two[:1], left: true, want: want{conversation.Refuse, "", "", false}},
		"left, a wrong tag":   {body: "A99 yes", sent: two[:1], left: true, want: want{conversation.Refuse, "", "", false}},
	} {
		t.Run(name, func(t *testing.T) {
			view := conversation.View{Exchanges: tt.sent, Held: tt.held}
			if tt.lastAt != 0 {
				view.LastTo, view.LastAt = customerOf(tt.last), noon.Add(-tt.lastAt)
			}
			a := conversation.Answer{Body: tt.body, NumMedia: tt.media, ReceivedAt: noon, DecidedAt: noon.Add(tt.late), View: view, HasLeft: tt.left}
			got := a.Address()
			if diff := cmp.Diff(tt.want, want{got.Verdict, got.To.Tag, got.Words, got.EndsHeld}, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// The question names three conversations, the newest first, and none that the phone cannot address.
func TestQuestionNames(t *testing.T) {
	exchanges := []conversation.Exchange{sent(ann, 3*hour, 0), sent(bob, hour, 0), sent(cy, 2*hour, 0), sent(dee, 8*day, 0)}
	got := conversation.Answer{Body: "yes", ReceivedAt: noon, DecidedAt: noon, View: conversation.View{Exchanges: exchanges}}.Address()
	var named []conversation.Tag
	for _, e := range got.Named {
		named = append(named, e.Tag)
	}
	if diff := cmp.Diff([]conversation.Tag{bob, cy, ann}, named); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
