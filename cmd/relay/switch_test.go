package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var switches = flag.Int("upgrade.switches", 0, "how often TestSwitches changes between the last release and this program")

// switchPause makes for fewer texts than those of TestChaos: the time goes by for the relays' starts.
const switchPause = 2 * time.Second

// TestSwitches lets customers text while Twilio's faults are on, and changes between the last release's program and this one, again and
// again on the same folder, mostly after kill -9. In the end every acknowledged text has been sent, once. `make upgrade-test` switches 20
// times.
func TestSwitches(t *testing.T) {
	if *switches == 0 {
		t.Skip("only with -upgrade.switches: make upgrade-test")
	}
	c, random := newChaos(t, fmt.Sprint("TestSwitches -upgrade.switches ", *switches), switchPause, 3*time.Minute)
	programs := [...]string{relaytest.BuildLastRelease(t, "./cmd/relay"), buildRelay(t)}
	c.start(programs[0], "127.0.0.1:0")
	c.address = c.relay.url[len("http://"):]
	c.switchBetween(programs, random)
	c.settle()
	c.check()
	copies, err := sqlite.Copies(filepath.Join(c.data, "relay.db"))
	if err != nil || len(copies) != 1 {
		t.Errorf("copies %v, error %v; want the one of the first upgrade", copies, err)
	}
}

// switchBetween lets the customers text until the last switch is over. After each, the other program runs; now and then it is killed once
// more before the next.
func (c *chaos) switchBetween(programs [2]string, random *rand.Rand) {
	c.t.Helper()
	over := make(chan struct{})
	var customers errgroup.Group
	for i := range chaosCustomers {
		customers.Go(func() error { return c.customer(i, over) })
	}
	stops, back := 0, 0
	for n := range *switches {
		c.wait(random)
		if random.IntN(3) == 0 {
			c.relay.kill()
			c.kills++
			c.start(programs[n%2], c.address)
			c.wait(random)
		}
		if n%4 == 3 {
			c.relay.stop(c.t)
			stops++
		} else {
			c.relay.kill()
			c.kills++
		}
		c.mu.Lock()
		before := len(c.acknowledged)
		c.mu.Unlock()
		c.start(programs[(n+1)%2], c.address)
		if n%2 == 1 {
			back++
		}
		c.t.Logf("switch %d, %d texts acknowledged before", n+1, before)
	}
	c.wait(random)
	close(over)
	if err := customers.Wait(); err != nil {
		c.t.Fatal(err)
	}
	c.t.Logf("%d switches, %d of them back to the last release: %d kills, %d clean stops", *switches, back, c.kills, stops)
}

func (c *chaos) wait(random *rand.Rand) {
	time.Sleep(500*time.Millisecond + time.Duration(random.Int64N(int64(1500*time.Millisecond))))
}
