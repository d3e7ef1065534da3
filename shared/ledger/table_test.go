package ledger_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// happenings is what happens to a text, and the result, drawn by hand: a row for each situation, a column for each operation
// on its last attempt. A cell names the state after it, "=" if only the record changes, "." if nothing does, and "!" if it is
// refused. The first drawing has what the sender and the operators do, the second what an attempt brings, the third what
// receipts and timers bring.
var happenings = []string{`
                      Claim   Book   Drop        GiveUp      Die  Redrive   | Attest Resend    Abandon DropLetter
(none)                sending queued dropped     failed      !    .         | .      .         .       .
paced                 sending =      dropped     failed      dead .         | .      .         .       .
waiting               sending =      dropped     failed      dead .         | .      .         .       .
resend                sending =      uncertain   uncertain   dead .         | .      .         .       .
next-hop              sending =      undelivered undelivered dead .         | .      .         .       .
timed-out             sending =      sent        sent        dead .         | .      .         .       .

open                  !       !      !           !           !    .         | .      .         .       .
doubted               !       !      !           !           !    .         | .      .         .       .
open-2nd              !       !      !           !           !    .         | .      .         .       .
doubted-2nd           !       !      !           !           !    .         | .      .         .       .

sent                  !       !      !           !           !    .         | .      .         .       .
sent-again            !       !      !           !           !    .         | .      .         .       .
sent-2nd              !       !      !           !           !    .         | .      .         .       .

delivered             !       !      !           !           !    .         | .      .         .       .
undelivered           !       !      !           !           !    .         | .      queued    .       .
failed                !       !      !           !           !    .         | .      queued    .       .
uncertain             !       !      !           !           !    .         | sent   queued    =       .
dropped               !       !      !           !           !    .         | .      queued    .       .
undelivered-sent      !       !      !           !           !    .         | .      sent      .       .
undelivered-delivered !       !      !           !           !    .         | .      delivered .       .
failed-sent           !       !      !           !           !    .         | .      sent      .       .
failed-delivered      !       !      !           !           !    .         | .      delivered .       .
dropped-sent          !       !      !           !           !    .         | .      sent      .       .
dropped-delivered     !       !      !           !           !    .         | .      delivered .       .
dead                  !       !      !           !           !    queued    | .      .         .       =
dead-taken            !       !      !           !           !    sent      | .      .         .       =
dead-delivered        !       !      !           !           !    delivered | .      .         .       =
dead-lost             !       !      !           !           !    queued    | .      .         .       =
dead-in-doubt         !       !      !           !           !    .         | .      .         .       =
`, `
                      Accept End:busy End:refused Doubt | Looked Discover Conclude:park Conclude:resend
(none)                .      .        .           .     | .      .        .             .
paced                 .      .        .           .     | .      .        .             .
waiting               sent   .        .           .     | .      .        .             .
resend                sent   .        .           .     | .      .        .             .
next-hop              .      .        .           .     | .      .        .             .
timed-out             .      .        .           .     | .      .        .             .

open                  sent   queued   failed      =     | .      .        .             .
doubted               sent   queued   failed      .     | =      sent     uncertain     queued
open-2nd              sent   queued   sent        =     | .      .        .             .
doubted-2nd           sent   queued   sent        .     | =      sent     uncertain     queued

sent                  .      .        .           .     | .      .        .             .
sent-again            .      .        .           .     | .      .        .             .
sent-2nd              .      .        .           .     | .      .        .             .

delivered             .      .        .           .     | .      .        .             .
undelivered           .      .        .           .     | .      .        .             .
failed                =      .        .           .     | .      .        .             .
uncertain             sent   .        .           .     | .      .        .             .
dropped               .      .        .           .     | .      .        .             .
undelivered-sent      .      .        .           .     | .      .        .             .
undelivered-delivered .      .        .           .     | .      .        .             .
failed-sent           .      .        .           .     | .      .        .             .
failed-delivered      .      .        .           .     | .      .        .             .
dropped-sent          .      .        .           .     | .      .        .             .
dropped-delivered     .      .        .           .     | .      .        .             .
dead                  =      .        .           .     | .      .        .             .
dead-taken            .      .        .           .     | .      .        .             .
dead-delivered        .      .        .           .     | .      .        .             .
dead-lost             .      .        .           .     | .      .        .             .
dead-in-doubt         =      .        .           .     | .      .        .             .
`, `
                      sent delivered failed    undelivered undelivered:next TimeOut
(none)                .    .         .         .           .                .
paced                 .    .         .         .           .                .
waiting               sent delivered failed    undelivered =                .
resend                sent delivered failed    undelivered =                .
next-hop              .    .         .         .           .                .
timed-out             =    delivered =         =           =                .

open                  sent delivered failed    undelivered queued           .
doubted               sent delivered failed    undelivered queued           .
open-2nd              sent delivered sent      sent        queued           .
doubted-2nd           sent delivered sent      sent        queued           .

sent                  =    delivered failed    undelivered queued           queued
sent-again            =    delivered uncertain uncertain   queued           queued
sent-2nd              =    delivered =         =           queued           queued

delivered             .    .         .         .           .                .
undelivered           .    .         .         .           .                .
failed                =    =         =         =           =                .
uncertain             sent delivered failed    undelivered queued           .
dropped               .    .         .         .           .                .
undelivered-sent      .    .         .         .           .                .
undelivered-delivered .    .         .         .           .                .
failed-sent           .    =         =         =           =                .
failed-delivered      .    .         .         .           .                .
dropped-sent          .    =         =         =           =                .
dropped-delivered     .    .         .         .           .                .
dead                  =    =         =         =           =                .
dead-taken            .    =         =         =           =                .
dead-delivered        .    .         .         .           .                .
dead-lost             .    .         .         .           .                .
dead-in-doubt         =    =         =         =           =                .
`}

