package onehost

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestRest: memory is given back a minute after the last text, then every three minutes, and not while texts come.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var worked, given atomic.Int64
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- resting{worked.Load, func(context.Context) { given.Add(1) }}.run(ctx)
		}()
		time.Sleep(time.Second)
		for _, want := range []int64{1, 1, 1, 2} {
			time.Sleep(restInterval)
			synctest.Wait()
			if given.Load() != want {
				t.Errorf("given back %d times by %v, want %d", given.Load(), time.Now(), want)
			}
		}
		for range 10 {
			worked.Add(1)
			time.Sleep(restInterval)
		}
		synctest.Wait()
		if given.Load() != 2 {
			t.Errorf("given back %d times while texts came", given.Load()-2)
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
