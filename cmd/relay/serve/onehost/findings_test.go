package onehost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/notify"
	"quickdumpnow.com/smsrelay/shared/queue"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/telemetry"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// openedFindings are those of a relay that does not run, on a clock of the test's own.
func openedFindings(t *testing.T) (r *Relay, clock *relaytest.Clock) {
	t.Helper()
	r = watchedRelay(t)
	clock = relaytest.NewClock(time.Now())
	r.findings.now = clock.Now
	return r, clock
}

// roomyDisk is a disk with room, whatever this machine's is like.
func roomyDisk(string) (free, total uint64, err error) { return 1 << 40, 1 << 40, nil }

// of returns how it stands with a kind; ok is false if that is not known.
func (f *findings) of(ctx context.Context, kind string) (one notify.Finding, ok bool) {
	for _, found := range f.all(ctx) {
		if found.Kind == kind {
			one, ok = found, true
		}
	}
	return one, ok
}

func wantFinding(t *testing.T, r *Relay, when, kind string, count int, says ...string) {
	t.Helper()
	found, ok := r.findings.of(t.Context(), kind)
	if !ok || found.Count != count {
		t.Errorf("%s: %s is %d (known: %v), want %d", when, kind, found.Count, ok, count)
	}
	for _, words := range says {
		if !strings.Contains(found.Title+"\n"+found.Text, words) {
			t.Errorf("%s: %q, %q does not say %q", when, found.Title, found.Text, words)
		}
	}
}

// put stores a text in a state.
func put(t *testing.T, r *Relay, n int, state ledger.State, reason ledger.Reason) ledger.Record {
	t.Helper()
	record := relaytest.Record(n, time.Now().Add(-time.Minute))
	record.State, record.Reason, record.Body = state, reason, "Where are you?"
	stored, err := r.db.Ledger().Create(t.Context(), record)
	if err != nil {
		t.Fatal(err)
	}
	return stored
}

func TestFindingsOfTexts(t *testing.T) {
	r, clock := openedFindings(t)
	for _, kind := range []string{kindDead, kindUncertain, kindUnanswered, kindReachedNobody, kindHalted, problemAccount, problemMoved} {
		wantFinding(t, r, "all is well", kind, 0)
	}

	uncertain := put(t, r, 1, ledger.Uncertain, ledger.ReasonAmbiguous)
	wantFinding(t, r, "an uncertain text", kindUncertain, 1, "(uncertain: 1)", "relay uncertain ls", uncertain.MessageSid, ", ambiguous",
		"docs/runbook.md, uncertain.", uncertain.Customer.Mask())
	found, _ := r.findings.of(t.Context(), kindUncertain)
	if strings.Contains(found.Text, string(uncertain.Customer)) || strings.Contains(found.Text, uncertain.Body) {
		t.Errorf("a notice shows what a customer wrote, or a number: %q", found.Text)
	}
	r.findings.show = ShowNumbers
	wantFinding(t, r, "with numbers", kindUncertain, 1, "from "+string(uncertain.Customer)+" to "+string(uncertain.TwilioNumber))
	r.findings.show = ShowWords
	wantFinding(t, r, "with words", kindUncertain, 1, string(uncertain.Customer), ": Where are you?")
	r.findings.show = ""

	message := relaytest.Message(2)
	letter, err := queue.Envelope{
		Version: queue.Version, Kind: queue.KindInbound, RelayID: message.Sid, ReceivedAt: time.Now(), Message: &message,
	}.Outgoing()
	if err == nil {
		err = r.findings.dead[0].Send(t.Context(), letter)
	}
	if err != nil {
		t.Fatal(err)
	}
	wantFinding(t, r, "a dead letter", kindDead, 1, "dead letters: 1", "relay dlq ls")

	// What needs many reads is looked at when something happened, and at most each minute.
	put(t, r, 3, ledger.Failed, ledger.ReasonRefused)
	put(t, r, 4, ledger.Dropped, ledger.ReasonKeyword)
	clock.Advance(scanInterval)
	wantFinding(t, r, "nobody has said so", kindReachedNobody, 0)
	r.findings.saw(telemetry.Measurement{Name: telemetry.MetricReachedNobody, Value: 1})
	wantFinding(t, r, "a text reached nobody", kindReachedNobody, 1, "relay resend", ", refused")
	put(t, r, 5, ledger.Failed, ledger.ReasonRefused)
	wantFinding(t, r, "another one, at once", kindReachedNobody, 1)
	clock.Advance(scanInterval)
	wantFinding(t, r, "a minute later", kindReachedNobody, 2)
	clock.Advance(lostFor)
	wantFinding(t, r, "a day later", kindReachedNobody, 0)
}

func TestFindingOfUnanswered(t *testing.T) {
	r, clock := openedFindings(t)
	waiting := conversation.Conversation{TwilioNumber: "+18585550100", Customer: "+13125550147"}
	way := route.Route{
		TwilioNumber: waiting.TwilioNumber, DestinationCarrier: "+16195550123", Active: true, AnswerTimeout: 5 * route.Duration(time.Minute),
	}
	if _, err := r.db.Routes().Put(t.Context(), way); err != nil {
		t.Fatal(err)
	}
	waiting.Spell = conversation.Spell{MessageSid: "SM1", BeganAt: time.Now(), NewestAt: time.Now(), UnansweredAt: time.Now()}
	if !waiting.IsUnanswered() {
		t.Fatal("the customer does not wait")
	}
	if _, err := r.db.Conversations().Put(t.Context(), waiting); err != nil {
		t.Fatal(err)
	}
	clock.Advance(scanInterval)
	r.findings.saw(telemetry.Measurement{Name: telemetry.MetricUnanswered, Value: 1})
	wantFinding(t, r, "a customer waits", kindUnanswered, 1, waiting.Customer.Mask(), "relay conversation ls")
}

