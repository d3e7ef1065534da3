package telemetry

import (
	"context"
	"sync"
)

// CountColdStart returns handle, with its first call in the process counted as a cold start. function is the function's name.
func CountColdStart[In, Out any](
	function string, emit Emit, handle func(context.Context, In) (Out, error),
) func(context.Context, In) (Out, error) {
	var once sync.Once
	return func(ctx context.Context, in In) (Out, error) {
		once.Do(func() {
			emit(Measurement{Name: MetricColdStart, Unit: Count, Value: 1, Dimension: Dimension{Name: "Function", Value: function}})
		})
		return handle(ctx, in)
	}
}
