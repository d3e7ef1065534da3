package onehost

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/cli"
	"quickdumpnow.com/smsrelay/cmd/relay/datafolder"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/duration"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/onehost/notify"
	"quickdumpnow.com/smsrelay/shared/onehost/sqlite"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/telemetry"
)

// notifyInterval is how often the relay looks whether people have to be told something.
const notifyInterval = 10 * time.Second

const (
	// haltProbe is the longest time between two signs that sending is halted.
	haltProbe = 10 * time.Minute
	// scanInterval is the least time between two looks that read many texts or conversations.
	scanInterval = time.Minute
	// lostFor is how far back texts that reached nobody are counted, maxLost how many of a state at most.
	lostFor = 24 * time.Hour
	maxLost = 1000
	// shownTexts is how many texts a notice names.
	shownTexts = 5
	// skewFails is how wrong the clock may be.
	skewFails = time.Minute
)

// The kinds of what people are told, beside those of the health check's problems.
const (
	kindDead          = "dead"
	kindUncertain     = "uncertain"
	kindUnanswered    = "unanswered"
	kindReachedNobody = "reached_nobody"
	kindHalted        = "halted"
	kindDisk          = "disk"
	kindClock         = "clock"
)

// Show says what notices show of texts.
type Show string

// What notices show of texts: masked numbers, numbers in full, or what customers wrote, too.
const (
	ShowMasked  Show = "masked"
	ShowNumbers Show = "numbers"
	ShowWords   Show = "words"
)

// finder says how it stands with one thing. ok is false if that is not known.
type finder func(ctx context.Context) (finding notify.Finding, ok bool)

// findings looks what people have to be told.
type findings struct {
	db    *sqlite.DB
	dead  []*sqlite.Queue
	data  string
	show  Show
	found func() []problem
	// space returns how many bytes are free on a folder's disk, and how many it has.
	space func(folder string) (free, total uint64, err error)
	// quota is how large the folder is, beside what its disk has.
	quota *quota
	now   func() time.Time

	mu sync.Mutex
	// haltedAt is when a text was last held back, zero if none was since the start.
	haltedAt time.Time
	// unanswered and nobody are looked at again only if something happened.
	unanswered, nobody scan
	// skew is how wrong the clock is, as far as Twilio's is right; isTimed is set once that is known.
	skew    time.Duration
	isTimed bool
}

// scan is a look that reads much, and is taken only if there may be something.
type scan struct {
	isClear bool
	at      time.Time
	last    notify.Finding
}

// saw notes what measurements say.
func (f *findings) saw(measurements ...telemetry.Measurement) {
	for _, m := range measurements {
		switch m.Name {
		case telemetry.MetricHalted, telemetry.MetricUnanswered, telemetry.MetricReachedNobody:
		default:
			continue
		}
		f.mu.Lock()
		switch m.Name {
		case telemetry.MetricHalted:
			f.haltedAt = f.now()
		case telemetry.MetricUnanswered:
			f.unanswered.isClear = false
		case telemetry.MetricReachedNobody:
			f.nobody.isClear = false
		}
		f.mu.Unlock()
	}
}

// emit takes the measurements of one unit of work.
func (r *Relay) emit(measurements ...telemetry.Measurement) {
	r.worked.Add(1)
	r.metrics.emit(measurements...)
	r.findings.saw(measurements...)
}

