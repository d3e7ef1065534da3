package delivery_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/shared/ledger"
)

// Texts of many customers go to one phone at the same time: each is noted by one write, and none overtakes another.
func TestTextsToOnePhoneTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSender(t)
		var puts, gets atomic.Int32
		s.faults.hook = func(op string) error {
			switch op {
			case "conversations before PutPhone":
				puts.Add(1)
				time.Sleep(10 * time.Millisecond)
			case "conversations before GetPhone":
				gets.Add(1)
			}
			return nil
		}
		for n := 1; n <= 8; n++ {
			s.queueUp(textOf(n, by(n)))
		}
		s.checkBack(0)
		for n := 1; n <= 8; n++ {
			s.checkState(n, ledger.Sent, "")
		}
		if puts.Load() != 8 || gets.Load() != 0 {
			t.Errorf("%d writes and %d reads of the phone, want 8 and none", puts.Load(), gets.Load())
		}
	})
}
