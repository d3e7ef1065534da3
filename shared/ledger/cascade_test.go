package ledger_test

import (
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// hindsight is what becomes of a text with two attempts when something is learned of the first, drawn as happenings is.
const hindsight = `
                 Accept End:busy TimeOut | sent delivered undelivered undelivered:next
open-2nd         .      .        .       | =    delivered =           =
doubted-2nd      .      .        .       | =    delivered =           =
waiting-2nd      .      .        .       | =    delivered =           =
uncertain-2nd    .      .        .       | =    delivered =           =
sent-2nd         .      .        .       | =    delivered =           =
refused-2nd      .      .        .       | =    delivered undelivered undelivered

open-again       =      .        .       | =    delivered =           =
doubted-again    =      .        .       | =    delivered =           =
waiting-again    sent   .        .       | sent delivered =           =
refused-again    sent   .        .       | sent delivered =           =
uncertain-again  sent   .        .       | sent delivered =           =
sent-again       =      .        .       | =    delivered =           =
`

// pasts are ways to two attempts: at a second hop, after the first did not deliver in time, and once more at the same phone,
// after nobody knew what became of the first.
func pasts(t *testing.T) map[string]ledger.Record {
	t.Helper()
	timedOut, resent := play(t, in(t, "timed out"), []event{claims(1)}), play(t, in(t, "resend"), []event{claims(0)})
	return map[string]ledger.Record{
		"open-2nd":      timedOut,
		"doubted-2nd":   play(t, timedOut, []event{doubted(2)}),
		"waiting-2nd":   play(t, timedOut, []event{ended(2, busy, later)}),
		"uncertain-2nd": play(t, timedOut, []event{doubted(2), concluded(2, park)}),
		"sent-2nd":      play(t, timedOut, []event{accepted(2, sms.StatusQueued)}),
		"refused-2nd":   play(t, timedOut, []event{ended(2, blocked, noHop)}),

		"open-again":      resent,
		"doubted-again":   play(t, resent, []event{doubted(2)}),
		"waiting-again":   play(t, resent, []event{ended(2, busy, later)}),
		"refused-again":   play(t, resent, []event{ended(2, blocked, nextHop)}),
		"uncertain-again": play(t, resent, []event{doubted(2), concluded(2, park)}),
		"sent-again":      play(t, resent, []event{accepted(2, sms.StatusQueued)}),
	}
}

// TestHindsight: late news of an earlier attempt are written down. They move the text if it was delivered, or if there is
// nothing else left to wait for.
func TestHindsight(t *testing.T) {
	lines := strings.Split(strings.ReplaceAll(strings.TrimSpace(hindsight), "|", " "), "\n")
	columns := strings.Fields(lines[0])
	all := pasts(t)
	for _, line := range lines[1:] {
		cells := strings.Fields(line)
		if len(cells) == 0 {
			continue
		}
		before, ok := all[cells[0]]
		if !ok {
			t.Fatalf("no past %q", cells[0])
		}
		delete(all, cells[0])
		for i, column := range columns {
			got, changed, err := operations(1)[column](before)
			if outcome := outcomeOf(t, column, before, got, changed, err); outcome != cells[i+1] {
				t.Errorf("%s, %s: %s, want %s", cells[0], column, outcome, cells[i+1])
			}
			if wrong := wrongMarks(got); wrong != "" {
				t.Errorf("%s, %s: %s: %+v", cells[0], column, wrong, got)
			}
			if outcome := cells[i+1]; outcome == "=" {
				same(t, cells[0]+", "+column+": second attempt", before.Attempts[1], got.Attempts[1])
				same(t, cells[0]+", "+column+": due", before.NotBefore, got.NotBefore)
			}
		}
	}
	if len(all) > 0 {
		t.Errorf("not drawn: %v", all)
	}
}

// TestNothingIsRepeatedKnowingly: once Twilio is known to have a message for a phone that nobody has given up on, the text
// rests, however the attempt ends that was made again because nobody knew.
func TestNothingIsRepeatedKnowingly(t *testing.T) {
	for name, r := range map[string]ledger.Record{
		"open":    play(t, in(t, "resend"), []event{claims(0), told(1, sms.StatusSent)}),
		"doubted": play(t, in(t, "resend"), []event{claims(0), doubted(2), told(1, sms.StatusSent)}),
	} {
		for end, happens := range map[string]event{
			"busy": ended(2, busy, later), "refused": ended(2, blocked, refused), "not delivered": undelivered(2, later),
			"park": concluded(2, park), "resend": concluded(2, resend),
		} {
			got, changed, err := happens(r)
			if name == "open" && (end == "park" || end == "resend") {
				continue
			}
			if err != nil || !changed {
				t.Errorf("%s, %s: changed %v, error %v", name, end, changed, err)
			}
			isIn(t, got, ledger.Sent, "")
		}
		// Also if the phone is refused: it may get the first message all the same. Once that is lost, the next phone's turn has come.
		waits := play(t, r, []event{ended(2, blocked, nextHop)})
		isIn(t, waits, ledger.Sent, "")
		isIn(t, play(t, waits, []event{toldOf(1, sid(1), sms.StatusUndelivered, 30003, nextHop)}), ledger.Queued, ledger.ReasonNextHop)
	}
}

// TestLossGoesOnward: a receipt says that the phone never gets it, and where the text goes from there.
func TestLossGoesOnward(t *testing.T) {
	for _, name := range []string{"open", "doubted", "sent", "uncertain", "waiting", "resend"} {
		for _, status := range []sms.Status{sms.StatusUndelivered, sms.StatusFailed, sms.StatusCanceled} {
			r := play(t, in(t, name), []event{toldOf(1, sid(1), status, 30003, nextHop)})
			isIn(t, r, ledger.Queued, ledger.ReasonNextHop)
			last, _ := r.Current()
			if !r.NotBefore.Equal(stamped) || !last.HopDone || last.ErrorCode != 30003 || last.Status != status {
				t.Errorf("%s, %s: due %v, attempt %+v", name, status, r.NotBefore, last)
			}
			again := play(t, in(t, name), []event{toldOf(1, sid(1), status, 30001, later)})
			isIn(t, again, ledger.Queued, "")
			if last, _ := again.Current(); !again.NotBefore.Equal(stamped.Add(time.Minute)) || last.HopDone {
				t.Errorf("%s, %s: due %v, attempt %+v; want the same phone again", name, status, again.NotBefore, last)
			}
		}
	}
}

// TestLossTakesTheSlotBack: a moment booked for one phone is not used for another.
func TestLossTakesTheSlotBack(t *testing.T) {
	r := play(t, in(t, "waiting"), []event{books(0), undelivered(1, nextHop)})
	isIn(t, r, ledger.Queued, ledger.ReasonNextHop)
	if (r.Slot != ledger.Slot{}) || !r.NotBefore.Equal(stamped) {
		t.Errorf("slot %+v, due %v; want none, and at once", r.Slot, r.NotBefore)
	}
}

// TestOnlyALossGoesOnward: whatever the caller says, a message that is on its way or delivered stays.
func TestOnlyALossGoesOnward(t *testing.T) {
	for status, want := range map[sms.Status]ledger.State{
		sms.StatusSent: ledger.Sent, sms.StatusPartiallyDelivered: ledger.Sent, sms.StatusReceived: ledger.Sent,
		sms.StatusDelivered: ledger.Delivered, sms.StatusRead: ledger.Delivered,
	} {
		isIn(t, play(t, in(t, "sent"), []event{toldOf(1, sid(1), status, 0, nextHop)}), want, "")
	}
}

func TestTimeOut(t *testing.T) {
	r := in(t, "sent")
	want := r
	want.State, want.Reason, want.UpdatedAt, want.NotBefore = ledger.Queued, ledger.ReasonDeliveryTimeout, stamped.Add(time.Hour),
		stamped.Add(time.Hour)
	a := r.Attempts[0]
	a.HopDone = true
	want.Attempts = []ledger.Attempt{a}
	got, changed := r.TimeOut(1, noon.Add(time.Hour))
	if !changed {
		t.Fatal("TimeOut changed nothing")
	}
	same(t, "record after the timeout", want, got)
}

// TestTimeOutIsTooLate in a race with a receipt, and of an attempt that Twilio never had.
func TestTimeOutIsTooLate(t *testing.T) {
	for name, r := range map[string]ledger.Record{
		"delivered":        in(t, "delivered"),
		"not delivered":    in(t, "undelivered"),
		"went onward":      in(t, "next hop"),
		"timed out before": in(t, "timed out"),
		"received":         play(t, in(t, "sent"), []event{told(1, sms.StatusReceived)}),
	} {
		got, changed := r.TimeOut(1, noon)
		if changed {
			t.Errorf("%s: TimeOut changed the record", name)
		}
		same(t, name+": record that did not change", r, got)
	}
	// The second hop refused it, and the first may still deliver it: there is no receipt of the second to wait for.
	r := play(t, in(t, "open 2nd"), []event{ended(2, blocked, refused)})
	if got, changed := r.TimeOut(2, noon); changed || got.State != ledger.Sent {
		t.Errorf("TimeOut of a refused attempt: changed %v, state %q", changed, got.State)
	}
}

// TestTimeOutGivesUpOnAllThatWait: earlier messages have waited longer.
func TestTimeOutGivesUpOnAllThatWait(t *testing.T) {
	// The route was changed between the two, so that the first hop was never given up.
	r := play(t, in(t, "waiting"), []event{claims(1), told(1, sms.StatusSent), accepted(2, sms.StatusQueued), timedOut(2)})
	if r.HopOpen(hop(0)) || r.HopOpen(hop(1)) {
		t.Errorf("hops are open %v, %v; want both done", r.HopOpen(hop(0)), r.HopOpen(hop(1)))
	}
}

// TestTimeOutOfAnEarlierAttempt: a later attempt at the phone failed, so that the text waits for the earlier one's receipt. If
// nobody knows what became of the later one, nothing is sent to another phone.
func TestTimeOutOfAnEarlierAttempt(t *testing.T) {
	before := play(t, in(t, "waiting"), []event{claims(0), told(1, sms.StatusSent)})
	for name, tt := range map[string]struct {
		ends   []event
		want   ledger.State
		reason ledger.Reason
	}{
		"refused": {[]event{ended(2, busy, later)}, ledger.Queued, ledger.ReasonDeliveryTimeout},
		"unknown": {[]event{doubted(2), concluded(2, park)}, ledger.Uncertain, ledger.ReasonUnknownOutcome},
	} {
		r := play(t, before, tt.ends)
		isIn(t, r, ledger.Sent, "")
		if awaited, ok := r.AwaitedAttempt(); !ok || awaited.Number != 1 {
			t.Errorf("%s: attempt %d is awaited (%v), want 1", name, awaited.Number, ok)
		}
		if _, changed := r.TimeOut(2, noon); changed {
			t.Errorf("%s: TimeOut of the second attempt changed the record", name)
		}
		isIn(t, play(t, r, []event{timedOut(1)}), tt.want, tt.reason)
		lost := play(t, r, []event{toldOf(1, sid(1), sms.StatusUndelivered, 30003, nextHop)})
		if want := map[ledger.State]ledger.Reason{
			ledger.Queued:    ledger.ReasonNextHop,
			ledger.Uncertain: ledger.ReasonUnknownOutcome,
		}[lost.State]; lost.State != tt.want || lost.Reason != want {
			t.Errorf("%s: lost, the text is %q (%s), want %q", name, lost.State, lost.Reason, tt.want)
		}
	}
}

// TestMessageThatWasAnothers: a receipt says whose a message is that was found for another attempt.
func TestMessageThatWasAnothers(t *testing.T) {
	r := play(t, in(t, "waiting"), []event{claims(0), doubted(2), found(2, sid(1), sms.StatusQueued)})
	isIn(t, r, ledger.Sent, "")
	for status, want := range map[sms.Status]ledger.State{
		sms.StatusSent: ledger.Sent, sms.StatusDelivered: ledger.Delivered,
		sms.StatusUndelivered: ledger.Uncertain,
	} {
		got := play(t, r, []event{told(1, status)})
		if last, _ := got.Current(); got.State != want || !last.Unknown() || last.Found || last.OutboundSid != "" || last.Status != "" {
			t.Errorf("%s: the text is %q, attempt %+v; want %q, and the attempt in doubt", status, got.State, last, want)
		}
	}
}

// TestReceiptsAfterATimeOut: a delivery stops the cascade wherever it is; nothing else does.
func TestReceiptsAfterATimeOut(t *testing.T) {
	for name, events := range map[string][]event{
		"waiting": nil, "paced": {books(1)}, "open": {claims(1)}, "doubted": {claims(1), doubted(2)},
		"sent":      {claims(1), accepted(2, sms.StatusQueued)},
		"uncertain": {claims(1), doubted(2), concluded(2, park)}, "third hop": {claims(1), accepted(2, sms.StatusQueued), timedOut(2), claims(2)},
	} {
		before := play(t, in(t, "timed out"), events)
		for _, happens := range []event{told(1, sms.StatusSent), undelivered(1, toNobody), undelivered(1, nextHop)} {
			r := play(t, before, []event{happens})
			if r.State != before.State || r.Reason != before.Reason {
				t.Errorf("%s: a receipt of the first hop moved the text from %q to %q", name, before.State, r.State)
			}
		}
		r := play(t, before, []event{told(1, sms.StatusSent), told(1, sms.StatusDelivered)})
		isIn(t, r, ledger.Delivered, "")
		if wrong := wrongMarks(r); wrong != "" {
			t.Errorf("%s: %s", name, wrong)
		}
	}
}

// TestLateDeliveryIsRecorded where it cannot stop anything any more.
func TestLateDeliveryIsRecorded(t *testing.T) {
	for name, r := range map[string]ledger.Record{
		"the second hop has it, too": play(t, in(t, "sent 2nd"), []event{told(2, sms.StatusDelivered)}),
		"dead":                       play(t, in(t, "open 2nd"), []event{ended(2, busy, later), buried}),
	} {
		got := play(t, r, []event{told(1, sms.StatusDelivered)})
		isIn(t, got, r.State, r.Reason)
		if got.Attempts[0].Status != sms.StatusDelivered {
			t.Errorf("%s: first attempt is %q, want delivered", name, got.Attempts[0].Status)
		}
	}
}

// TestEndOfACascade: without another hop a text rests where its attempts have left it, unsent or not.
func TestEndOfACascade(t *testing.T) {
	for _, tt := range []struct {
		name    string
		events  []event
		dropped ledger.State
		why     ledger.Reason
		givenUp ledger.State
		because ledger.Reason
	}{
		{"nothing was tried", []event{books(0)}, ledger.Dropped, ledger.ReasonExpired, ledger.Failed, ledger.ReasonRefused},
		{"refused", []event{claims(0), ended(1, blocked, nextHop)}, ledger.Dropped, ledger.ReasonExpired, ledger.Failed, ledger.ReasonRefused},
		{"in doubt", situations["resend"], ledger.Uncertain, ledger.ReasonUnknownOutcome, ledger.Uncertain, ledger.ReasonUnknownOutcome},
		{
			"in doubt, then refused", append(situations["resend"], claims(0), ended(2, blocked, nextHop)), ledger.Uncertain,
			ledger.ReasonUnknownOutcome, ledger.Uncertain, ledger.ReasonUnknownOutcome,
		},
		{"not delivered", situations["next hop"], ledger.Undelivered, ledger.ReasonExpired, ledger.Undelivered, ""},
		{
			"failed at Twilio",
			[]event{claims(0), toldOf(1, sid(1), sms.StatusFailed, 30008, nextHop)},
			ledger.Failed, ledger.ReasonReceipt,
			ledger.Failed, ledger.ReasonReceipt,
		},
		{"may still be delivered", situations["timed out"], ledger.Sent, "", ledger.Sent, ""},
		{
			"in doubt, then not delivered", append(situations["sent again"], undelivered(2, nextHop)), ledger.Uncertain, ledger.ReasonUnknownOutcome,
			ledger.Uncertain, ledger.ReasonUnknownOutcome,
		},
		{
			"first not delivered, second in doubt", append(situations["next hop"], claims(1), doubted(2), concluded(2, resend)), ledger.Uncertain,
			ledger.ReasonUnknownOutcome, ledger.Uncertain, ledger.ReasonUnknownOutcome,
		},
		{
			"first on its way, second in doubt", append(situations["timed out"], claims(1), doubted(2), concluded(2, resend)),
			ledger.Sent, "", ledger.Sent, "",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := after(t, tt.events...)
			isIn(t, play(t, r, []event{dropped(ledger.ReasonExpired)}), tt.dropped, tt.why)
			isIn(t, play(t, r, []event{givenUp}), tt.givenUp, tt.because)
		})
	}
}

// TestRestIsSettledByReceipts: a text that rests as sent after its last hop refused it goes by the hop that has it.
func TestRestIsSettledByReceipts(t *testing.T) {
	for _, rest := range []event{givenUp, dropped(ledger.ReasonExpired)} {
		r := play(t, in(t, "timed out"), []event{rest})
		isIn(t, play(t, r, []event{told(1, sms.StatusDelivered)}), ledger.Delivered, "")
		isIn(t, play(t, r, []event{told(1, sms.StatusSent), undelivered(1, nextHop)}), ledger.Undelivered, "")
		isIn(t, play(t, r, []event{told(1, sms.StatusFailed)}), ledger.Failed, ledger.ReasonReceipt)
	}
}
