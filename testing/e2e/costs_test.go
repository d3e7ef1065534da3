//go:build unix

package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/sqs"
	sqstypes "github.com/aws/aws-sdk-go-v2/service/sqs/types"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twiliofake"
)

var update = flag.Bool("update", false, "write the golden files anew")

// costs is the golden file's form. testing/costs makes docs/cost.md of it.
type costs struct {
	// Paths are what can become of a text, and what else may be asked of the relay.
	Paths []path `json:"paths"`
	// Metrics are those that the functions emitted on the way, each as CloudWatch bills it.
	Metrics []string `json:"metrics"`
}

// path is one way, taken by one text at a time.
type path struct {
	Name string `json:"name"`
	// Each is what one text takes: every call, with the resource's logical id. Of DynamoDB also the capacity units, of the
	// functions the invocations.
	Each map[string]float64 `json:"each"`
	// Bytes are means: of the lines that each function logs, of the audit log's entries, of the ledger's record.
	Bytes map[string]float64 `json:"bytes"`
}

// story plays one text of a path and waits for its end. It returns the text's sid, if there is one.
type story struct {
	name  string
	texts int
	play  func(i int) (sid string)
}

// stepDelay is how far apart the fake Twilio's receipts are: further than a stream's batching window, so that each
// change makes a batch of its own. That is the most that one text costs: under load, texts share receives, deletes and batches.
const stepDelay = 2 * time.Second

// The numbers of the paths that need a route of their own.
const (
	timedNumber    = sms.PhoneNumber("+18585550105")
	unroutedNumber = sms.PhoneNumber("+18585550199")
)

// TestCosts counts what one text takes on each path, and holds it against the golden file: the counts exactly, the bytes, in
// which there are times and ids, by a tenth.
func TestCosts(t *testing.T) {
	var busy atomic.Bool
	s := newStage(t, map[string]any{"RetryBase": "2s", "MaxAttempts": 3, "ReconcileInterval": "10s", "SenderConcurrency": 4}, func(c *twiliofake.Config) {
		c.StepDelay, c.Faults = stepDelay, costlyFaults(&busy)
	})
	s.putRoute(route.Route{TwilioNumber: number, DestinationCarrier: phone})
	s.putRoute(route.Route{TwilioNumber: cascadeNumber, DestinationCarrier: unreachable, FallbackCarriers: []sms.PhoneNumber{phone}})
	s.putRoute(route.Route{TwilioNumber: timedNumber, DestinationCarrier: phone, FallbackCarriers: []sms.PhoneNumber{fallback}, DeliveryTimeout: route.Duration(10 * time.Second)})
	s.putRoute(route.Route{TwilioNumber: brokenNumber, DestinationCarrier: broken})
	var got costs
	for _, story := range s.stories(&busy) {
		got.Paths = append(got.Paths, s.count1(story))
	}
	got.Metrics = s.lines.metrics()
	checkCosts(t, got)
}

// costlyFaults are the faults of the paths, by the words of the texts.
func costlyFaults(busy *atomic.Bool) twiliofake.Faults {
	var refused sync.Map
	var faults twiliofake.Faults
	faults.BeforeCreate = func(params url.Values) twiliofake.Fault {
		body := params.Get("Body")
		_, again := refused.LoadOrStore(body, true)
		switch {
		case strings.Contains(body, "refused once") && !again, sms.PhoneNumber(params.Get("To")) == broken && busy.Load():
			return twiliofake.Fault{Status: http.StatusTooManyRequests}
		case strings.Contains(body, "answer lost") && !again:
			return twiliofake.Fault{DropConnection: true, OnceTaken: true}
		default:
			return twiliofake.Fault{}
		}
	}
	faults.BeforeCallback = func(m twiliofake.Message) twiliofake.CallbackFault {
		return twiliofake.CallbackFault{Drop: strings.Contains(m.Body, "no receipts")}
	}
	return faults
}

