package conversation_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	annsPhone  sms.PhoneNumber = "+18585550120"
	bosPhone   sms.PhoneNumber = "+18585550121"
	cosPhone   sms.PhoneNumber = "+18585550122"
	ownerPhone sms.PhoneNumber = "+18585550129"
)

// crew are three phones on duty, and the owner.
func crew() conversation.Rota {
	return conversation.Rota{Phones: []sms.PhoneNumber{annsPhone, bosPhone, cosPhone}, Owner: ownerPhone}
}

func claiming() conversation.Claiming {
	return conversation.Claiming{Time: 4 * time.Hour, Rota: crew()}
}

// taken is a text that Twilio took for Ann's phone so long after the beginning.
func taken(sid string, after time.Duration) conversation.Taken {
	return conversation.Taken{MessageSid: sid, At: beginning().Add(after), Phones: []sms.PhoneNumber{annsPhone}}
}

func beginning() time.Time { return time.Date(2026, 11, 28, 9, 0, 0, 0, time.UTC) }

const timeout = 15 * time.Minute

// awaiting is a conversation whose customer waits for an answer to the text.
func awaiting(t conversation.Taken) conversation.Conversation {
	c, _ := conversation.Conversation{}.Await(t, timeout, t.At)
	return c
}

func TestSpellBeginsWithATextAndEndsWithAnAnswer(t *testing.T) {
	c := awaiting(taken("SM1", 0))
	if !c.IsOpen() || !c.Spell.DueAt.Equal(beginning().Add(timeout)) {
		t.Fatalf("open %v, due at %v: want an open spell, due after the timeout", c.IsOpen(), c.Spell.DueAt)
	}
	c, _ = c.Await(taken("SM2", time.Minute), timeout, beginning())
	if c.Spell.Texts != 2 || c.Spell.NewestSid != "SM2" || !c.Spell.DueAt.Equal(beginning().Add(timeout)) {
		t.Errorf("a second text: %+v, want two texts and the timeout of the first", c.Spell)
	}
	c, changed := c.See(conversation.Seen{At: beginning().Add(2 * time.Minute), How: conversation.SeenAnswered, Phone: annsPhone})
	if !changed || c.IsOpen() {
		t.Errorf("an answer: changed %v, open %v; want the spell to end", changed, c.IsOpen())
	}
	if again, changed := c.Await(taken("SM2", time.Minute), timeout, beginning()); changed || again.IsOpen() {
		t.Error("a text that was answered opens the spell again when its message comes again")
	}
	c, _ = c.Await(taken("SM3", 3*time.Minute), timeout, beginning())
	if !c.IsOpen() || c.Spell.MessageSid != "SM3" || c.Spell.Texts != 1 {
		t.Errorf("a text after the answer: %+v, want a spell of its own", c.Spell)
	}
}

func TestTextThatWasAnsweredBeforeItWasNoted(t *testing.T) {
	c, _ := conversation.Conversation{}.See(conversation.Seen{At: beginning().Add(time.Minute), How: conversation.SeenAnswered})
	if c, changed := c.Await(taken("SM1", 0), timeout, beginning().Add(time.Hour)); changed || c.IsOpen() {
		t.Error("it opens a spell though the phone has answered it")
	}
}

// A phone that wrote while a text was on its way has not read it.
func TestAnswerThatCrossesWithAText(t *testing.T) {
	c := awaiting(taken("SM1", 0))
	c, _ = c.See(conversation.Seen{At: beginning().Add(2 * time.Second), How: conversation.SeenAnswered, Phone: annsPhone})
	if !c.IsOpen() {
		t.Error("an answer two seconds after the text ends the spell")
	}
	c, _ = c.See(conversation.Seen{At: beginning().Add(2 * time.Second), How: conversation.SeenOptedOut})
	if c.IsOpen() {
		t.Error("STOP does not end the spell")
	}
}

