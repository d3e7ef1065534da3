package model

import "time"

// use is how much of a resource was asked for, and how much there is.
type use struct {
	name string
	// capacity is in units a second, or in servers.
	capacity float64
	// offered is what was asked for since the measuring began, in units or in server seconds.
	offered float64
	since   time.Duration
}

// restart begins to measure.
func (u *use) restart(now time.Duration) { u.offered, u.since = 0, now }

// share is how much of the capacity was asked for: more than 1 is more than there is.
func (u *use) share(now time.Duration) float64 {
	if u.capacity == 0 || now <= u.since {
		return 0
	}
	return u.offered / u.capacity / (now - u.since).Seconds()
}

// station is some servers side by side and one line in front of them.
type station struct {
	use

	agenda  *agenda
	free    int
	line    []*process
	busy    int
	changed time.Duration
	// started is when the measuring began; area is the line's length over time.
	area float64
}

func newStation(a *agenda, name string, servers int) *station {
	return &station{use: use{name: name, capacity: float64(servers)}, agenda: a, free: servers}
}

// take waits for a server.
func (s *station) take(p *process) {
	if s.free > 0 && len(s.line) == 0 {
		s.count(1)
		s.free--
		return
	}
	s.count(0)
	s.line = append(s.line, p)
	p.wait()
}

// tryTake takes a server if one is free.
func (s *station) tryTake() bool {
	if s.free == 0 {
		return false
	}
	s.count(1)
	s.free--
	return true
}

// give hands the server to the next in line.
func (s *station) give() {
	if len(s.line) == 0 {
		s.count(-1)
		s.free++
		return
	}
	s.count(0)
	next := s.line[0]
	s.line = s.line[1:]
	s.agenda.after(0, next.wake)
}

// serve holds a server for so long.
func (s *station) serve(p *process, d time.Duration) {
	s.take(p)
	p.sleep(d)
	s.give()
}

// count brings what was measured up to now.
func (s *station) count(change int) {
	d := (s.agenda.now - s.changed).Seconds()
	s.offered += float64(s.busy) * d
	s.area += float64(len(s.line)) * d
	s.busy, s.changed = s.busy+change, s.agenda.now
}

func (s *station) restart(now time.Duration) {
	s.count(0)
	s.use.restart(now)
	s.area = 0
}

// flow lets through so many units a second, one after the other.
type flow struct {
	use

	freeAt time.Duration
}

func newFlow(name string, perSecond float64) *flow {
	return &flow{use: use{name: name, capacity: perSecond}}
}

// ask returns how long so many units have to wait. If that is longer than most, they are refused, and take nothing.
func (f *flow) ask(now time.Duration, units float64, most time.Duration) (wait time.Duration, ok bool) {
	f.offered += units
	wait = max(0, f.freeAt-now)
	if wait > most {
		return 0, false
	}
	f.freeAt = now + wait + time.Duration(units/f.capacity*float64(time.Second))
	return wait, true
}

// bucket is a throttle of API Gateway: so many requests a second, and so many at once before that counts.
type bucket struct {
	use

	burst, left float64
	at          time.Duration
}

func newBucket(name string, rate, burst float64) *bucket {
	return &bucket{use: use{name: name, capacity: rate}, burst: burst, left: burst}
}

// allow takes one request, or refuses it.
func (b *bucket) allow(now time.Duration) bool {
	b.offered++
	b.left = min(b.burst, b.left+b.capacity*(now-b.at).Seconds())
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
