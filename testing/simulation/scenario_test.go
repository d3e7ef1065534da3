package simulation_test

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Who takes part, all from the range of fictional numbers.
const twilioNumber sms.PhoneNumber = "+18585550100"

func customer(n int) sms.PhoneNumber { return sms.PhoneNumber(fmt.Sprintf("+1858555011%d", n)) }

// thread returns a further number of the route.
func thread(n int) sms.PhoneNumber { return sms.PhoneNumber(fmt.Sprintf("+1858555013%d", n)) }

func phone(hop int) sms.PhoneNumber { return sms.PhoneNumber(fmt.Sprintf("+1858555012%d", hop)) }

// scenario is who takes part in a schedule, how the relay is set, and what may go wrong how often.
type scenario struct {
	Texts   []text
	Senders int
	// Steps is after how many steps the faults stop.
	Steps int

	Fallbacks       int
	OnUncertain     route.OnUncertain
	DeliveryTimeout time.Duration
	MaxAge          time.Duration
	Pair, Number    pace.Limit
	Looks           int
	Interval        time.Duration
	MaxAttempts     int

	// Redrive is how often an operator moves dead letters back, Resend how often one orders a text to be sent again that is
	// uncertain or reached nobody, Reroute how often one changes the route, Jump how often a clock jumps: against the 100 of all
	// that the relay itself could do next.
	Redrive, Resend, Reroute, Jump int
	// Habit is how often, in a thousand, people on duty answer with a tag. 0: they do not answer at all. Threads is how many further
	// numbers their route has.
	Habit, Threads int
	// AnswerTimeout is after how long a text goes out again that nobody answers, 0 for never.
	AnswerTimeout time.Duration
	// Ring: all phones get a text at the same time.
	Ring bool
	// Away is how often, in a thousand, people who read a text go off duty or come back.
	Away int
	// Owner is the phone, from 1, that is told of whom nobody answers; 0 for none. Named: the phones have names.
	Owner int
	Named bool
	// New are the phones that have to be verified.
	New newcomers
	// Hours are when the number is closed, and the relay itself answers.
	Hours hours
	// Hold is when the number holds texts because nobody is on duty.
	Hold holding
	// Clocks is where the clocks change while the number opens or closes.
	Clocks turning
	// Pictures is how many in a thousand of what people write have pictures. Names is how often an operator names a customer, as Redrive.
	Pictures, Names int
	// Gives is how often an operator gives a customer to a phone, as Redrive.
	Gives int
	// Chatter is how much a customer and a phone write each other besides.
	Chatter chatter

	Trouble trouble
	Twilio  habits
}

// text is what a customer sends, or, if it is manual, what an operator sends as if the customer had: along the route, or to a phone
// of their own.
type text struct {
	Customer, Body int
	Manual, OwnTo  bool
	// Long: it is too long for one message.
	Long bool
	// Pictures is how many pictures it has.
	Pictures int
}

// trouble is how many calls in a thousand go wrong, and how.
type trouble struct {
	// Fail: nothing happens. Lost: it happens, and the answer is lost. Kill: the process ends, before or after. Pause:
	// the caller pauses for longer than a visibility timeout and a lease. Slow: for some seconds.
	Fail, Lost, Kill, Pause, Slow int
	// Bury: a sender pauses when a letter is on the dead-letter queue, before it records the death.
	Bury int
	// Crowd: the book of the pace limits is changed by someone else at the same moment.
	Crowd int
}

// habits is how many messages in a thousand Twilio treats how.
type habits struct {
	// Refuse: the POST is refused, for this phone or for good. Busy: too many requests. Broken: the account is unusable
	// for a while. Down: 5xx, and the message is taken or not.
	// Cut: the POST is refused, and the answer is cut short before it says why.
	// Denied: the POST is refused like Busy or Cut, and the message is taken all the same.
	Refuse, Busy, Broken, Down, Cut, Denied int
	// Late: a POST goes out although its sender has given up waiting.
	Late int
	// Undelivered: the phone does not get it. Mute: nobody ever says what became of it. Long: it takes minutes.
	Undelivered, Mute, Long int
	// Receipts that are dropped, come twice, or come late.
	Drop, Twice, Delay int
	// Lag: the list shows it late.
	Lag int
}

// rate is how often something goes wrong: in many schedules never, so that each kind of trouble is also met alone.
func rate(most int) *rapid.Generator[int] {
	return rapid.SampledFrom([]int{0, 0, 0, most / 10, most / 3, most})
}

func limits(all ...string) *rapid.Generator[pace.Limit] {
	parsed := make([]pace.Limit, len(all))
	for i, text := range all {
		limit, err := pace.Parse(text)
		if err != nil {
			panic(err)
		}
		parsed[i] = limit
	}
	return rapid.SampledFrom(parsed)
}