func TestStages(t *testing.T) {
	c := awaiting(taken("SM1", 0))
	type stage struct {
		Stage  conversation.Stage
		Phones []sms.PhoneNumber
		Due    time.Duration
	}
	var got []stage
	for step := 1; !c.Spell.DueAt.IsZero(); step++ {
		now := c.Spell.DueAt
		if !c.Awaits("SM1", step) || c.Awaits("SM1", step+1) {
			t.Fatalf("stage %d is not the next one", step)
		}
		c = c.Escalate(crew(), timeout, now)
		due := time.Duration(0)
		if !c.Spell.DueAt.IsZero() {
			due = c.Spell.DueAt.Sub(now)
		}
		got = append(got, stage{c.Spell.Stage, c.Spell.StagePhones, due})
	}
	want := []stage{
		{conversation.StageNext, []sms.PhoneNumber{bosPhone}, timeout},
		{conversation.StageAll, []sms.PhoneNumber{cosPhone}, timeout},
		{conversation.StageOwner, []sms.PhoneNumber{ownerPhone}, 4 * timeout},
		{conversation.StageOwner, []sms.PhoneNumber{ownerPhone}, 4 * timeout},
		{conversation.StageOwner, []sms.PhoneNumber{ownerPhone}, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("stages (-want +got):\n%s", diff)
	}
	if !c.IsUnanswered() {
		t.Error("the conversation is not unanswered after its last stage")
	}
}

func TestStageWithNobodyLeftIsTheOwners(t *testing.T) {
	c := awaiting(taken("SM1", 0))
	c = c.Escalate(conversation.Rota{Phones: []sms.PhoneNumber{annsPhone}}, timeout, beginning())
	if c.Spell.Stage != conversation.StageOwner || !c.Spell.DueAt.IsZero() || !c.IsUnanswered() {
		t.Errorf("without another phone and without an owner: %+v, want it unanswered with no further stage", c.Spell)
	}
}

// A dead text began a spell, was sent again by an operator, and begins another: the stages of the two are told apart.
func TestTextThatBeginsTwoSpells(t *testing.T) {
	c := awaiting(conversation.Taken{MessageSid: "SM1", At: beginning(), IsLost: true}).Escalate(crew(), timeout, beginning())
	c, _ = c.Await(taken("SM2", time.Minute), timeout, beginning())
	c, _ = c.See(conversation.Seen{At: beginning().Add(2 * time.Minute), How: conversation.SeenAnswered, Phone: bosPhone})
	c, _ = c.Await(taken("SM1", 3*time.Minute), timeout, beginning())
	if c.Spell.MessageSid != "SM1" || c.Wants("SM1", 1, "", bosPhone) || c.Awaits("SM1", 1) || !c.Awaits("SM1", 2) {
		t.Errorf("%+v: want a new spell whose first stage is the second of the conversation", c.Spell)
	}
}

func TestTextThatReachedNobodyGoesOutAgainAtOnce(t *testing.T) {
	lost := conversation.Taken{MessageSid: "SM1", At: beginning(), IsLost: true}
	if c := awaiting(lost); !c.Spell.DueAt.Equal(beginning()) {
		t.Errorf("due at %v, want at once", c.Spell.DueAt)
	}
}

func TestFirstActClaims(t *testing.T) {
	c, changed := awaiting(taken("SM1", 0)).Act(act(annsPhone, time.Minute), claiming(), beginning().Add(time.Minute))
	if got := c.Claimer(claiming(), beginning().Add(time.Hour)); !changed || got != annsPhone {
		t.Fatalf("claimer %q, want Ann's phone", got)
	}
	if _, changed = c.Act(act(bosPhone, 2*time.Minute), claiming(), beginning().Add(2*time.Minute)); changed {
		t.Error("Bo's answer takes the conversation from Ann")
	}
	if got := c.Claimer(claiming(), beginning().Add(4*time.Hour+time.Minute)); got != "" {
		t.Errorf("four hours after her last act, %q has it still", got)
	}
	off := claiming()
	off.Rota.Phones = off.Rota.Phones[1:]
	if got := c.Claimer(off, beginning().Add(2*time.Minute)); got != "" {
		t.Errorf("%q has it still though her phone is off duty", got)
	}
}

func act(phone sms.PhoneNumber, after time.Duration) conversation.Act {
	return conversation.Act{Phone: phone, MessageSid: "SMact" + string(phone) + after.String(), At: beginning().Add(after)}
}

// The customer's texts prolong no claim: only what the claimer does.
func TestCustomerProlongsNoClaim(t *testing.T) {
	c, _ := conversation.Conversation{}.Act(act(annsPhone, 0), claiming(), beginning())
	c, _ = c.Await(taken("SM1", 3*time.Hour), timeout, beginning().Add(3*time.Hour))
	if got := c.Claimer(claiming(), beginning().Add(4*time.Hour)); got != "" {
		t.Errorf("%q has it still", got)
	}
	c, _ = c.Act(act(annsPhone, 5*time.Hour), claiming(), beginning().Add(5*time.Hour))
	c, _ = c.Act(act(annsPhone, 6*time.Hour), claiming(), beginning().Add(6*time.Hour))
	if got := c.Claimer(claiming(), beginning().Add(9*time.Hour)); got != annsPhone {
		t.Errorf("claimer %q three hours after her last act, want Ann's phone", got)
	}
}

func TestReleasedClaimIsNotTakenByAnOldAct(t *testing.T) {
	c, _ := conversation.Conversation{}.Act(act(annsPhone, 0), claiming(), beginning())
	c, _ = c.Finish(conversation.Seen{At: beginning().Add(time.Hour), Phone: annsPhone})
	if c, changed := c.Act(act(annsPhone, 0), claiming(), beginning().Add(2*time.Hour)); changed {
		t.Errorf("an act from before takes it again: %+v", c.Claim)
	}
	if _, changed := c.Act(act(bosPhone, 2*time.Hour), claiming(), beginning().Add(2*time.Hour)); !changed {
		t.Error("a later act does not take it")
	}
}

// Whatever happens in whatever order, what was done twice changes nothing the second time, the claim has one phone, and an open spell
// with a timeout is due at some time or unanswered.
func TestSpellsAndClaimsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c, now := conversation.Conversation{}, beginning()
		for range rapid.IntRange(1, 30).Draw(t, "steps") {
			now = now.Add(rapid.SampledFrom([]time.Duration{time.Second, time.Minute, timeout, time.Hour, 5 * time.Hour}).Draw(t, "pass"))
			phone := rapid.SampledFrom(crew().Phones).Draw(t, "phone")
			sid := "SM" + now.Format(time.TimeOnly)
			before := c
			switch rapid.IntRange(0, 3).Draw(t, "what") {
			case 0:
				one := conversation.Taken{MessageSid: sid, At: now, Phones: []sms.PhoneNumber{phone}, IsLost: rapid.Bool().Draw(t, "lost")}
				c, _ = c.Await(one, timeout, now)
				if again, changed := c.Await(one, timeout, now); changed {
					t.Fatalf("the text again: %+v", again)
				}
			case 1:
				c, _ = c.Act(conversation.Act{Phone: phone, MessageSid: sid, At: now}, claiming(), now)
				if had := before.Claimer(claiming(), now); had != "" && c.Claimer(claiming(), now) != had {
					t.Fatalf("%s takes it from %s", phone, had)
				}
			case 2:
				c, _ = c.See(conversation.Seen{At: now, How: conversation.SeenAnswered, Phone: phone})
			case 3:
				if c.Awaits(c.Spell.MessageSid, c.Spell.Step+1) {
					c = c.Escalate(crew(), timeout, now)
				}
			}
			if c.IsOpen() && c.Spell.DueAt.IsZero() && !c.IsUnanswered() {
				t.Fatalf("open, with no timer, and not unanswered: %+v", c.Spell)
			}
		}
	})
}

