package rota_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/rota"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
)

// TestLines: what people are shown of a schedule is read as the same schedule, and what they write by hand is read kindly.
func TestLines(t *testing.T) {
	schedule := []operations.Shift{
		{Days: "Mon-Fri", From: "07:00", To: "18:00", Phones: []string{"Ann", "+16195550124"}},
		{Days: "Sat, Sun", From: "22:30", To: "24:00", Phones: []string{"Mary Ann"}},
	}
	for _, text := range []string{
		rota.Lines(schedule), "\r\n  Mon-Fri   7:00 – 18:00 Ann ,+16195550124,\r\n\r\nSat, Sun 22:30-24:00 Mary Ann\r\n",
	} {
		got, err := rota.ReadLines(text)
		if diff := cmp.Diff(schedule, got); diff != "" || err != nil {
			t.Errorf("%q: %v\n%s", text, err, diff)
		}
	}
	if got, err := rota.ReadLines(" \n"); err != nil || got == nil || len(got) > 0 {
		t.Errorf("nothing is read as %v, %v", got, err)
	}
	for _, text := range []string{"Mon-Fri Ann", "Mon-Fri 07:00-18:00", "Mon-Fri 07:00 Ann"} {
		if _, err := rota.ReadLines("Sun 07:00-18:00 Bo\n" + text); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