// scenarios draws scenarios.
func scenarios() *rapid.Generator[scenario] {
	texts := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) text {
		// Mostly the same one says the same, so that texts have to be told apart.
		few := rapid.SampledFrom([]int{0, 0, 0, 1, 2})
		isManual := rapid.IntRange(0, 5).Draw(t, "manual") == 5
		return text{
			Customer: few.Draw(t, "customer"), Body: few.Draw(t, "body"),
			Manual: isManual, OwnTo: isManual && rapid.IntRange(0, 2).Draw(t, "own phone") == 2,
		}
	}), 1, 6)
	lasting := func(all ...time.Duration) *rapid.Generator[time.Duration] { return rapid.SampledFrom(all) }
	pairs, numbers := limits("off", "off", "1/10s", "2/30s", "10/30s"), limits("off", "1/1s", "1/5s", "3/1s")
	return rapid.Custom(func(t *rapid.T) scenario {
		sc := scenario{
			Texts:           texts.Draw(t, "texts"),
			Senders:         rapid.IntRange(1, 3).Draw(t, "senders"),
			Steps:           rapid.SampledFrom([]int{60, 150, 300}).Draw(t, "steps"),
			Fallbacks:       rapid.IntRange(0, 2).Draw(t, "fallbacks"),
			OnUncertain:     rapid.SampledFrom([]route.OnUncertain{"", route.Park, route.Resend}).Draw(t, "on uncertain"),
			DeliveryTimeout: lasting(0, 0, 15*time.Second, 90*time.Second, 20*time.Minute).Draw(t, "delivery timeout"),
			MaxAge:          lasting(0, 0, 2*time.Minute, 30*time.Minute).Draw(t, "max age"),
			Pair:            pairs.Draw(t, "pair"),
			Number:          numbers.Draw(t, "number"),
			Looks:           rapid.IntRange(1, 3).Draw(t, "looks"),
			Interval:        lasting(40*time.Second, 10*time.Second).Draw(t, "interval"),
			MaxAttempts:     rapid.SampledFrom([]int{8, 3, 2, 1}).Draw(t, "max attempts"),
			Trouble: trouble{
				Fail: rate(120).Draw(t, "fail"), Lost: rate(120).Draw(t, "lost"), Kill: rate(40).Draw(t, "kill"),
				Pause: rate(40).Draw(t, "pause"), Slow: rate(100).Draw(t, "slow"), Crowd: rate(300).Draw(t, "crowd"),
			},
			Twilio: habits{
				Refuse: rate(300).Draw(t, "refuse"), Busy: rate(300).Draw(t, "busy"), Broken: rate(100).Draw(t, "broken"),
				Down: rate(400).Draw(t, "down"), Late: rate(500).Draw(t, "late"),
				Undelivered: rate(500).Draw(t, "undelivered"), Mute: rate(500).Draw(t, "mute"), Long: rate(500).Draw(t, "long"),
				Drop: rate(500).Draw(t, "drop"), Twice: rate(500).Draw(t, "twice"), Delay: rate(500).Draw(t, "delay"),
				Lag: rate(500).Draw(t, "lag"),
			},
		}
		sc.Twilio.Cut = rate(300).Draw(t, "cut")
		if rapid.IntRange(0, 7).Draw(t, "twins") == 7 {
			sc.beTwins()
		}
		sc.Redrive = rapid.SampledFrom([]int{0, 0, 5, 20}).Draw(t, "redrive")
		sc.Resend = rapid.SampledFrom([]int{0, 0, 5, 20}).Draw(t, "resend")
		sc.Reroute = rapid.SampledFrom([]int{0, 0, 0, 3, 10}).Draw(t, "reroute")
		sc.Jump = rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 3, 10}).Draw(t, "jump")
		if rapid.IntRange(0, 3).Draw(t, "dying") == 3 {
			sc.beDying(rate(400).Draw(t, "denied"), rapid.Bool().Draw(t, "later"))
		}
		switch rapid.IntRange(0, 15).Draw(t, "denied all the same, or people") {
		case 15:
			sc.beDenied()
		case 11, 12, 13, 14:
			sc.beAnswered(t)
		}
		sc.beLong(t)
		sc.beMore(t)
		return sc
	})
}

// beDenied makes Twilio take many messages that it says it refused, lose its answers to others, and say late or never what
// became of them: whose a message is, and which one is waited for, is hard to tell.
func (s *scenario) beDenied() {
	s.Texts = s.Texts[:min(len(s.Texts), 2)]
	s.Fallbacks, s.DeliveryTimeout, s.MaxAge, s.Pair, s.Number = max(s.Fallbacks, 1), 15*time.Second, 0, pace.Limit{}, pace.Limit{}
	s.MaxAttempts, s.Resend, s.Jump = min(s.MaxAttempts, 3), max(s.Resend, 10), 0
	s.Trouble = trouble{Kill: s.Trouble.Kill, Lost: s.Trouble.Lost / 4}
	s.Twilio = habits{
		Denied: 400, Refuse: 60, Busy: 200, Down: 200, Undelivered: 300, Mute: 300, Delay: 300,
		Drop: s.Twilio.Drop, Lag: s.Twilio.Lag,
	}
}

