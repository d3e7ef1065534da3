package simulation_test

import (
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

// TestSeedsFoundBefore plays the seeds that violated something since people answer in the simulation. Their stories are kept in the tests
// of functions/sender/delivery and shared/conversation.
func TestSeedsFoundBefore(t *testing.T) {
	skipIfOne(t)
	t.Parallel()
	for story, seed := range map[string]uint64{
		"a long answered text empties the bucket (TestPlacesOfTexts)":                                            1252160,
		"a phone that left, hours later (TestLateTextOfAPhoneThatLeft)":                                          1239131,
		"two phones while a timeout is decided about":                                                            1302424,
		"a message of a text of the same words":                                                                  1160122,
		"a second part that waits (TestSecondPartForAPhoneThatLostTheFirst)":                                     1547,
		"the letter of a second part (TestLetterOfASecondPart)":                                                  1115,
		"a second part like another one":                                                                         7147,
		"a tag alone after words that were refused (TestWrittenBetweenAQuestionAndATag)":                         13188,
		"a lost answer that a timer ended (TestTimerTellsOfALostAnswer)":                                         16812,
		"a later message is lost when the timer of the earlier has come":                                         335498,
		"an operator's text to a phone that leaves (TestOperatorsTextToAPhoneThatLeaves)":                        338819,
		"a second death after the same attempts (TestLetterOfASecondDeathAfterTheSameAttempts)":                  339613,
		"another answer that a timer ended (TestTimerTellsOfALostAnswer)":                                        339627,
		"a tag alone for a question whose words were ended (TestReplacesWhatEndedAMomentAgo)":                    135437,
		"held words whose time is over while they are released (TestHeldWordsEndWhileTheyAreReleased)":           107536,
		"the rest of a text, sent a day later to a thread that was another customer's":                           3028665,
		"the rest of a text that was dead, and taken after all":                                                  50054229,
		"the rest of a text for the phone that got it second":                                                    50156133,
		"somebody comes into the route after his text (TestStrangerBecomesAPhoneOfTheRoute)":                     50200735,
		"an order for the rest of a text that was delivered":                                                     50118195,
		"the last dead letter of a ring, moved back in vain":                                                     7783,
		"a wrong code that comes after the right one (TestTextsWaitForVerification)":                             404077,
		"a text that goes on after its ring, and whose outcome is unknown":                                       904845,
		"a dead letter of a ring, moved back, and nobody knows what came of it (TestSettle)":                     1606024,
		"a text that was refused, and lost at a phone of its ring (TestSettleWithOwnAttempts)":                   404885,
		"words after a late text that ended held ones (TestEndsWhatIsHeldHoweverLate)":                           1608927,
		"held texts that are called up twice by a clock that is set back":                                        70029158,
		"a held text whose timer is set by a clock that is ahead for a moment":                                   80079676,
		"codes that an operator sends, besides what the relay says":                                              80123862,
		"a text behind one that is held again, for a phone to be verified":                                       80149353,
		"words after some that were refused, for another one's tag (TestAfterWordsThatWentToNobody)":             80057044,
		"a text to several phones, when the number closes again (TestClosesAgainBeforeTheTimerComes)":            81002210,
		"a text at Twilio, when the number closes again (TestClosesAgainBeforeTheTimerComes)":                    81014834,
		"a second part of a phone that changes its place in the route (TestSecondPartKeepsItsName)":              81043241,
		"an old answer among many (TestTakesItsPlaceHoweverLate)":                                                81046503,
		"a ring that is lost while an operator sends its text to a phone of it again":                            81114144,
		"a second part that was too old, of a text that is sent again (TestSecondPartOfATextThatIsSentAgain)":    81127423,
		"words after some with a mistyped tag, before the question is read":                                      81197264,
		"a delivery timeout of a text that was refused for good since (TestTimeoutOfTheAttemptBefore)":           81202867,
		"words a while after some that were refused, for another one's tag":                                      81359262,
		"a tag alone that overtakes what was written before it":                                                  81406967,
		"a second part for the first phone, after the first part went to another one":                            81356135,
		"words for nobody that cross with a customer's first text":                                               8997,
		"words for nobody, written before a text arrives that was sent long before":                              80056489,
		"a question about a code, long after the phone was verified":                                             81713199,
		"a number that opens between two held texts (TestOpensBetweenTwoHeldTexts)":                              81780814,
		"a late question about words that were refused (TestLateQuestionAboutOtherWords)":                        81787495,
		"a text that comes again after ten others (TestComesAgainAmongMany)":                                     81743871,
		"a text held for a moment, behind one that waits for a phone (TestHeldForAMomentAndThenForVerification)": 80005584,
	} {
		t.Run(story, func(t *testing.T) {
			if o := playSeed(t, seed, false); len(o.violations) > 0 {
				t.Errorf("seed %d violates what must hold:\n  %s", seed, strings.Join(o.violations, "\n  "))
			}
		})
	}
}
