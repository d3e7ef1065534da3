package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/testing/costs"
	"quickdumpnow.com/smsrelay/testing/scaling/held"
	"quickdumpnow.com/smsrelay/testing/scaling/model"
)

var module = filepath.Join("..", "..")

// TestPage wants the tables of docs/scaling.md to be what the simulation and the prices make. What was held against a machine is not
// compared: it differs each time.
func TestPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(module, "docs", "scaling.md"))
	if err != nil {
		t.Fatal(err)
	}
	rates, err := costs.ReadRates(module)
	if err != nil {
		t.Fatal(err)
	}
	all := tables(runAll(pageSeed), rates)
	for _, title := range append(titles(), "held") {
		if !strings.Contains(string(page), "<!-- table: "+title+" -->\n|") {
			t.Errorf("the page has no table %q", title)
		}
	}
	if diff := cmp.Diff(string(page), string(fill(page, all))); diff != "" {
		t.Errorf("docs/scaling.md is not what is simulated (-page +simulated; go run ./testing/scaling -write rewrites it):\n%s", diff)
	}
}

// TestPageHasHeldWithin15Percent: what the page shows of the last comparison is good enough. The comparison itself is not repeated here.
func TestPageHasHeldWithin15Percent(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(module, "docs", "scaling.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := 0
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, " | ")
		if len(cells) < 5 || cells[1] != "model / relay" {
			continue
		}
		rows++
		for _, ratio := range cells[2:] {
			if ratio = strings.Trim(ratio, " |\n"); ratio < "0.85" || ratio > "1.15" {
				t.Errorf("%s: %s", cells[0], ratio)
			}
		}
	}
	if want := len(held.Cases()); rows != want {
		t.Errorf("%d comparisons, want %d", rows, want)
	}
}

func TestNumbersHaveTwoDigitsThatCount(t *testing.T) {
	for n, want := range map[float64]string{
		0: "0", 0.004: "0", 0.3333: "0.33", 1: "1", 1.04: "1", 1.06: "1.1", 9.96: "10", 58.4: "58", 999: "1,000", 1234: "1,200", 10_055: "10,000",
		123_456_789: "120,000,000",
	} {
		if got := short(n); got != want {
			t.Errorf("%v is %s, want %s", n, got, want)
		}
	}
	for ms, want := range map[float64]string{87: "87 ms", 1050: "1.1 s", 119_000: "120 s", 180_000: "3 min"} {
		if got := span(ms); got != want {
			t.Errorf("%v ms are %s, want %s", ms, got, want)
		}
	}
}

// TestEachLimitIsAResource: what the page says to do is about what the model has, and each size says what is first.
func TestEachLimitIsAResource(t *testing.T) {
	size := model.Sizes()[1]
	r := model.Run(size, 1)
	for _, l := range limits() {
		if shareOf(r, l.name) < 0 || l.then == "" {
			t.Errorf("%+v", l)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, tt := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-help"}, exitDone, "-held"},
		{[]string{"-nothing"}, exitUsage, "-nothing"},
		{[]string{"words"}, exitUsage, "hint"},
		{[]string{"-json", "-write"}, exitUsage, "one of them"},
		{[]string{"-seed", "2", "-write"}, exitUsage, "seed 1"},
	} {
		var stdout, stderr bytes.Buffer
		if code := run(t.Context(), tt.args, &stdout, &stderr); code != tt.code || !strings.Contains(stderr.String(), tt.says) {
			t.Errorf("%v: exit code %d, %q", tt.args, code, stderr.String())
		}
	}
}