func TestFindingsOfTheRelay(t *testing.T) {
	r, clock := openedFindings(t)
	if _, known := r.findings.of(t.Context(), kindClock); known {
		t.Error("Twilio has not said what time it is, and the clock is judged")
	}
	for _, tt := range []struct {
		skew time.Duration
		want int
	}{{0, 0}, {59 * time.Second, 0}, {time.Minute, 1}, {-2 * time.Minute, 1}} {
		r.findings.clock(clock.Now(), clock.Now().Add(tt.skew))
		wantFinding(t, r, fmt.Sprintf("%s off", tt.skew), kindClock, tt.want)
	}
	r.findings.clock(time.Time{}, clock.Now())
	wantFinding(t, r, "an answer without a date", kindClock, 1)

	r.findings.saw(telemetry.Measurement{Name: telemetry.MetricHalted, Value: 1})
	wantFinding(t, r, "a text was held back", kindHalted, 1, "Twilio refuses the account")
	clock.Advance(haltProbe)
	wantFinding(t, r, "and none since", kindHalted, 0)

	r.problems.setAccount("the Twilio account is suspended: no text is sent")
	wantFinding(t, r, "the account is refused", problemAccount, 1, "The Twilio account is suspended: no text is sent.",
		"docs/runbook.md, account.")
	r.findings.found = func() []problem { return []problem{{problemBackup, "the last backup is two days old"}} }
	wantFinding(t, r, "backups are late", problemBackup, 1, "The last backup is two days old.", "docs/runbook.md, backup.")
}

func TestFindingOfTheDisk(t *testing.T) {
	r, _ := openedFindings(t)
	const giga = 1 << 30
	for _, tt := range []struct {
		free uint64
		want int
		says string
	}{
		{50 * giga, 0, ""},
		{5 * giga, 1, "the disk of the data folder is low\n5120 MB of 102400 MB are free."},
		{giga, 2, "the disk of the data folder is almost full\n1024 MB of 102400 MB are free."},
	} {
		r.findings.space = func(folder string) (free, total uint64, err error) {
			if folder != r.config.Data {
				t.Errorf("the disk of %s was looked at", folder)
			}
			return tt.free, 100 * giga, nil
		}
		wantFinding(t, r, fmt.Sprintf("%d bytes free", tt.free), kindDisk, tt.want, tt.says)
	}
	r.findings.space = func(string) (free, total uint64, err error) { return 0, 0, errors.New("no such folder") }
	if _, known := r.findings.of(t.Context(), kindDisk); known {
		t.Error("nobody knows how full the disk is, and it is judged")
	}
}

func TestFullness(t *testing.T) {
	const mega, giga = 1 << 20, 1 << 30
	for _, tt := range []struct {
		free, total uint64
		want        int
	}{
		{100 * mega, 100 * giga, 2},
		{giga, 100 * giga, 2},
		{5 * giga, 100 * giga, 1},
		{50 * giga, 100 * giga, 0},
		{900 * mega, 2 * giga, 1},
		{100 * mega, 150 * mega, 2},
		{1100 * mega, 2 * giga, 0},
	} {
		if got := fullness(tt.free, tt.total); got != tt.want {
			t.Errorf("%d of %d bytes free: %d, want %d", tt.free, tt.total, got, tt.want)
		}
	}
}

// TestPeopleAreTold has a relay run, and tells of an uncertain text once, over a restart.
func TestPeopleAreTold(t *testing.T) {
	var mu sync.Mutex
	var heard []string
	host := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, got *http.Request) {
		body, _ := io.ReadAll(got.Body)
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, string(body))
	}))
	t.Cleanup(host.Close)
	config := quietConfig(t.TempDir())
	var err error
	if config.Notify, err = notify.Parse("generic+" + host.URL + "/s3cret"); err != nil {
		t.Fatal(err)
	}
	told := func() error {
		mu.Lock()
		defer mu.Unlock()
		if len(heard) != 1 || !strings.Contains(heard[0], "SMS relay 127.0.0.1: nobody knows whether texts were sent (uncertain: 1)") {
			return fmt.Errorf("people were told %q", heard)
		}
		return nil
	}
	for _, taken := range []float64{1, 0} {
		first, err := Open(t.Context(), config)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := first.db.Ledger().Get(t.Context(), relaytest.Record(1, time.Now()).MessageSid); err != nil {
			put(t, first, 1, ledger.Uncertain, ledger.ReasonAmbiguous)
		}
		looked := make(chan struct{}, 1)
		first.findings.found = func() []problem {
			select {
			case looked <- struct{}{}:
			default:
			}
			return nil
		}
		first.findings.space = roomyDisk
		ctx, cancel := context.WithCancel(t.Context())
		ran := make(chan error, 1)
		go func() { ran <- first.Run(ctx) }()
		<-looked
		eventually(t, told)
		eventually(t, func() error {
			if got := scrape(t, first.metrics).values[`smsrelay_notifications_total{result="taken"}`]; got != taken {
				return fmt.Errorf("%v notices were taken, want %v", got, taken)
			}
			return nil
		})
		cancel()
		if err := errors.Join(<-ran, first.Close()); err != nil {
			t.Error(err)
		}
	}
	if err := told(); err != nil {
		t.Error(err)
	}
}
