package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"strings"
	"sync"
	"time"

	"quickdumpnow.com/smsrelay/shared/onehost/durable"
)

// Finding is how it stands with one thing that may need somebody.
type Finding struct {
	// Kind names it: a short word that does not change.
	Kind string
	// Count is how many there are, or how bad it is; 0 means that all is well.
	Count int
	// Title says it in one line, Text says what to do. Both are empty if all is well.
	Title, Text string
	// Settle is how long all has to be well before people are told that it is over; 0 is five minutes.
	Settle time.Duration
}

const (
	defaultSettle = 5 * time.Minute
	// againAfter is how long people are not told of more of the same.
	againAfter = time.Hour
	// firstPause and longestPause are between two tries to reach a target that does not answer.
	firstPause   = time.Minute
	longestPause = 15 * time.Minute
	// findTimeout limits one look at what there is to tell.
	findTimeout = 10 * time.Second
	// lastWord is how long Run waits at its end for what is being sent.
	lastWord = 3 * time.Second
)

// Config is what a Teller is made of.
type Config struct {
	// Name is the relay's, for titles.
	Name    string
	Targets []Target
	// File keeps what was told, so that a restart repeats nothing.
	File string
	// Interval is how often Find is asked. Find returns how it stands with each kind; it leaves out those of which it does not know.
	Interval time.Duration
	Find     func(ctx context.Context) []Finding
	// Sent counts each try to send.
	Sent   func(isTaken bool)
	Now    func() time.Time
	Logger *slog.Logger
}

// told is what a target was told of a kind.
type told struct {
	Title string    `json:"title"`
	Count int       `json:"count"`
	At    time.Time `json:"at"`
}

// book is what was told to each target, by its fingerprint and the kind.
type book map[string]map[string]told

// Teller tells each target what there is to tell: once when it begins, at most hourly when there is more of it, and once when it is over.
// It compares what is so with what a target was told. So it has no queue: a target that does not answer is told later what is so then.
type Teller struct {
	config Config

	mu   sync.Mutex
	book book
	// busy are the targets to which something is being sent.
	busy map[string]bool
	// outages are those that did not answer the last time.
	outages map[string]outage
	// unsaved is set while the file cannot be written.
	unsaved bool
	sending sync.WaitGroup
	// wellSince is since when all is well with a kind, as this process has seen it.
	wellSince map[string]time.Time
}

// outage is how often a target did not answer in a row, and when it is tried again.
type outage struct {
	failures int
	until    time.Time
}

// New makes a Teller, which knows what the file says was told. If the file cannot be read, people are told again.
func New(config Config) *Teller {
	t := &Teller{
		config: config, book: book{}, busy: map[string]bool{}, outages: map[string]outage{}, wellSince: map[string]time.Time{},
	}
	saved := book{}
	if _, err := durable.ReadJSON(config.File, &saved); err != nil {
		config.Logger.Warn("what people were told cannot be read, and they are told again", slog.String("error", err.Error()))
	}
	for _, target := range config.Targets {
		if known := saved[target.id]; known != nil {
			t.book[target.id] = known
		}
	}
	return t
}

// Run tells until ctx ends.
func (t *Teller) Run(ctx context.Context) error {
	ticker := time.NewTicker(t.config.Interval)
	defer ticker.Stop()
	for {
		t.look(ctx)
		select {
		case <-ctx.Done():
			t.end()
			return nil
		case <-ticker.C:
		}
	}
}

// end waits for what is being sent, for a moment.
func (t *Teller) end() {
	ended := make(chan struct{})
	go func() {
		t.sending.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(lastWord):
	}
}

// look finds what there is to tell, and starts to tell it.
func (t *Teller) look(ctx context.Context) {
	finding, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	found := t.config.Find(finding)
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.config.Now()
	for _, f := range found {
		if since, ok := t.wellSince[f.Kind]; f.Count > 0 {
			delete(t.wellSince, f.Kind)
		} else if !ok || since.After(now) {
			t.wellSince[f.Kind] = now
		}
	}
	for _, target := range t.config.Targets {
		if out := t.outages[target.id]; t.busy[target.id] || now.Before(out.until) && out.until.Sub(now) <= longestPause {
			continue
		}
		after, news, over := compare(found, t.book[target.id], t.wellSince, now)
		if len(news)+len(over) == 0 {
			if !maps.Equal(after, t.book[target.id]) {
				t.book[target.id] = after
				t.save(ctx)
			}
			continue
		}
		t.busy[target.id] = true
		t.sending.Go(func() { t.tell(context.WithoutCancel(ctx), target, after, notice(t.config.Name, news, over, now)) })
	}
}

