package sqlite

import (
	"testing"
	"testing/synctest"
	"time"

	"quickdumpnow.com/smsrelay/shared/queue"
)

// arrival is what a waiting receiver got, and when.
type arrival struct {
	deliveries []queue.Delivery
	err        error
	at         time.Time
}

// await receives one message in the background, and returns when the receiver waits.
func await(t *testing.T, q *Queue) <-chan arrival {
	t.Helper()
	arrived := make(chan arrival, 1)
	go func() {
		got, err := q.Receive(t.Context(), 1, time.Hour, time.Minute)
		arrived <- arrival{got, err, time.Now()}
	}()
	synctest.Wait()
	return arrived
}

// check fails unless body alone arrived at the given time.
func (a arrival) check(t *testing.T, body string, at time.Time) queue.Delivery {
	t.Helper()
	if a.err != nil || len(a.deliveries) != 1 || a.deliveries[0].Body != body {
		t.Fatalf("received %v, error %v; want %s alone", a.deliveries, a.err, body)
	}
	if !a.at.Equal(at) {
		t.Errorf("received %s after the moment (before it, if negative)", a.at.Sub(at))
	}
	return a.deliveries[0]
}

// moment is a message, a1, that shows some time after a receiver has begun to wait.
type moment struct {
	name   string
	config QueueConfig
	// before is sent before the wait begins; the first of it is received for so long as held says.
	before []queue.Outgoing
	held   time.Duration
	// meanwhile happens during the wait.
	meanwhile func(t *testing.T, q *Queue, held []queue.Delivery)
	after     time.Duration
}

func moments() []moment {
	return []moment{
		{name: "visibility that ends", before: []queue.Outgoing{short("a", "a1")}, held: 30 * time.Second, after: 30 * time.Second},
		{
			name: "delay that ends", config: QueueConfig{Standard: true},
			before: []queue.Outgoing{{Body: "a1", Delay: 15 * time.Minute}}, after: 15 * time.Minute,
		},
		{
			name: "visibility that is cut short", before: []queue.Outgoing{short("a", "a1")}, held: time.Hour, after: 15 * time.Second,
			meanwhile: func(t *testing.T, q *Queue, held []queue.Delivery) {
				t.Helper()
				time.Sleep(10 * time.Second)
				hide(t, q, held[0], 5*time.Second)
			},
		},
		{
			name: "visibility that is prolonged", before: []queue.Outgoing{short("a", "a1")}, held: 10 * time.Second, after: 29 * time.Second,
			meanwhile: func(t *testing.T, q *Queue, held []queue.Delivery) {
				t.Helper()
				time.Sleep(9 * time.Second)
				hide(t, q, held[0], 20*time.Second)
			},
		},
		{
			name: "group that is freed", before: []queue.Outgoing{short("a", "a0"), short("a", "a1")}, held: time.Hour, after: 7 * time.Second,
			meanwhile: func(t *testing.T, q *Queue, held []queue.Delivery) {
				t.Helper()
				time.Sleep(7 * time.Second)
				remove(t, q, held...)
			},
		},
		{
			name: "message that is sent", after: 3 * time.Second,
			meanwhile: func(t *testing.T, q *Queue, _ []queue.Delivery) {
				t.Helper()
				time.Sleep(3 * time.Second)
				send(t, q, short("a", "a1"))
			},
		},
	}
}

// A receiver that waits gets the message at the very moment at which it may, and not before.
func TestReceiveWaitsForTheMoment(t *testing.T) {
	for _, tt := range moments() {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, tt.config, func(t *testing.T, q *Queue) {
				t.Helper()
				send(t, q, tt.before...)
				var held []queue.Delivery
				if tt.held > 0 {
					held = receive(t, q, 1, 0, tt.held, tt.before[0].Body)
				}
				start := time.Now()
				arrived := await(t, q)
				if tt.meanwhile != nil {
					tt.meanwhile(t, q, held)
				}
				(<-arrived).check(t, "a1", start.Add(tt.after))
			})
		})
	}
}

func TestReceiveWaitsNoLongerThanItWasTold(t *testing.T) {
	inBubble(t, QueueConfig{}, func(t *testing.T, q *Queue) {
		t.Helper()
		send(t, q, short("a", "a1"))
		receive(t, q, 1, 0, time.Hour, "a1")
		start := time.Now()
		receive(t, q, 1, 20*time.Second, time.Minute)
		if waited := time.Since(start); waited != 20*time.Second {
			t.Errorf("waited %v, want 20 s", waited)
		}
	})
}

// While nothing happens, a receiver that waits does nothing either.
func TestWaitingIsNotPolling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		looks := 0
		db := openAt(t, t.TempDir()+"/relay.db", func() time.Time {
			looks++
			return time.Now()
		})
		q := db.Queue("main", QueueConfig{})
		send(t, q, short("a", "a1"))
		receive(t, q, 1, 0, 10*time.Minute, "a1")
		looks = 0
		receive(t, q, 1, time.Hour, time.Minute, "a1")
		if looks > 4 {
			t.Errorf("the clock was read %d times in ten minutes of waiting", looks)
		}
	})
}
