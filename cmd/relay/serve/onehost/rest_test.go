package onehost

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestRest: memory is given back a minute after the last text, then every ten minutes, the program's each minute, and not while texts come.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var worked, given, program atomic.Int64
		giveBack := func(_ context.Context, isAll bool) {
			program.Add(1)
			if isAll {
				given.Add(1)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- resting{worked.Load, giveBack}.run(ctx)
		}()
		time.Sleep(time.Second)
		for minute, want := range []int64{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2} {
			time.Sleep(restInterval)
			synctest.Wait()
			if given.Load() != want || program.Load() != int64(minute+1) {
				t.Errorf("given back %d times by %v, want %d; the program %d times", given.Load(), time.Now(), want, program.Load())
			}
		}
		for range 10 {
			worked.Add(1)
			time.Sleep(restInterval)
		}
		synctest.Wait()
		if given.Load() != 2 || program.Load() != 11 {
			t.Errorf("given back %d times while texts came, the program %d times", given.Load()-2, program.Load()-11)
		}
		time.Sleep(restInterval)
		synctest.Wait()
		if given.Load() != 3 {
			t.Errorf("given back %d times, want once a minute after the last text", given.Load()-2)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