// stories are the paths. Each text has words of its own.
func (s *stage) stories(busy *atomic.Bool) []story {
	text := func(to sms.PhoneNumber, words string, last ledger.State) func(int) string {
		return func(i int) string {
			sid := s.mustText(customer(i), to, fmt.Sprintf("The van is %d minutes late, %s", 10+i, words))
			s.await(sid, patience, last)
			return sid
		}
	}
	return []story{
		{"delivered", 5, text(number, "we are sorry", ledger.Delivered)},
		{"delivered, with a delivery timeout", 3, text(timedNumber, "we are sorry", ledger.Delivered)},
		{"cascade to the fallback phone", 3, text(cascadeNumber, "we are sorry", ledger.Delivered)},
		{"refused once with 429", 3, text(number, "refused once", ledger.Delivered)},
		{"answer lost, settled by receipts", 3, text(number, "answer lost", ledger.Delivered)},
		{"answer lost, settled by Twilio's list", 3, text(number, "answer lost, no receipts", ledger.Sent)},
		{"dropped, no route", 3, text(unroutedNumber, "we are sorry", ledger.Dropped)},
		{"given up after 3 attempts, redriven, delivered", 2, s.dying(busy)},
		{"the same webhook again", 3, s.doubled},
		{"wrong signature", 3, s.forged},
		{"health check", 3, func(int) string { s.door(http.MethodGet, "/sms/health"); return "" }},
		{"an operator's text, delivered", 3, s.written},
		{"an operator's look at a text", 3, s.looked},
		{"an operator's list of 25 texts", 3, s.listed},
		{"start of one process of ingest, sender and stream-audit", 2, s.recycled},
	}
}

// count1 plays a path's texts one at a time, the first unseen, and wants each to take the same.
func (s *stage) count1(story story) path {
	s.t.Helper()
	story.play(0)
	s.rest()
	counted := path{Name: story.name, Bytes: map[string]float64{}}
	for i := range story.texts {
		before := s.sums()
		sid := story.play(i + 1)
		s.rest()
		each := map[string]float64{}
		for what, n := range s.sums() {
			if n -= before[what]; n == 0 {
				continue
			}
			if strings.Contains(what, "bytes") {
				counted.Bytes[what] += n / float64(story.texts)
			} else {
				each[what] = n
			}
		}
		if sid != "" {
			counted.Bytes["audit bytes"] += float64(s.auditBytes(sid)) / float64(story.texts)
			counted.Bytes["record bytes"] += float64(s.recordBytes(sid)) / float64(story.texts)
		}
		if counted.Each == nil {
			counted.Each = each
		}
		if diff := cmp.Diff(counted.Each, each); diff != "" {
			s.t.Errorf("%s: text %d took something else than the first:\n%s", story.name, i+1, diff)
		}
	}
	for what, n := range counted.Bytes {
		counted.Bytes[what] = math.Round(n)
	}
	return counted
}

// sums are the tally's, and the functions' invocations.
func (s *stage) sums() map[string]float64 {
	sums, _ := s.tally.now()
	for _, id := range []string{"IngestFunction", "SenderFunction", "StreamAuditFunction", "OperatorFunction"} {
		sums["invocations "+id] = float64(s.host.Function(id).Statistics().Invocations)
	}
	return sums
}

// rest waits until nothing is on the queues and nothing was done for longer than a stream's batch is waited for.
func (s *stage) rest() {
	s.t.Helper()
	const quiet = 1800 * time.Millisecond
	_, last := s.tally.now()
	since := time.Now()
	s.until("the stack is at rest", 2*patience, func() bool {
		if _, changes := s.tally.now(); changes != last || s.depth("Queue")+s.depth("TimerQueue") > 0 {
			last, since = changes, time.Now()
		}
		return time.Since(since) > quiet
	})
}

// depth is how many messages a queue has, in flight and delayed ones, too.
func (s *stage) depth(id string) int {
	s.t.Helper()
	names := []sqstypes.QueueAttributeName{"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"}
	out, err := sdk.NewFromConfig(s.host.Direct("sqs")).GetQueueAttributes(s.t.Context(), &sdk.GetQueueAttributesInput{
		QueueUrl: aws.String(s.host.Name(id)), AttributeNames: names,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	sum := 0
	for _, name := range names {
		n := 0
		_, _ = fmt.Sscan(out.Attributes[string(name)], &n)
		sum += n
	}
	return sum
}

const costsFile = "testdata/costs.json"

// checkCosts holds the costs against the golden file.
func checkCosts(t *testing.T, got costs) {
	t.Helper()
	if *update && !t.Failed() {
		text, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Dir(costsFile), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(costsFile, append(text, '\n'), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	text, err := os.ReadFile(costsFile)
	if err != nil {
		t.Fatal(err)
	}
	var want costs
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	byATenth := cmp.FilterPath(func(p cmp.Path) bool { return strings.Contains(p.GoString(), ".Bytes") }, cmp.Comparer(func(a, b float64) bool {
		return math.Abs(a-b) <= 0.1*math.Max(a, b)
	}))
	if diff := cmp.Diff(want, got, byATenth); diff != "" {
		t.Errorf("what a text takes (-golden +now; -update writes it anew):\n%s", diff)
	}
}

// metrics returns the metrics that were emitted so far, as CloudWatch bills them: each name with each set of dimensions.
func (l *lines) metrics() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := map[string]bool{}
	for _, printed := range l.all {
		for _, line := range printed {
			for _, name := range billed(line) {
				found[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}