// beAnswered has people on duty who answer. Twilio and the relay's own services are rarely in trouble: half of all texts would not
// come to anybody otherwise.
func (s *scenario) beAnswered(draw *rapid.T) {
	s.Habit = rapid.SampledFrom([]int{200, 600, 900}).Draw(draw, "habit")
	for range rapid.IntRange(1, 5).Draw(draw, "more texts") {
		s.Texts = append(s.Texts, text{Customer: rapid.IntRange(0, 4).Draw(draw, "customer of five"), Body: len(s.Texts)})
	}
	s.Steps = rapid.SampledFrom([]int{400, 800, 1600}).Draw(draw, "people's steps")
	s.Jump, s.MaxAge, s.Redrive, s.Resend = 0, 0, min(s.Redrive, 5), min(s.Resend, 5)
	t, h := &s.Trouble, &s.Twilio
	for _, rate := range []*int{
		&t.Fail, &t.Lost, &t.Kill, &t.Pause, &t.Slow, &t.Crowd, &h.Refuse, &h.Busy, &h.Broken, &h.Down, &h.Cut, &h.Denied, &h.Late,
		&h.Undelivered, &h.Drop, &h.Delay,
	} {
		*rate /= 5
	}
	if rapid.IntRange(0, 31).Draw(draw, "machines") == 31 {
		s.beChattering(draw)
	}
	s.Threads = rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(draw, "threads")
}

// beTwins gives all texts the same words. Twilio's answers are often lost and receipts hardly ever come: there
// only counting tells them apart.
func (s *scenario) beTwins() {
	for i := range s.Texts {
		s.Texts[i] = text{}
	}
	s.Texts = append(s.Texts, text{}, text{})
	s.Fallbacks, s.DeliveryTimeout, s.MaxAge, s.Pair, s.Number = max(s.Fallbacks, 1), 15*time.Second, 0, pace.Limit{}, pace.Limit{}
	s.Twilio.Down, s.Twilio.Drop, s.Twilio.Mute, s.Twilio.Lag = 500, 500, 500, 300
	s.Twilio.Refuse, s.Twilio.Broken, s.Twilio.Late = 0, 0, 0
}

// beDying makes texts die again and again, and operators bring them back.
func (s *scenario) beDying(denied int, later bool) {
	s.MaxAttempts, s.Redrive = min(s.MaxAttempts, 2), 40
	s.Twilio.Cut, s.Twilio.Busy, s.Twilio.Refuse, s.Twilio.Denied = 600, s.Twilio.Busy/3, s.Twilio.Refuse/10, denied
	if later {
		s.dieLater()
	}
}

// dieLater makes texts die on their way to the next phone, by the hand of a timer: it waits for nothing on the queue, and nothing
// there for it, so that a letter that is moved back meanwhile is worked on at the same time.
func (s *scenario) dieLater() {
	s.Texts = s.Texts[:min(len(s.Texts), 2)]
	s.Fallbacks, s.DeliveryTimeout, s.MaxAge, s.Pair = max(s.Fallbacks, 1), 0, 0, pace.Limit{}
	s.Senders, s.Steps, s.Redrive = max(s.Senders, 2), 600, 100
	s.Trouble = trouble{Kill: s.Trouble.Kill / 4, Bury: 300}
	s.Twilio = habits{Cut: 600, Broken: 250, Undelivered: 900, Denied: s.Twilio.Denied / 4, Late: s.Twilio.Late}
}

// alone returns a copy that shares nothing with s.
func (s scenario) alone() scenario {
	s.Texts = slices.Clone(s.Texts)
	return s
}

// calm reports whether nothing can go wrong on the way to Twilio and back.
func (s scenario) calm() bool {
	t := s.Twilio
	return s.Trouble == trouble{} && t.Busy+t.Broken+t.Down+t.Cut+t.Denied+t.Late+s.Reroute+s.Jump == 0
}

// route returns the scenario's route.
func (s scenario) route() route.Route {
	r := route.Route{
		TwilioNumber: twilioNumber, DestinationCarrier: phone(0), Active: true, OnUncertain: s.OnUncertain,
		DeliveryTimeout: route.Duration(s.DeliveryTimeout), MaxAge: route.Duration(s.MaxAge),
		AnswerTimeout: route.Duration(s.AnswerTimeout),
	}
	if s.Ring {
		r.Ring = route.RingAll
	}
	for hop := range s.Fallbacks {
		r.FallbackCarriers = append(r.FallbackCarriers, phone(hop+1))
	}
	for n := range s.Threads {
		r.Threads = append(r.Threads, thread(n))
	}
	s.Hours.close(&r)
	s.New.mark(&r)
	s.crew(&r)
	s.Hold.close(&r)
	s.Clocks.set(&r)
	return r
}
