package simulation_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// How the relay is run, as `relay serve` does.
const (
	visibility  = 2 * time.Minute
	sendTimeout = 8 * time.Second
	// longestOnQueue is for how long a queue may hand a message out. The retention is little more, so that it counts what it is
	// counted from.
	longestOnQueue = 14 * 24 * time.Hour
	retention      = longestOnQueue + 10*time.Minute
	batchSize      = 10
	// maxReceives is the queue's own backstop, which nothing here may reach.
	maxReceives = 10_000
)

// schedule is one run of a scenario. Everything in it belongs to the one goroutine that is not waiting: the
// scheduler, or the actor that it let go on.
type schedule struct {
	scenario
	stores

	chance *chance
	ctx    context.Context
	logger *slog.Logger
	began  time.Time
	// told is the trace, nil if none is kept.
	told *strings.Builder

	front      *webhook.Handler
	operations *operations.Handler

	actors []*actor
	// unstarted are those of the actors that do not run yet.
	unstarted []func()
	died      []*process
	senders   int
	rung      int
	turn      int
	webhooks  []webhookOf
	// over is set when the schedule is, and who is still there only leaves.
	over bool

	brokenUntil time.Time
	optedOut    []sms.PhoneNumber
	posts       []*post
	messages    []*message
	bookings    []booking
	// calmSince is when the faults stopped.
	calmSince time.Time
	// bookedStale: a moment was booked by one who had looked at the clock long before.
	bookedStale bool
	// accepted are the texts that the front door said yes to, order those that the queue got, in that order.
	accepted map[string]bool
	order    []string
	// letters are those on the dead-letter queue, moved those that operators began to move back.
	letters, moved []letter
	// redrives counts how often operators moved letters, moves how many; revivals are what came of it, by text.
	redrives, moves int
	revivals        map[string][]revival
	// resends counts the operators that ordered texts to be sent again, orders are theirs, obeyed those that took a text back.
	resends        int
	orders, obeyed []given
	// reroutes counts the operators that changed the route, ways are the routes there were.
	reroutes int
	ways     []wayAt
	// watches are who is on duty, if that depends on the time.
	watches []watch
	// codes counts the codes that operators texted to phones.
	codes int
	// ahead is how far the relay's clock is ahead, jumps how often it jumped, right since when it is not ahead.
	ahead time.Duration
	jumps int
	right time.Time

	// people are those with the phones on duty, deeds what somebody will do, writings what the phones wrote.
	people   []*person
	deeds    []deed
	writings []*writing
	// isChatting is set once a phone began to answer again and again.
	isChatting bool
	// leftOut is how many notices were left out because a phone was told too much.
	leftOut int
	tally   tally

	// states are the conversations as they were written, by customer.
	states map[sms.PhoneNumber][]state

	changes []change
	current map[string]ledger.Record
	// feeds are the change streams that are audited.
	feeds []*feed
	// known are the conversations' changes, namings counts the operators that gave names.
	known   []knownChange
	namings int
	// givings are the orders of operators that a phone has a customer, by who gave them; ordered is who gave the one of a MessageSid.
	givings map[string]giving
	ordered map[string]string
	// album are the pictures at Twilio by their URLs, copies those that the relay keeps by their tokens, and
	// tokens counts the tokens.
	album  map[string]*picture
	copies map[media.Token]copied
	tokens int

	// steps counts what the scheduler did.
	steps      int
	violations []string
}

// newSchedule returns a schedule that has not begun. It has to be called inside of the bubble in which it is run.
func newSchedule(over stores, sc scenario, c *chance, traced bool) *schedule {
	s := &schedule{
		stores: over, scenario: sc.alone(), chance: c, began: time.Now(), accepted: map[string]bool{},
		revivals: map[string][]revival{}, states: map[sms.PhoneNumber][]state{}, album: map[string]*picture{},
		givings: map[string]giving{}, ordered: map[string]string{},
		copies: map[media.Token]copied{},
	}
	if traced {
		s.told = &strings.Builder{}
	}
	s.logger = slog.New(traceLog{s})
	return s
}

// run plays the schedule to its end and checks what must be so then.
func (s *schedule) run() {
	ctx, cancel := context.WithCancel(context.Background())
	s.ctx = ctx
	s.front, s.operations = s.newFront(), s.newOperations()
	s.ways = []wayAt{{s.route(), s.began.Add(-time.Hour)}}
	s.watches = s.rota()
	s.expectTexts()
	s.expectCodes()
	for range s.Senders {
		s.startSender()
	}
	s.feeds = []*feed{s.ledgerFeed()}
	if s.Names > 0 {
		s.feeds = append(s.feeds, s.conversationsFeed())
	}
	for _, f := range s.feeds {
		s.startAudit(f)
	}
	for range s.Steps {
		if !s.step() {
			break
		}
	}
	s.settle()
	s.tellf("faults stop")
	s.calmSince = time.Now()
	s.chance.calm = true
	s.setRight()
	s.brokenUntil = time.Time{}
	if s.drain() {
		s.checkEnd()
		if s.Redrive > 0 && len(s.violations) == 0 {
			s.bringBack()
		}
	}
	cancel()
	s.leave()
}