// An operator ends what he sees, however new it is; a phone may not have got it yet.
func TestOperatorEndsWhatHeSees(t *testing.T) {
	c := awaiting(taken("SM1", 0))
	if c, _ := c.Finish(conversation.Seen{At: beginning().Add(time.Second), Phone: annsPhone}); !c.IsOpen() {
		t.Error("a phone ended a text of a second ago")
	}
	if c, _ := c.Finish(conversation.Seen{At: beginning().Add(time.Second), By: "grace"}); c.IsOpen() {
		t.Error("the operator's word left the customer waiting")
	}
}

// An operator's answer to the newest text that he had seen ends the wait however soon it comes; what came after that text is not answered.
func TestReplyToWhatTheOperatorHadSeen(t *testing.T) {
	c := awaiting(taken("SM1", 0))
	answer := conversation.Seen{At: beginning().Add(time.Second), By: "grace", MessageSid: "RL1"}
	for _, unknown := range []string{"", "SM0"} {
		if c, _ := c.Reply(answer, unknown); !c.IsOpen() {
			t.Errorf("an answer of a second later to %q ends the wait", unknown)
		}
	}
	answered, changed := c.Reply(answer, "SM1")
	if !changed || answered.IsOpen() || answered.Seen.How != conversation.SeenAnswered || answered.Seen.By != "grace" {
		t.Errorf("seen is %+v", answered.Seen)
	}
	again, _ := answered.Await(taken("SM2", 2*time.Second), timeout, beginning().Add(2*time.Second))
	if !again.IsOpen() || again.Spell.MessageSid != "SM2" {
		t.Errorf("a text a second after the answer does not wait: %+v", again.Spell)
	}
	crossed, _ := c.Await(taken("SM2", 2*time.Second), timeout, beginning().Add(2*time.Second))
	if crossed, _ = crossed.Reply(answer, "SM1"); !crossed.IsOpen() {
		t.Error("the answer to a text ends the wait with the next one")
	}
}