// operations are the columns, each about the attempt of that number.
func operations(number int) map[string]event {
	return map[string]event{
		"Claim": claims(1), "Book": books(1), "Drop": dropped(ledger.ReasonExpired), "GiveUp": givenUp, "Die": buried, "Redrive": redriven,
		"Accept": accepted(number, sms.StatusQueued), "End:busy": ended(number, busy, later), "End:refused": ended(number, blocked, refused),
		"Doubt": doubted(number), "Looked": looked(number), "Discover": found(number, sid(number), sms.StatusQueued),
		"Conclude:park": concluded(number, park), "Conclude:resend": concluded(number, resend),
		"sent": told(number, sms.StatusSent), "delivered": told(number, sms.StatusDelivered),
		"failed": told(number, sms.StatusFailed), "undelivered": undelivered(number, toNobody), "undelivered:next": undelivered(number, nextHop),
		"TimeOut": timedOut(number),
		"Attest":  attested(number, sms.StatusQueued), "Resend": ordered, "Abandon": abandoned, "DropLetter": letterDropped,
	}
}

// TestHappenings tries every operation in every situation.
func TestHappenings(t *testing.T) {
	tried, made := 0, map[edge]bool{}
	for _, drawing := range happenings {
		lines := strings.Split(strings.ReplaceAll(strings.TrimSpace(drawing), "|", " "), "\n")
		columns, rows := strings.Fields(lines[0]), 0
		tried += len(columns)
		for _, line := range lines[1:] {
			cells := strings.Fields(line)
			if len(cells) == 0 {
				continue
			}
			rows++
			if len(cells) != len(columns)+1 {
				t.Fatalf("row %s has %d cells, want %d", cells[0], len(cells)-1, len(columns))
			}
			tryRow(t, in(t, strings.ReplaceAll(cells[0], "-", " ")), cells, columns, made)
		}
		if rows != len(situations) {
			t.Errorf("%d rows are drawn, want %d", rows, len(situations))
		}
	}
	if tried != len(operations(1)) {
		t.Errorf("%d columns are drawn, want %d", tried, len(operations(1)))
	}
	// Only a text to several phones goes there, see TestSettle.
	made[edge{ledger.Dead, ledger.Failed}], made[edge{ledger.Dead, ledger.Uncertain}] = true, true
	for e, drawn := range drawn() {
		if made[e] != drawn {
			t.Errorf("something moves a text from %q to %q: %v, want %v", e.from, e.to, made[e], drawn)
		}
	}
}

// tryRow compares a row of a drawing with what the operations do, and notes the changes of state that it saw.
func tryRow(t *testing.T, before ledger.Record, cells, columns []string, made map[edge]bool) {
	t.Helper()
	for i, column := range columns {
		got, changed, err := operations(current(before))[column](before)
		if outcome := outcomeOf(t, column, before, got, changed, err); outcome != cells[i+1] {
			t.Errorf("%s, %s: %s, want %s", cells[0], column, outcome, cells[i+1])
		}
		if got.State != before.State {
			made[edge{before.State, got.State}] = true
		}
	}
}