// clock notes what time it is for Twilio, and when it was said.
func (f *findings) clock(theirs, ours time.Time) {
	if theirs.IsZero() {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.skew, f.isTimed = ours.Sub(theirs).Round(time.Second), true
}

// all are what there is to tell. What cannot be read is left out.
func (f *findings) all(ctx context.Context) []notify.Finding {
	all := f.problems()
	for _, find := range []finder{
		f.deadLetters, f.uncertain, f.disk, f.halted, f.wrongClock,
		func(ctx context.Context) (notify.Finding, bool) {
			return f.scanned(ctx, &f.unanswered, f.scanUnanswered)
		},
		func(ctx context.Context) (notify.Finding, bool) { return f.scanned(ctx, &f.nobody, f.scanNobody) },
	} {
		if one, ok := find(ctx); ok {
			all = append(all, one)
		}
	}
	return all
}

// problems are those of the health check.
func (f *findings) problems() []notify.Finding {
	titles := map[string]string{
		problemDatabase: "the database is damaged", problemCertificate: "the certificate is missing or not renewed",
		problemAccount: "Twilio refuses the account", problemMoved: "the data folder was copied or restored",
		problemBackup: "a backup failed or is late",
	}
	sections := map[string]string{
		problemDatabase: "database-damaged", problemCertificate: "certificate", problemAccount: "account", problemMoved: "folder-moved",
		problemBackup: "backup",
	}
	texts := map[string]string{}
	for _, p := range f.found() {
		texts[p.kind] = strings.TrimSpace(texts[p.kind] + "\n" + cli.Sentence(p.words))
	}
	var all []notify.Finding
	for kind, title := range titles {
		one := notify.Finding{Kind: kind}
		if texts[kind] != "" {
			one.Count, one.Title, one.Text = 1, title, texts[kind]+runbook(sections[kind])
		}
		all = append(all, one)
	}
	return all
}

// runbook names the section that says what to do.
func runbook(section string) string { return "\nWhat to do: docs/runbook.md, " + section + "." }

// finding makes one with a count, empty if the count is 0.
func finding(kind string, count int, title, text, section string) (notify.Finding, bool) {
	if count == 0 {
		return notify.Finding{Kind: kind}, true
	}
	return notify.Finding{Kind: kind, Count: count, Title: fmt.Sprintf(title, count), Text: text + runbook(section)}, true
}

func (f *findings) deadLetters(ctx context.Context) (notify.Finding, bool) {
	total := 0
	for _, queue := range f.dead {
		waiting, inFlight, _, err := queue.Depth(ctx)
		if err != nil {
			return notify.Finding{}, false
		}
		total += waiting + inFlight
	}
	return finding(kindDead, total, "texts were given up (dead letters: %d)", "Customers wrote, and nobody got it. relay dlq ls says why."+
		f.named(ctx, total, ledger.Dead), "dead-letters")
}

func (f *findings) uncertain(ctx context.Context) (notify.Finding, bool) {
	n, err := f.db.Ledger().Count(ctx, ledger.Uncertain)
	if err != nil {
		return notify.Finding{}, false
	}
	return finding(kindUncertain, n, "nobody knows whether texts were sent (uncertain: %d)",
		"They wait until somebody looks: relay uncertain ls."+f.named(ctx, n, ledger.Uncertain), "uncertain")
}

func (f *findings) halted(context.Context) (notify.Finding, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := notify.Finding{Kind: kindHalted, Settle: haltProbe}
	if since := f.now().Sub(f.haltedAt); !f.haltedAt.IsZero() && since < haltProbe {
		one.Count, one.Title = 1, "sending is halted"
		one.Text = "Twilio refuses the account or its credentials. All texts wait, and go out by themselves once that is put right." +
			runbook("halted")
	}
	return one, true
}

func (f *findings) disk(context.Context) (notify.Finding, bool) {
	free, total, err := f.space(f.data)
	if err != nil {
		return notify.Finding{}, false
	}
	one := notify.Finding{Kind: kindDisk}
	if one.Count = fullness(free, total); one.Count > 0 {
		one.Title = "the disk of the data folder is low"
		if one.Count > 1 {
			one.Title = "the disk of the data folder is almost full"
		}
		one.Text = fmt.Sprintf("%d MB of %d MB are free. When it is full, the relay accepts no texts.", free>>20, total>>20) + runbook("disk")
	}
	return f.quota.orWorse(one), true
}

// fullness is 2 if a disk is almost full, 1 if it is low, and 0 otherwise, by the bounds of relay doctor.
func fullness(free, total uint64) int {
	switch {
	case free < 200<<20 || free < total/50:
		return 2
	case free < 1<<30 || free < total/10:
		return 1
	default:
		return 0
	}
}

func (f *findings) wrongClock(context.Context) (notify.Finding, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	one := notify.Finding{Kind: kindClock}
	if f.skew.Abs() >= skewFails {
		one.Count, one.Title = 1, "the clock is wrong"
		one.Text = fmt.Sprintf("This host's clock is %s off Twilio's, and the relay gets the age of texts wrong. timedatectl set-ntp true "+
			"switches time synchronisation on.", duration.Text(f.skew)) + runbook("clock")
	}
	return one, f.isTimed
}

// scanned takes a look that reads much, if there may be something, and not more often than each scanInterval.
func (f *findings) scanned(ctx context.Context, s *scan, look finder) (notify.Finding, bool) {
	f.mu.Lock()
	last, isDue := s.last, !s.isClear && f.now().Sub(s.at).Abs() >= scanInterval
	if isDue {
		// What happens during the look has it taken again.
		s.isClear, s.at = true, f.now()
	}
	f.mu.Unlock()
	if !isDue {
		return last, last.Kind != ""
	}
	found, ok := look(ctx)
	f.mu.Lock()
	defer f.mu.Unlock()
	if !ok {
		s.isClear = false
		return notify.Finding{}, false
	}
	s.isClear = s.isClear && found.Count == 0
	s.last = found
	return found, true
}

func (f *findings) scanUnanswered(ctx context.Context) (notify.Finding, bool) {
	routes, _, err := route.Readable(f.db.Routes().List(ctx))
	if err != nil {
		return notify.Finding{}, false
	}
	total, lines := 0, ""
	for _, r := range routes {
		if r.AnswerTimeout == 0 || !r.Active {
			continue
		}
		if err := conversation.Each(ctx, f.db.Conversations(), r.TwilioNumber, "", func(c conversation.Conversation) bool {
			if c.IsUnanswered() {
				if total++; total <= shownTexts {
					lines += "\n" + f.number(c.Customer) + " waits for " + f.number(r.TwilioNumber)
				}
			}
			return true
		}); err != nil {
			return notify.Finding{}, false
		}
	}
	return finding(kindUnanswered, total, "customers wait for an answer (%d)", "Every phone of the route has had its time. "+
		"relay conversation ls NUMBER --open lists them."+lines, "unanswered")
}

func (f *findings) scanNobody(ctx context.Context) (notify.Finding, bool) {
	lost, err := target.Lost(ctx, f.db.Ledger(), ledger.Query{Since: f.now().Add(-lostFor)}, maxLost)
	if err != nil {
		return notify.Finding{}, false
	}
	lines := ""
	for _, r := range lost[:min(shownTexts, len(lost))] {
		lines += f.line(r)
	}
	return finding(kindReachedNobody, len(lost), "texts of the last day reached nobody (%d)", "relay resend --since 24h says what would "+
		"become of them if they are sent again."+lines, "reached-nobody")
}

// named are the newest texts in a state, a line each.
func (f *findings) named(ctx context.Context, count int, state ledger.State) (lines string) {
	if count == 0 {
		return ""
	}
	page, err := f.db.Ledger().List(ctx, ledger.Query{State: state, Limit: shownTexts})
	if err != nil {
		return ""
	}
	for _, r := range page.Records {
		lines += f.line(r)
	}
	return lines
}

// line names a text, as far as the owner wants it.
func (f *findings) line(r ledger.Record) string {
	line := "\n" + r.MessageSid + " from " + f.number(r.Customer) + " to " + f.number(r.TwilioNumber)
	if r.Reason != "" {
		line += ", " + string(r.Reason)
	}
	if f.show == ShowWords {
		line += ": " + r.Body
	}
	return line
}

func (f *findings) number(number sms.PhoneNumber) string {
	if f.show == ShowNumbers || f.show == ShowWords {
		return string(number)
	}
	return number.Mask()
}

// openTeller makes what tells people, nil if nobody wants to be told.
func (r *Relay) openTeller() *notify.Teller {
	if len(r.config.Notify) == 0 {
		return nil
	}
	name := "SMS relay"
	if base, err := url.Parse(r.config.PublicBaseURLs[0]); err == nil {
		name += " " + base.Hostname()
	}
	return notify.New(notify.Config{
		Name: name, Targets: r.config.Notify, File: filepath.Join(r.config.Data, datafolder.NotifyFile), Interval: notifyInterval,
		Find: r.findings.all, Sent: r.metrics.sentNotice, Now: time.Now, Logger: r.config.Logger,
	})
}

// tell tells people, if somebody wants to be told.
func (r *Relay) tell(ctx context.Context) error {
	if r.teller == nil {
		return nil
	}
	return r.teller.Run(ctx)
}
