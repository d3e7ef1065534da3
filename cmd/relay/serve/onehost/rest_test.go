package onehost

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestRest: memory is given back a minute after the last text, then every two minutes, and not while texts come.
func TestRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		worked, given := int64(0), 0
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- resting{func() int64 { return worked }, func(context.Context) { given++ }}.run(ctx)
		}()
		time.Sleep(time.Second)
		for _, want := range []int{1, 1, 2} {
			time.Sleep(restInterval)
			synctest.Wait()
			if given != want {
				t.Errorf("given back %d times by %v, want %d", given, time.Now(), want)
			}
		}
		for range 10 {
			worked++
			time.Sleep(restInterval)
		}
		synctest.Wait()
		if given != 2 {
			t.Errorf("given back %d times while texts came", given-2)
		}
		time.Sleep(restInterval)
		synctest.Wait()
		if given != 3 {
			t.Errorf("given back %d times, want once a minute after the last text", given-2)
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
