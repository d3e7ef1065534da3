package nearest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/nearest"
)

func TestOf(t *testing.T) {
	known := []string{"Active", "FallbackCarriers", "DestinationCarrier", "delivered", "undelivered", "sent"}
	for typed, want := range map[string][]string{
		"active": {"Active"}, "FallbackCarrier": {"FallbackCarriers"}, "deliverd": {"delivered"}, "sned": {"sent"}, "bogus": nil, "": nil,
	} {
		if diff := cmp.Diff(want, nearest.Of(typed, known)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", typed, diff)
		}
	}
	if got := nearest.Of("cat", []string{"bat", "rat", "cow"}); len(got) != 2 {
		t.Errorf("cat: %v, want both that are as near", got)
	}
	if got, want := nearest.Question("active", known), `; did you mean "Active"?`; got != want {
		t.Errorf("Question = %s, want %s", got, want)
	}
}