// outcomeOf says what became of a record, as a cell of the drawing does.
func outcomeOf(t *testing.T, operation string, before, got ledger.Record, changed bool, err error) string {
	t.Helper()
	if err != nil || !changed {
		same(t, operation+" in state "+string(before.State)+", record that did not change", before, got)
	}
	var refused *ledger.TransitionError
	switch {
	case errors.As(err, &refused) && !changed && refused.From == before.State:
		return "!"
	case err != nil:
		return err.Error()
	case !changed:
		return "."
	case got.State == before.State:
		return "="
	}
	return string(got.State)
}

// TestOperationsOnNoAttempt: a number that the text has no attempt of changes nothing, whatever its state.
func TestOperationsOnNoAttempt(t *testing.T) {
	ofNoAttempt := []string{"Claim", "Book", "Drop", "GiveUp", "Die", "Redrive", "Resend", "Abandon", "DropLetter"}
	for name := range situations {
		before := in(t, name)
		for _, number := range []int{-1, 0, current(before) + 1} {
			for operation, happens := range operations(number) {
				if slices.Contains(ofNoAttempt, operation) {
					continue
				}
				got, changed, err := happens(before)
				if changed || err != nil {
					t.Errorf("%s: %s of attempt %d: changed %v, error %v", name, operation, number, changed, err)
				}
				same(t, name+": record after "+operation+" of no attempt", before, got)
			}
		}
	}
}

// TestMarksOfAState: what is set in which state is what the record's comments say.
func TestMarksOfAState(t *testing.T) {
	for name := range situations {
		for operation, happens := range operations(current(in(t, name))) {
			if r, changed, err := happens(in(t, name)); err == nil && changed {
				if wrong := wrongMarks(r); wrong != "" {
					t.Errorf("%s, %s: %s: %+v", name, operation, wrong, r)
				}
				if !r.UpdatedAt.Equal(stamped) {
					t.Errorf("%s, %s: updated at %v, want %v", name, operation, r.UpdatedAt, stamped)
				}
			}
		}
	}
}

// wrongMarks says which mark of a record does not go with its state, "" for none.
func wrongMarks(r ledger.Record) string {
	last, ok := r.Current()
	isOpen, isDoubted := ok && last.Outcome == "", ok && last.Unknown()
	switch {
	case r.State == ledger.Sending && !isOpen && !isDoubted:
		return "sending, and no attempt is open or in doubt"
	case r.LeaseUntil.IsZero() == (r.State == ledger.Sending && isOpen):
		return "lease"
	case r.NotBefore.IsZero() == (r.State == ledger.Queued || r.State == ledger.Sending && isDoubted):
		return "not before"
	case (r.Slot == ledger.Slot{}) == (r.State == ledger.Queued && r.Reason == ledger.ReasonPace):
		return "slot"
	case r.Slot != ledger.Slot{} && !r.Slot.At.Equal(r.NotBefore):
		return "slot is not when the text is due"
	case (r.Reason != "") && slices.Contains([]ledger.State{ledger.Sending, ledger.Sent, ledger.Delivered}, r.State):
		return "reason"
	case r.Reason == "" && slices.Contains([]ledger.State{ledger.Failed, ledger.Uncertain, ledger.Dropped, ledger.Dead}, r.State):
		return "no reason"
	}
	return ""
}

// TestTransitionErrorNamesBothStates says where from and where to.
func TestTransitionErrorNamesBothStates(t *testing.T) {
	err := &ledger.TransitionError{From: "", To: ledger.Dead}
	if want := `ledger: no transition from "" to "dead"`; err.Error() != want {
		t.Errorf("Error() = %q, want %q", err.Error(), want)
	}
	r := in(t, "open")
	_, book := r.Book(ledger.Slot{At: noon.Add(time.Minute), To: hop(0)}, noon)
	_, drop := r.Drop(ledger.ReasonExpired, noon)
	_, giveUp := r.GiveUp(noon)
	_, die := r.Die(ledger.ReasonAttemptsExhausted, noon)
	for to, err := range map[ledger.State]error{ledger.Queued: book, ledger.Dropped: drop, ledger.Failed: giveUp, ledger.Dead: die} {
		var refused *ledger.TransitionError
		if !errors.As(err, &refused) || *refused != (ledger.TransitionError{From: ledger.Sending, To: to}) {
			t.Errorf("error %v, want a TransitionError from sending to %q", err, to)
		}
	}
}
