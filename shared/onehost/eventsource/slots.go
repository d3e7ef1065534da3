package eventsource

import (
	"context"

	"quickdumpnow.com/smsrelay/shared/queue"
)

// slots are free places to work at; each token is one.
type slots chan struct{}

func newSlots(n int) slots {
	s := make(slots, n)
	s.give(n)
	return s
}

// take waits for a free slot and takes up to most free ones; none if ctx ends first.
func (s slots) take(ctx context.Context, most int) (taken int) {
	select {
	case <-s:
		taken = 1
	case <-ctx.Done():
		return 0
	}
	for ; taken < most; taken++ {
		select {
		case <-s:
		default:
			return taken
		}
	}
	return taken
}

// give frees so many of them.
func (s slots) give(n int) {
	for range n {
		s <- struct{}{}
	}
}

// byGroup splits a batch by its groups, keeping the order inside each. A message without a group is one of its own.
func byGroup(deliveries []queue.Delivery) [][]queue.Delivery {
	var groups [][]queue.Delivery
	index := map[string]int{}
	for _, d := range deliveries {
		i, ok := index[d.Group]
		if !ok || d.Group == "" {
			i = len(groups)
			index[d.Group] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], d)
	}
	return groups
}
