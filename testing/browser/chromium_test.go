package browser

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// openBrowser starts a Chromium. Where there is none the test is skipped, but not in CI, which installs Debian's.
func openBrowser(t *testing.T) context.Context {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	switch {
	case path != "":
	case os.Getenv("CI") == "true":
		t.Fatal("Chromium is not here: .ci/run installs it before make test")
	default:
		t.Skip("Chromium is not here: install your system's package (Debian's is chromium), then run make test")
	}
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]), chromedp.ExecPath(path), chromedp.Flag("lang", "en-US"))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // root has none.
	}
	allocator, stop := chromedp.NewExecAllocator(context.WithoutCancel(t.Context()), options...)
	t.Cleanup(stop)
	browser, shut := chromedp.NewContext(allocator)
	t.Cleanup(shut)
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("start %s: %v", path, err)
	}
	return browser
}

// tab is a tab of the browser.
type tab struct {
	*stage
	*testing.T
	context context.Context
	// isPlain is set where no scripts run.
	isPlain bool

	mu    sync.Mutex
	heard []string
	// expected are parts of complaints that the test brings about.
	expected []string
}

// newTab opens a tab. Its cookies are its own: another tab is another person's. What the browser complains of there fails the test.
func (s *stage) newTab(t *testing.T) *tab {
	t.Helper()
	b := &tab{stage: s, T: t}
	var shut context.CancelFunc
	b.context, shut = chromedp.NewContext(s.browser, chromedp.WithNewBrowserContext(), chromedp.WithListener(b.listen))
	t.Cleanup(func() {
		b.complaints(t.Errorf)
		shut()
	})
	b.do(chromedp.Func(func(ctx context.Context, to *chromedp.Target) error {
		_, err := cdp.Call(ctx, to, audits.Enable, cdp.Empty{})
		return err
	}))
	return b
}

// again opens another tab in which as much runs as in this one.
func (b *tab) again() *tab {
	b.Helper()
	other := b.newTab(b.T)
	if b.isPlain {
		other.withoutScripts()
	}
	return other
}

// listen keeps each complaint of the browser, from the first page on.
func (b *tab) listen(event any) {
	var said string
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		loud := []runtime.ConsoleAPICalledType{
			runtime.ConsoleAPICalledTypeError, runtime.ConsoleAPICalledTypeWarning, runtime.ConsoleAPICalledTypeAssert,
		}
		if !slices.Contains(loud, e.Type) {
			return
		}
		said = "console." + string(e.Type)
		for _, part := range e.Args {
			said += " " + string(part.Value) + part.Description
		}
	case *runtime.EventExceptionThrown:
		said = "exception: " + e.ExceptionDetails.Text
		if of := e.ExceptionDetails.Exception; of != nil {
			said += " " + of.Description
		}
	case *log.EventEntryAdded:
		if e.Entry.Level != log.EntryLevelError && e.Entry.Level != log.EntryLevelWarning {
			return
		}
		said = string(e.Entry.Source) + ": " + e.Entry.Text + " " + e.Entry.URL
	case *audits.EventIssueAdded:
		if e.Issue.Code == audits.InspectorIssueCodeGenericIssue {
			return // advice about names of fields.
		}
		details, err := json.Marshal(e.Issue.Details)
		said = strings.TrimSpace(fmt.Sprintln("issue:", e.Issue.Code, string(details), err))
	default:
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.heard = append(b.heard, said)
}

// expect lets complaints pass that have a part in them.
func (b *tab) expect(part string) { b.expected = append(b.expected, part) }

// complaints reports what the browser complained of.
func (b *tab) complaints(report func(format string, args ...any)) {
	b.value("1") // what was said before the answer to this has been heard.
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, said := range b.heard {
		if !slices.ContainsFunc(b.expected, func(part string) bool { return strings.Contains(said, part) }) {
			report("the browser complains: %s", said)
		}
	}
	b.heard = nil
}
