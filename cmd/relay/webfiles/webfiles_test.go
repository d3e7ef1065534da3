package webfiles

import (
	"crypto/sha256"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// TestFilesOfOthers: they are as they were published, in npm's package htmx.org 4.0.1, with their licence.
func TestFilesOfOthers(t *testing.T) {
	t.Parallel()
	entries, err := assets.ReadDir("assets")
	if err != nil {
		t.Fatal(err)
	}
	published := map[string]string{
		"htmx.min.js":      "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",
		"hx-csp.min.js":    "a7e1e6711ae6c3e50ad300fba7936cbe8d07599cdae313414a179ddd6b26e143",
		"hx-sse.min.js":    "18ef2761356ec1fe0bb6d92612315b37517a7c1e9856b661c5ae81fef239d103",
		"LICENSE-htmx.txt": "d3d2456f76414f2456104660ebd65aff1c04cd7966b942bdabd63f3cdb316a38",
	}
	for _, entry := range entries {
		text, err := assets.ReadFile("assets/" + entry.Name())
		if err != nil {
			t.Fatal(err)
		}
		// All scripts are others': the pages have no JavaScript of their own.
		isOurs := strings.HasSuffix(entry.Name(), ".css") || entry.Name() == "favicon.svg"
		if want := published[entry.Name()]; !isOurs && fmt.Sprintf("%x", sha256.Sum256(text)) != want {
			t.Errorf("%s is not what was published", entry.Name())
		}
		delete(published, entry.Name())
	}
	if len(published) > 0 {
		t.Errorf("%v are missing", published)
	}
}

// TestContrast: what is written is seen against what is behind it, in the light and in the dark, as WCAG's AA wants it.
func TestContrast(t *testing.T) {
	t.Parallel()
	text, err := assets.ReadFile("assets/console.css")
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > 4<<10 {
		t.Errorf("the style has %d bytes, over 4096", len(text))
	}
	schemes := regexp.MustCompile(`:root\{([^}]*)\}`).FindAllStringSubmatch(string(text), -1)
	if len(schemes) != 2 {
		t.Fatalf("the style has the colours of %d schemes, want light and dark", len(schemes))
	}
	for i, scheme := range schemes {
		colour := map[string]float64{}
		for _, c := range regexp.MustCompile(`--([a-z-]+):#([0-9a-f]+)`).FindAllStringSubmatch(scheme[1], -1) {
			colour[c[1]] = luminance(t, c[2])
		}
		for _, pair := range [][2]string{
			{"ink", "paper"},
			{"quiet", "paper"},
			{"tone", "paper"},
			{"loud", "paper"},
			{"on-tone", "tone"},
			{"ink", "panel"},
			{"quiet", "panel"},
			{"tone", "panel"},
			{"loud", "panel"},
		} {
			one, other := colour[pair[0]], colour[pair[1]]
			if ratio := (math.Max(one, other) + 0.05) / (math.Min(one, other) + 0.05); ratio < 4.5 {
				t.Errorf("scheme %d: %s on %s has a contrast of %.2f, under 4.5", i, pair[0], pair[1], ratio)
			}
		}
	}
}

// luminance is WCAG's relative luminance of a colour such as fff or 1b1f24.
func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	if len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	total := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[2*i:2*i+2], 16, 8)
		if err != nil {
			t.Fatal(err)
		}
		part := float64(n) / 255
		if part <= 0.04045 {
			part /= 12.92
		} else {
			part = math.Pow((part+0.055)/1.055, 2.4)
		}
		total += weight * part
	}
	return total
}
