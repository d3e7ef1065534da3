package browser

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// stops marks what the keyboard has to lead to, and returns how many things these are. Of buttons of one choice the keyboard leads to one.
const stops = `(()=>{let n=0;window.scrollTo(0,0);document.activeElement.blur();getSelection().removeAllRanges();` +
	`for(const e of document.querySelectorAll("a[href],button,input,select,textarea,summary,[tabindex='0']"))` +
	`if(e.checkVisibility({visibilityProperty:true})&&!e.disabled&&e.type!=="hidden"&&e.type!=="radio")e.dataset.stop=n++;return n})()`

// unreached are the things to press and to fill that the tab key does not lead to, or that do not show that it has.
func (b *tab) unreached() []string {
	b.Helper()
	n, err := try[int](b, stops)
	if err != nil {
		b.Fatal(err)
	}
	// A field for a day has a stop for each of its parts, and one for the calendar.
	more, err := try[int](b, `3*document.querySelectorAll("input[type=date]").length`)
	if err != nil {
		b.Fatal(err)
	}
	for range n + more + 1 {
		b.do(chromedp.KeyEvent(kb.Tab))
		b.value(`(()=>{const e=document.activeElement;if(getComputedStyle(e).outlineStyle!=="none")delete e.dataset.stop})()`)
	}
	missed, err := try[[]string](b, `[...document.querySelectorAll("[data-stop]")].map(e=>e.outerHTML)`)
	if err != nil {
		b.Fatal(err)
	}
	return missed
}

// keyTo goes by the tab key to what leads to another page, and presses it with the enter key.
func (b *tab) keyTo(path string) {
	b.Helper()
	b.value(`void(document.documentElement.dataset.old="")`)
	b.value("document.activeElement.blur()")
	for range 200 {
		if is, err := try[bool](b, "document.activeElement==="+find(path)); err == nil && is {
			b.do(chromedp.KeyEvent(kb.Enter))
			b.left(path)
			return
		}
		b.do(chromedp.KeyEvent(kb.Tab))
	}
	b.Fatalf("no tab key leads to %s", path)
}

// waitForComplaint returns what the browser complains of, once it does.
func (b *tab) waitForComplaint() string {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), patience)
	defer cancel()
	for ctx.Err() == nil {
		b.value("1")
		b.mu.Lock()
		heard := slices.Clone(b.heard)
		b.heard = nil
		b.mu.Unlock()
		if len(heard) > 0 {
			return strings.Join(heard, "\n")
		}
		time.Sleep(10 * time.Millisecond)
	}
	return ""
}
