package simulation_test

import (
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/pace"
	"quickdumpnow.com/smsrelay/shared/route"
)

// TestFoundBefore plays the schedules that violated something once, each with its scenario as it was then. What it plays changes
// with the simulation and the relay; the stories that they told are kept in the tests of functions/sender/delivery.
func TestFoundBefore(t *testing.T) {
	skipIfOne(t)
	t.Parallel()
	for name, tt := range map[string]struct {
		seed uint64
		scenario
	}{
		// A message that was refused and taken all the same was found, and taken for that of a later attempt at the phone
		// (TestFoundMessageOfARefusedAttempt).
		"another attempt's message": {59113, scenario{
			Texts: []text{{Customer: 0, Body: 0}, {Customer: 1, Body: 1}}, Senders: 2, Steps: 600, Fallbacks: 2, Looks: 2,
			Interval: 10 * time.Second, MaxAttempts: 2, Redrive: 100,
			Trouble: trouble{Kill: 10, Bury: 300}, Twilio: habits{Busy: 600, Broken: 250, Denied: 100, Late: 50, Undelivered: 900},
		}},
		// Attempts at the second phone were used up by one that was taken all the same, and the third phone was never tried
		// (TestTimeoutOfAnAttemptThatWasRefusedAndTaken).
		"no timer": {82420, scenario{
			Texts: []text{{Customer: 0, Body: 0}}, Senders: 1, Steps: 300, Fallbacks: 2, DeliveryTimeout: 15 * time.Second,
			Pair:  pace.Limit{N: 2, Per: 30 * time.Second},
			Looks: 2, Interval: 40 * time.Second, MaxAttempts: 1, Redrive: 40,
			Trouble: trouble{Lost: 120, Slow: 10}, Twilio: habits{Refuse: 3, Busy: 600, Broken: 100, Denied: 40, Late: 166, Mute: 500, Lag: 166},
		}},
		// The number closes again while what was held waits, and a timer comes (TestClosesAgainBeforeTheTimerComes).
		"a timer that comes at once, again and again": {1201, scenario{
			Texts: []text{
				{Customer: 0, Body: 0},
				{Customer: 0, Body: 1},
				{Customer: 2, Body: 2},
				{Customer: 3, Body: 3},
				{Customer: 1, Body: 4},
				{Customer: 0, Body: 5},
				{Customer: 1, Body: 6},
			},
			Senders: 2, Steps: 800, Fallbacks: 2, OnUncertain: route.Resend,
			Pair: pace.Limit{N: 1, Per: 10 * time.Second}, Number: pace.Limit{N: 1, Per: 5 * time.Second},
			Looks: 3, Interval: 10 * time.Second, MaxAttempts: 1, Habit: 900, Threads: 1, AnswerTimeout: 5 * time.Minute,
			Ring: true, Away: 100, Owner: 1, Named: true, Hours: hours{Zone: "America/St_Johns", From: "00:00", Days: 1},
			Hold:    holding{Zone: "America/St_Johns", Opens: 3 * time.Hour, Closes: 3*time.Hour + time.Minute, Shut: 20 * time.Minute},
			Trouble: trouble{Lost: 8, Slow: 6},
			Twilio:  habits{Refuse: 20, Busy: 60, Broken: 2, Down: 80, Undelivered: 33, Mute: 500, Long: 50, Drop: 33, Lag: 50},
		}},
		// A phone is verified between two texts that are taken up, and the first one has just been held again
		// (TestHeldAgainWhileOthersAreTakenUp).
		"a held text that overtakes one that is held again": {151, scenario{
			Texts:   []text{{Customer: 0, Body: 2}, {Customer: 0, Body: 1}, {Customer: 4, Body: 2}},
			Senders: 2, Steps: 1600, Fallbacks: 1, OnUncertain: route.Park, Number: pace.Limit{N: 3, Per: time.Second},
			Looks: 1, Interval: 10 * time.Second, MaxAttempts: 3, Redrive: 5, Reroute: 10, Habit: 200, Threads: 1,
			New: newcomers{Phones: 1, Later: true, Codes: 2}, Hours: hours{Zone: "UTC", From: "00:00", Days: 1},
			Hold:  holding{Zone: "UTC", Opens: 10 * time.Minute, Closes: 15 * time.Minute, Shut: 20 * time.Minute},
			Names: 10, Trouble: trouble{Fail: 8, Pause: 2}, Twilio: habits{Busy: 20, Broken: 2},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			if o := play(t, tt.scenario, fromSeed(tt.seed), true); len(o.violations) > 0 {
				t.Errorf("violates what must hold:\n  %s\n%s", strings.Join(o.violations, "\n  "), o.trace)
			}
		})
	}
}

// TestSeedsFoundBefore plays the seeds that violated something since people answer in the simulation, from testdata/found.txt. Their
// stories are kept in the tests of functions/sender/delivery and shared/conversation.
func TestSeedsFoundBefore(t *testing.T) {
	skipIfOne(t)
	t.Parallel()
	found, err := os.ReadFile("testdata/found.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(found)) {
		first, story, _ := strings.Cut(strings.TrimSpace(line), " ")
		seed, err := strconv.ParseUint(first, 10, 64)
		if err != nil || story == "" {
			t.Fatalf("%q is no seed with its story", line)
		}
		t.Run(story, func(t *testing.T) {
			if o := playSeed(t, seed, false); len(o.violations) > 0 {
				t.Errorf("seed %d violates what must hold:\n  %s", seed, strings.Join(o.violations, "\n  "))
			}
		})
	}
}
