//go:build unix

package e2e

import (
	"flag"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
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

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

var (
	update     = flag.Bool("update", false, "rewrite the golden files")
	costsWhole = flag.Bool("costs.whole", false, "count several texts of each path, and want them to take the same, as -update does")
)

// costs is the golden file's form. testing/costs makes docs/cost.md of it.
type costs struct {
	// Paths are what can become of a text, and what else may be asked of the relay.
	Paths []path `json:"paths"`
}

// path is one way, taken by one text at a time.
type path struct {
	Name string `json:"name"`
	// Each is what one text costs: every call, with the resource's logical id. For DynamoDB also the capacity units, for the
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
	// claimNumber keeps who has a customer.
	claimNumber = sms.PhoneNumber("+18585550109")
	// ringNumber texts two phones at once.
	ringNumber = sms.PhoneNumber("+18585550111")
	// holdNumber holds texts until it is opened.
	holdNumber = sms.PhoneNumber("+18585550112")

	// regular is a customer who writes more than once.
	regular = sms.PhoneNumber("+13125550160")
)

// TestCosts counts what one text costs on each path, and compares it with the golden file: the counts exactly, the bytes, in which there
// are times and ids, by a tenth, and the units of the conversations' table by two. One text of each path is enough to see that the golden
// file is right; with -costs.whole and -update several have to take the same. It waits more than it works, so the paths are shared out
// among several stages, which run next to each other and to the other tests.
func TestCosts(t *testing.T) {
	t.Parallel()
	// Without emulators, the subtests would be skipped, and not this test.
	relaytest.Emulator(t, relaytest.EmulatorDynamoDB)
	want := readCosts(t)
	counted := make([][]path, costsStages)
	var withoutReceipts path
	// It ends when all of its subtests have.
	t.Run("of each path", func(t *testing.T) {
		for share := range counted {
			t.Run(fmt.Sprintf("share %d", share), func(t *testing.T) {
				t.Parallel()
				counted[share] = costsOfShare(t, share, want)
			})
		}
		t.Run("without receipts", func(t *testing.T) {
			t.Parallel()
			withoutReceipts = costsWithoutReceipts(t, want)
		})
	})
	if t.Failed() {
		return
	}
	var got costs
	for i := range counted[0] {
		for _, paths := range counted {
			if i < len(paths) {
				got.Paths = append(got.Paths, paths[i])
			}
		}
	}
	got.Paths = append(got.Paths, withoutReceipts)
	checkCosts(t, want, got)
}

// costsStages is among how many stages the paths are shared out, in turn.
const costsStages = 2

// costsOfShare counts on a stage of its own what the texts of one share of the paths cost.
func costsOfShare(t *testing.T, share int, want costs) (paths []path) {
	t.Helper()
	var busy atomic.Bool
	s := newStage(t, map[string]any{"RetryBase": "2s", "MaxAttempts": 3, "ReconcileInterval": "20s", "SenderConcurrency": 4},
		func(c *twiliofake.Config) {
			c.StepDelay, c.FetchMedia, c.Faults = stepDelay, true, costlyFaults(&busy)
		})
	s.putRoute(route.Route{TwilioNumber: number, DestinationCarrier: phone})
	s.putRoute(route.Route{TwilioNumber: cascadeNumber, DestinationCarrier: unreachable, FallbackCarriers: []sms.PhoneNumber{phone}})
	s.putRoute(route.Route{
		TwilioNumber: timedNumber, DestinationCarrier: phone, FallbackCarriers: []sms.PhoneNumber{fallback},
		DeliveryTimeout: route.Duration(10 * time.Second),
	})
	s.putRoute(route.Route{TwilioNumber: brokenNumber, DestinationCarrier: broken})
	s.putRoute(route.Route{TwilioNumber: claimNumber, DestinationCarrier: phone, ClaimTime: route.Duration(4 * time.Hour)})
	s.putRoute(route.Route{
		TwilioNumber: ringNumber, DestinationCarrier: phone, FallbackCarriers: []sms.PhoneNumber{fallback}, Ring: route.RingAll,
	})
	s.acquaint()
	s.closeNumber()
	for i, story := range s.stories(&busy) {
		if i%costsStages == share {
			paths = append(paths, s.counted(story, want))
		}
	}
	return paths
}

// costsWithoutReceipts are those of a text that Twilio is not asked to report on.
func costsWithoutReceipts(t *testing.T, want costs) path {
	t.Helper()
	s := newStage(t, map[string]any{"Receipts": "off", "SenderConcurrency": 4}, nil)
	s.putRoute(route.Route{TwilioNumber: number, DestinationCarrier: phone})
	send := s.words(number, "we are sorry", ledger.Sent)
	return s.counted(story{"sent, without receipts", 2, func(i int) string {
		// The next text comes so soon after this one that the sender may still know the route.
		time.Sleep(route.MaxCacheAge)
		return send(i)
	}}, want)
}

// costlyFaults are the faults of the paths, by the words of the texts.
func costlyFaults(busy *atomic.Bool) twiliofake.Faults {
	var refused sync.Map
	var faults twiliofake.Faults
	faults.BeforeCreate = func(params url.Values) twiliofake.Fault {
		body := params.Get("Body")
		_, again := refused.LoadOrStore(body, true)
		switch {
		case strings.Contains(body, "refused once") && !again:
			return twiliofake.Fault{Status: http.StatusTooManyRequests}
		case sms.PhoneNumber(params.Get("To")) == broken && busy.Load():
			return notScheduled
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

// words plays a text of a customer who wrote before to a number, until it is in its last state.
func (s *stage) words(to sms.PhoneNumber, words string, last ledger.State) func(int) string {
	return func(i int) string {
		sid := s.mustText(regular, to, fmt.Sprintf("The van is %d minutes late, %s", 10+i, words))
		s.await(sid, patience, last)
		return sid
	}
}

// rare is a customer who wrote once before: the ledger does not have many texts of his to compare one with.
func rare(i int) sms.PhoneNumber { return customer(40 + i) }

// acquaint lets these customers write once, and the regular one to the numbers where his first text would be played in vain, since it takes
// more than the next ones.
func (s *stage) acquaint() {
	s.t.Helper()
	var sids []string
	for i := range 11 {
		sids = append(sids, s.mustText(rare(i), number, fmt.Sprintf("The van is %d minutes late, once", 10+i)))
	}
	s.openNumber()
	for i, to := range []sms.PhoneNumber{number, claimNumber, ringNumber, holdNumber} {
		sids = append(sids, s.mustText(regular, to, fmt.Sprintf("The van is %d minutes late, my first text", 30+i)))
	}
	for _, sid := range sids {
		s.await(sid, patience, ledger.Delivered)
	}
	s.rest()
}

// picturing plays a text with a picture, of a customer who wrote before.
func (s *stage) picturing(i int) string {
	file := twiliofake.File{ContentType: "image/jpeg", Content: []byte("\xff\xd8 a van")}
	response, err := s.twilio.SendInbound(s.t.Context(), twiliofake.Inbound{
		From: regular, To: number, Body: fmt.Sprintf("The van is %d minutes late, like this", 10+i), Files: []twiliofake.File{file},
	}, s.webhook())
	if err != nil || !response.Taken {
		s.t.Fatalf("the picture was answered %d, error %v", response.StatusCode, err)
	}
	s.await(response.MessageSid, patience, ledger.Delivered)
	return response.MessageSid
}

// lost plays a text whose answer is lost, and that no receipt settles.
func (s *stage) lost(i int) string {
	sid := s.mustText(rare(i), number, fmt.Sprintf("The van is %d minutes late, answer lost, no receipts", 10+i))
	s.await(sid, patience, ledger.Sent)
	return sid
}

// firstWords plays the first text of a customer.
func (s *stage) firstWords(i int) string {
	sid := s.mustText(customer(i), number, fmt.Sprintf("The van is %d minutes late, my first text", 10+i))
	s.await(sid, patience, ledger.Delivered)
	return sid
}

// counted counts what a text of a path costs.
func (s *stage) counted(story story, want costs) path {
	s.t.Helper()
	began := time.Now()
	defer func() { s.t.Logf("%s: %.0f s", story.name, time.Since(began).Seconds()) }()
	if *costsWhole || *update {
		return s.playOut(story)
	}
	return s.playUntil(story, want.path(story.name))
}

// playUntil plays a path's texts one at a time until one takes what the golden file says, or that in fewer batches. The first of a path
// may find processes cold and a route that is not read yet.
func (s *stage) playUntil(story story, want path) path {
	s.t.Helper()
	var last path
	for i := range 4 {
		if last = s.playOne(story, i).inBatchesOf(want); cmp.Equal(last.Each, want.Each, phonesUnits()) {
			break
		}
		s.t.Logf("%s: text %d took something else:\n%s", story.name, i, cmp.Diff(want.Each, last.Each, phonesUnits()))
	}
	return last
}

// phonesUnits compares the units that the conversations' table takes as far as two apart: they grow with what the phone was sent, which
// depends on the paths that came before.
func phonesUnits() cmp.Option {
	const apart = 2
	return cmp.FilterPath(func(p cmp.Path) bool {
		at, ok := p.Last().(cmp.MapIndex)
		return ok && strings.HasSuffix(at.Key().String(), "units ConversationsTable")
	}, cmp.Comparer(func(a, b float64) bool { return math.Abs(a-b) <= apart }))
}

// playOut plays a path's texts one at a time, the first unseen, until as many of them took the very same as are wanted. Two may
// take something else: on a slow machine changes share a batch that would have come one by one.
func (s *stage) playOut(story story) path {
	s.t.Helper()
	story.play(0)
	s.rest()
	alike := map[string][]path{}
	for i := range story.texts + 2 {
		one := s.playOne(story, i+1)
		text := fmt.Sprint(one.Each)
		if alike[text] = append(alike[text], one); len(alike[text]) == story.texts {
			return meanOf(alike[text])
		}
	}
	s.t.Errorf("%s: no %d texts took the same:\n%s", story.name, story.texts, strings.Join(slices.Collect(maps.Keys(alike)), "\n"))
	return path{Name: story.name}
}

// playOne plays one text.
func (s *stage) playOne(story story, i int) path {
	s.t.Helper()
	before := s.sums()
	sid := story.play(i)
	s.rest()
	one := path{Name: story.name, Each: map[string]float64{}, Bytes: map[string]float64{}}
	for what, n := range s.sums() {
		sums := one.Each
		if strings.Contains(what, "bytes") {
			sums = one.Bytes
		}
		if n -= before[what]; n > 0 {
			sums[what] = n
		}
	}
	if sid != "" {
		one.Bytes["audit bytes"], one.Bytes["record bytes"] = float64(s.auditBytes(sid)), float64(s.recordBytes(sid))
	}
	return one
}

// meanOf is a path of several that took the same: only the bytes differ.
func meanOf(paths []path) path {
	mean := path{Name: paths[0].Name, Each: paths[0].Each, Bytes: map[string]float64{}}
	for what := range paths[0].Bytes {
		for _, p := range paths {
			mean.Bytes[what] += p.Bytes[what] / float64(len(paths))
		}
		mean.Bytes[what] = math.Round(mean.Bytes[what])
	}
	return mean
}

// sums are the tally's, the functions' invocations, and the segments and the messages with pictures that Twilio bills, without what is
// beside the paths.
func (s *stage) sums() map[string]float64 {
	sums, _ := s.tally.now()
	for _, id := range []string{"IngestFunction", "SenderFunction", "StreamAuditFunction", "OperatorFunction", "MediaFunction"} {
		sums["invocations "+id] = float64(s.host.Function(id).Statistics().Invocations)
	}
	for _, m := range s.twilio.Messages() {
		if len(m.MediaURLs) > 0 {
			sums["twilio pictures "+string(m.Direction)]++
			continue
		}
		sums["twilio segments "+string(m.Direction)] += float64(m.NumSegments)
	}
	for what, n := range s.beside {
		sums[what] -= n
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
	names := []sqstypes.QueueAttributeName{
		"ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible",
		"ApproximateNumberOfMessagesDelayed",
	}
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
