package twiliofake

import (
	"strconv"
	"time"

	"quickdumpnow.com/smsrelay/shared/sms"
)

// errand is a message on its way: what happens to it is decided when it is created.
type errand struct {
	sid string
	// from is the sender, which a Messaging Service says once it queues the message.
	from  sms.PhoneNumber
	steps []step
}

// step is one change of a message's status.
type step struct {
	// after is the time since the step before, or since the message was created.
	after  time.Duration
	status sms.Status
	// code is Twilio's error, 0 for none.
	code int
	// unawaited steps come so late that nobody waits for them.
	unawaited bool
}

func (s *Server) errandFor(message Message) errand {
	outcome := s.cfg.outcomeOf(message.To)
	from := s.senderOf(message)
	if code := s.registrationOf(from).refusalOf(from, message.To); code != 0 {
		outcome = Outcome{Status: sms.StatusUndelivered, ErrorCode: code}
	}
	if s.isLoop(message) {
		outcome = Outcome{Status: sms.StatusFailed, ErrorCode: codeLoop}
	}
	return errand{sid: message.Sid, from: from, steps: stepsOf(message, outcome, s.cfg.StepDelay)}
}

// isLoop counts the message and reports whether it is one more than LoopGuard lets through.
func (s *Server) isLoop(message Message) bool {
	guard := s.Misbehaviour().LoopGuard
	if guard == 0 {
		return false
	}
	return s.store.count(pair{ours: message.From, phone: message.To}, message.DateCreated) > guard
}

// stepsOf returns the way of a new message to its outcome, each step delay after the one before. A message that would
// be queued for longer than its validity fails at the end of it.
func stepsOf(message Message, outcome Outcome, delay time.Duration) []step {
	statuses, _ := stepsTo(outcome.Status)
	if message.Status == sms.StatusAccepted {
		statuses = append([]sms.Status{sms.StatusQueued}, statuses...)
	}
	validity, code := validityOf(message)
	var steps []step
	queued, inQueue := time.Duration(0), true
	for _, status := range statuses {
		if inQueue && queued+delay > validity {
			return append(steps, step{after: validity - queued, status: sms.StatusFailed, code: code})
		}
		queued += delay
		inQueue = status == sms.StatusQueued
		next := step{after: delay, status: status}
		if status.Lost() {
			next.code = outcome.ErrorCode
		}
		steps = append(steps, next)
	}
	if inQueue {
		steps = append(steps, step{after: validity - queued, status: sms.StatusFailed, code: code, unawaited: true})
	}
	return steps
}

// validityOf returns how long the message may stay queued, and the error with which it fails after that: of a message
// that names no ValidityPeriod, Twilio's queue itself is at its end.
func validityOf(message Message) (time.Duration, int) {
	seconds, err := strconv.Atoi(message.Params.Get("ValidityPeriod"))
	if err != nil {
		return maxValidity * time.Second, codeQueueOverflow
	}
	return time.Duration(seconds) * time.Second, codeValidityExpired
}
