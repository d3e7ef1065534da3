package browser

import (
	"context"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var screenshots = flag.String("screenshots", "", "folder for the pictures of docs/console.md")

// TestScreenshots draws the pictures of docs/console.md. make screenshots asks for them.
func TestScreenshots(t *testing.T) {
	if *screenshots == "" {
		t.Skip("nobody asks for pictures: make screenshots does")
	}
	s := newStage(t)
	s.populate()
	s.lose("Is anybody there?")
	b := s.newTab(t)
	b.signIn("lee", password)
	b.open(s.relay + "/console/needs")
	b.reload(`document.body.innerText.includes("reached nobody")`)
	for _, one := range []struct{ name, url, through, shows, scheme string }{
		{"console-waiting", s.relay + "/console", "", "Ann Miller", "light"},
		{"console-customer", s.relay + "/console", `//a[.="Ann Miller"]`, "Show what they say", "dark"},
		{"console-needs", s.relay + "/console/needs", "", "reached nobody", "light"},
		{"console-duty", s.relay + "/console/duty", "", "The week", "dark"},
	} {
		b.look(320, one.scheme)
		b.open(one.url)
		if one.through != "" {
			b.leave(one.through)
		}
		b.see(one.shows)
		b.draw(filepath.Join(*screenshots, one.name+".png"))
	}
}

// mostBytes is how much a picture may weigh.
const mostBytes = 60_000

// draw draws what the screen shows.
func (b *tab) draw(path string) {
	b.Helper()
	picture, err := chromedp.Run(b.context, func(ctx context.Context, to *chromedp.Target) ([]byte, error) {
		drawn, err := cdp.Call(ctx, to, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng})
		return drawn.Data, err
	})
	if err != nil {
		b.Fatal(err)
	}
	if len(picture) > mostBytes {
		b.Errorf("%s has %d bytes, over %d", path, len(picture), mostBytes)
	}
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		b.Fatal(err)
	}
}