// step lets one thing happen. It returns false if nothing is left to happen.
func (s *schedule) step() bool {
	s.settle()
	s.steps++
	s.bury()
	able, due := s.able(), s.dueWebhooks()
	deeds := s.dueDeeds()
	weights := []int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	if len(able) > 0 {
		weights[0] = 100
	}
	if len(due) > 0 {
		weights[1] = 15
	}
	if len(deeds) > 0 {
		weights[7] = 15
	}
	if len(able)+len(due)+len(deeds) == 0 || (!s.chance.calm && !s.calm()) {
		weights[2] = 4
	}
	if len(s.letters) > 0 && !s.chance.calm {
		weights[3] = s.Redrive
	}
	resendable := s.troubles(weights)
	switch s.chance.weighted(weights...) {
	case 0:
		s.goOn(able[s.chance.of(len(able))])
	case 1:
		s.ring(due[s.chance.of(len(due))])
	case 3:
		s.redrive()
	case 4:
		s.resend(resendable[s.chance.of(len(resendable))])
	case 5:
		s.reroute()
	case 6:
		s.jump()
	case 7:
		s.perform(deeds[s.chance.of(len(deeds))])
	case 8:
		s.rename()
	case 9:
		s.handOver()
	default:
		return s.passTime(len(able)+len(due)+len(deeds) > 0)
	}
	return true
}

// troubles weighs what else people and clocks may do, and returns the texts that may be ordered to be sent again.
func (s *schedule) troubles(weights []int) (resendable []string) {
	if s.chance.calm {
		return nil
	}
	if s.Resend > 0 {
		if resendable = s.resendable(); len(resendable) > 0 {
			weights[4] = s.Resend
		}
	}
	if weights[5] = s.Reroute; s.jumps < maxJumps {
		weights[6] = s.Jump
	}
	if s.namings < maxNamings {
		weights[8] = s.Names
	}
	if len(s.givings) < maxGivings && len(s.states) > 0 {
		weights[9] = s.Gives
	}
	return resendable
}

// able returns the actors that may go on. When nothing is left to chance they take turns.
func (s *schedule) able() []*actor {
	now := time.Now()
	var able []*actor
	s.actors = slices.DeleteFunc(s.actors, (*actor).hasEnded)
	for _, a := range s.actors {
		if a.canGoOn(now) {
			able = append(able, a)
		}
	}
	if s.chance.calm && len(able) > 1 {
		s.turn++
		first := s.turn % len(able)
		able[0], able[first] = able[first], able[0]
	}
	return able
}

func (s *schedule) goOn(a *actor) {
	a.setOff()
	a.wake <- struct{}{}
}

// bury lets what is left of dead processes end, and starts others in their place.
func (s *schedule) bury() {
	for _, p := range s.died {
		for _, a := range s.actors {
			if a.process == p && a.isParked() {
				s.goOn(a)
			}
		}
		if p.restart != nil {
			p.restart()
		}
	}
	if len(s.died) > 0 {
		s.died = nil
		s.settle()
	}
}

// passTime moves the clock: to when something is due next, or anywhere if something else could happen now. It returns
// false if nothing is ever due.
func (s *schedule) passTime(optional bool) bool {
	now := time.Now()
	var next time.Duration = -1
	soon := func(at time.Time) {
		if d := at.Sub(now); d > 0 && (next < 0 || d < next) {
			next = d
		}
	}
	for _, a := range s.actors {
		switch {
		case a.isParked():
			soon(a.until)
		default:
			// It waits for a timer of its own.
			soon(now.Add(time.Second))
		}
	}
	for _, w := range s.webhooks {
		soon(w.due)
	}
	for _, d := range s.deeds {
		soon(d.due)
	}
	for _, q := range []*watchedQueue{s.fifo, s.timers} {
		for _, at := range q.shows {
			soon(at)
		}
	}
	if s.chance.odds(300) {
		next = one(s.chance, time.Second, 50*time.Millisecond, 10*time.Second, time.Minute, 3*time.Minute, 20*time.Minute)
	}
	if next < 0 {
		return optional
	}
	s.tellf("%v pass", next)
	for _, a := range s.actors {
		if a.isParked() && a.ready == nil && next > time.Second {
			s.disturb(a)
		}
	}
	time.Sleep(next)
	return true
}

// maxDrain bounds how many steps a schedule takes to come to its end once nothing goes wrong any more, where nobody has to be verified and
// nobody is on holiday: texts that wait for that are looked at again and again, for a day, or for two weeks.
const maxDrain = 20_000

// drain goes on without faults until nothing is left to do.
func (s *schedule) drain() bool {
	most := maxDrain
	if s.New.Phones > 0 || s.Hold.Opens > maxHold || s.Clocks.Holiday > 0 {
		most *= 10
	}
	for range most {
		if !s.step() {
			break
		}
	}
	s.settle()
	fifo, timers, unaudited := s.fifo.held(), s.timers.held(), 0
	for _, f := range s.feeds {
		unaudited += f.left()
	}
	if fifo+timers+len(s.webhooks)+unaudited > 0 {
		s.violated("after %v without faults there are still %d messages, %d timers, %d webhooks and %d changes to audit",
			time.Since(s.began), fifo, timers, len(s.webhooks), unaudited)
		return false
	}
	return true
}

// leave ends all that is still there, so that the bubble can.
func (s *schedule) leave() {
	s.over = true
	for _, a := range s.actors {
		a.dead.Store(true)
	}
	for _, a := range s.actors {
		if a.isParked() {
			s.goOn(a)
		}
	}
}

func (s *schedule) violated(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	s.violations = append(s.violations, text)
	s.tellf("VIOLATED: %s", text)
}
