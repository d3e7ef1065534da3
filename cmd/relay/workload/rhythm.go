package workload

import (
	"math"
	"time"
)

// rhythm is how the texts of a day are spread over its hours.
type rhythm struct {
	// until is, for each hour, which part of the day's texts has come by its end.
	until [24]float64
}

// newRhythm returns the rhythm of a business: quiet for the first half of its day, busy in the second.
func newRhythm() rhythm {
	perHour := [24]float64{5, 4, 3, 2, 1, 1, 1, 1, 1, 1, 1, 2, 4, 6, 8, 9, 9, 9, 8, 8, 8, 8, 7, 6}
	var r rhythm
	var sum float64
	for hour, texts := range perHour {
		sum += texts
		r.until[hour] = sum
	}
	for hour := range r.until {
		r.until[hour] /= sum
	}
	return r
}

// at returns how long after the day's beginning that part of its texts has come.
func (r rhythm) at(part float64) time.Duration {
	var before float64
	for hour, until := range r.until {
		if part < until {
			within := (part - before) / (until - before)
			return time.Duration((float64(hour) + within) * float64(time.Hour))
		}
		before = until
	}
	return 24 * time.Hour
}

// split returns the whole days in a number of days, and which part of the next one is left.
func split(days float64) (whole int, part float64) {
	floor := math.Floor(days)
	return int(floor), days - floor
}
