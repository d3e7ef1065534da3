package telemetry

import (
	"context"
	"sync"
)

// CountColdStart returns handle, with its first call in the process counted as a cold start. function is the function's name. The count is
// written while the call waits for others, so that the first answer does not wait for it, and is there when the call returns.
func CountColdStart[In, Out any](
	function string, emit Emit, handle func(context.Context, In) (Out, error),
) func(context.Context, In) (Out, error) {
	var once sync.Once
	return func(ctx context.Context, in In) (Out, error) {
		var counting sync.WaitGroup
		once.Do(func() {
			counting.Go(func() {
				emit(Measurement{Name: MetricColdStart, Unit: Count, Value: 1, Dimension: Dimension{Name: "Function", Value: function}})
			})
		})
		defer counting.Wait()
		return handle(ctx, in)
	}
}