// compare returns what is news to somebody who was told what before says, what is over, and what they were told once they have that.
func compare(found []Finding, before map[string]told, wellSince map[string]time.Time, now time.Time) (
	after map[string]told, news []Finding, over []told,
) {
	after = map[string]told{}
	for kind, was := range before {
		after[kind] = was
	}
	for _, f := range found {
		was, known := before[f.Kind]
		settle := f.Settle
		if settle == 0 {
			settle = defaultSettle
		}
		switch {
		case f.Count == 0 && known && now.Sub(wellSince[f.Kind]) >= settle:
			over = append(over, was)
			delete(after, f.Kind)
		case f.Count == 0:
		case !known, f.Count > was.Count && now.Sub(was.At).Abs() >= againAfter:
			news = append(news, f)
			after[f.Kind] = told{f.Title, f.Count, now}
		case f.Count < was.Count:
			was.Count = f.Count
			after[f.Kind] = was
		}
	}
	return after, news, over
}

// notice writes one notice of all that.
func notice(name string, news []Finding, over []told, now time.Time) Notice {
	var text strings.Builder
	for _, f := range news {
		if len(news)+len(over) > 1 {
			text.WriteString(sentence(f.Title) + "\n")
		}
		text.WriteString(f.Text + "\n\n")
	}
	for _, was := range over {
		text.WriteString("Over: " + was.Title + ".\n")
	}
	n := Notice{Text: strings.TrimSpace(text.String()), At: now, Over: len(news) == 0}
	switch {
	case len(news)+len(over) == 1 && n.Over:
		n.Title = "is over: " + over[0].Title
	case len(news) == 1:
		n.Title = news[0].Title
	case n.Over:
		n.Title = fmt.Sprintf("%d things are over", len(over))
	default:
		n.Title = fmt.Sprintf("%d things need somebody", len(news))
	}
	n.Title = name + ": " + n.Title
	return n
}

// sentence makes a title one.
func sentence(title string) string { return strings.ToUpper(title[:1]) + title[1:] + "." }

// tell sends a notice to a target, and remembers what it was told.
func (t *Teller) tell(ctx context.Context, target Target, after map[string]told, n Notice) {
	err := target.Send(ctx, n)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.busy[target.id] = false
	isTaken := err == nil || errors.Is(err, ErrPartly)
	t.config.Sent(isTaken)
	out := t.outages[target.id]
	if !isTaken {
		t.outages[target.id] = outage{out.failures + 1, t.config.Now().Add(min(firstPause<<min(out.failures, 10), longestPause))}
		if out.failures == 0 {
			t.config.Logger.LogAttrs(ctx, slog.LevelError, "people were not told: a target of RELAY_NOTIFY does not take it; it is tried again",
				slog.String("target", target.Label), slog.String("error", err.Error()), slog.String("title", n.Title))
		}
		return
	}
	delete(t.outages, target.id)
	switch {
	case err != nil:
		t.config.Logger.LogAttrs(ctx, slog.LevelError, "some people were not told", slog.String("target", target.Label),
			slog.String("error", err.Error()))
	case out.failures > 0:
		t.config.Logger.LogAttrs(ctx, slog.LevelInfo, "the target of RELAY_NOTIFY takes notices again", slog.String("target", target.Label))
	}
	t.book[target.id] = after
	t.save(ctx)
}

// save writes the book. While the disk is full, a restart may repeat what was told.
func (t *Teller) save(ctx context.Context) {
	err := durable.Disk{}.WriteJSON(t.config.File, t.book)
	if err != nil && !t.unsaved {
		t.config.Logger.LogAttrs(ctx, slog.LevelWarn, "what people were told is not saved, and a restart may repeat it",
			slog.String("error", err.Error()))
	}
	t.unsaved = err != nil
}
