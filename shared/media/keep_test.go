package media_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/media"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// served is one attachment at Twilio.
type served struct {
	contentType string
	size        int
	// noSize hides the size; err fails the fetch, breaks its reading.
	noSize bool
	err    error
	breaks error
}

// twilioOf is a source with the attachments that its URLs name, and counts what is fetched.
type twilioOf struct {
	served  map[string]served
	fetched []string
}

func (s *twilioOf) FetchMedia(_ context.Context, url string, limit int64) (media.Content, error) {
	s.fetched = append(s.fetched, url)
	one := s.served[url]
	size := int64(one.size)
	switch {
	case one.err != nil:
		return media.Content{}, one.err
	case !one.noSize && size > limit:
		return media.Content{}, &media.TooLargeError{ContentType: one.contentType, Size: size}
	}
	var reader io.Reader = bytes.NewReader(make([]byte, one.size))
	if size > limit {
		reader = io.MultiReader(bytes.NewReader(make([]byte, limit)), iotest.ErrReader(media.ErrTooLarge))
	}
	if one.breaks != nil {
		reader = io.MultiReader(bytes.NewReader(make([]byte, one.size/2)), iotest.ErrReader(one.breaks))
	}
	if one.noSize {
		size = -1
	}
	return media.Content{ReadCloser: io.NopCloser(reader), ContentType: one.contentType, Size: size}, nil
}

var errAway = &fault.Error{Kind: fault.Transient, Err: errors.New("no answer")}

// kept is an attachment as Keep returns it, with K for a token.
type kept struct {
	contentType string
	size        int64
	state       string
}

func states(attachments []sms.Media) []kept {
	var all []kept
	for _, one := range attachments {
		state := "undecided"
		switch {
		case one.Token != "" && !one.Left:
			state = "kept"
		case one.Left && one.Token == "":
			state = "left"
		}
		all = append(all, kept{one.ContentType, one.Size, state})
	}
	return all
}

func TestKeep(t *testing.T) {
	t.Parallel()
	const mb = 1_000_000
	jpeg := served{contentType: "image/jpeg", size: mb}
	tests := []struct {
		name    string
		served  []served
		maxItem int64
		want    []kept
		fails   bool
	}{
		{"a picture", []served{jpeg}, 0, []kept{{"image/jpeg", mb, "kept"}}, false},
		{
			"five that fill the room, and a sixth", slices.Repeat([]served{jpeg}, 6), 0,
			append(slices.Repeat([]kept{{"image/jpeg", mb, "kept"}}, 5), kept{"image/jpeg", mb, "left"}), false,
		},
		{
			"one too large, and one that fits after it",
			[]served{{contentType: "video/mp4", size: media.MaxTotal + 1}, jpeg},
			0,
			[]kept{{"video/mp4", media.MaxTotal + 1, "left"}, {"image/jpeg", mb, "kept"}},
			false,
		},
		{"too large for the front door", []served{jpeg}, mb - 1, []kept{{"image/jpeg", mb, "left"}}, false},
		{"no size, and it fits", []served{{contentType: "image/png", size: 7, noSize: true}}, 0, []kept{{"image/png", 7, "kept"}}, false},
		{
			"no size, and it does not fit",
			[]served{{contentType: "image/png", size: media.MaxTotal + 1, noSize: true}},
			0,
			[]kept{{"image/png", 0, "left"}},
			false,
		},
		{"a page", []served{{contentType: "text/html", size: 9}}, 0, []kept{{"text/html", 9, "left"}}, false},
		{"a drawing that runs", []served{{contentType: "image/svg+xml", size: 9}}, 0, []kept{{"image/svg+xml", 9, "left"}}, false},
		{"nothing in it", []served{{contentType: "image/jpeg"}}, 0, []kept{{"image/jpeg", 0, "left"}}, false},
		{"not there yet, and one that is", []served{{err: errAway}, jpeg}, 0, []kept{{"", 0, "undecided"}, {"image/jpeg", mb, "kept"}}, true},
		{"never there", []served{{err: &fault.Error{Kind: fault.Permanent}}}, 0, []kept{{"", 0, "left"}}, false},
		{"broken off", []served{{contentType: "image/jpeg", size: 9, breaks: errAway}}, 0, []kept{{"", 0, "undecided"}}, true},
		{
			"eleven", slices.Repeat([]served{{contentType: "image/jpeg", size: 1}}, 11), 0,
			append(slices.Repeat([]kept{{"image/jpeg", 1, "kept"}}, 10), kept{"", 0, "left"}), false,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			source := &twilioOf{served: map[string]served{}}
			var attachments []sms.Media
			for i, one := range tt.served {
				url := string(rune('a' + i))
				source.served[url] = one
				attachments = append(attachments, sms.Media{URL: url})
			}
			clock := relaytest.NewClock(time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC))
			store := &relaytest.MemoryMedia{Now: clock.Now}
			got, err := media.Keeper{Source: source, Store: store, MaxItem: tt.maxItem, Now: clock.Now}.Keep(t.Context(), attachments)
			if diff := cmp.Diff(tt.want, states(got), cmp.AllowUnexported(kept{})); diff != "" {
				t.Errorf("attachments (-want +got):\n%s", diff)
			}
			if (err != nil) != tt.fails || err != nil && fault.Of(err).Kind != fault.Transient {
				t.Errorf("error %v", err)
			}
			for _, one := range got {
				if one.Token == "" {
					continue
				}
				item, err := store.Look(t.Context(), media.Token(one.Token))
				if err != nil || item.Size != one.Size || !item.ExpiresAt.Equal(one.KeptUntil) {
					t.Errorf("the store has %+v, error %v; want %+v", item, err, one)
				}
			}
		})
	}
}

// TestKeepAgain: what is decided is not fetched again, unless its copy would expire while Twilio may still fetch it.
func TestKeepAgain(t *testing.T) {
	t.Parallel()
	source := &twilioOf{served: map[string]served{
		"a": {contentType: "image/jpeg", size: 5}, "b": {contentType: "text/html", size: 6}, "c": {err: errAway},
	}}
	clock := relaytest.NewClock(time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC))
	keeper := media.Keeper{Source: source, Store: &relaytest.MemoryMedia{Now: clock.Now}, Now: clock.Now}
	first, err := keeper.Keep(t.Context(), []sms.Media{{URL: "a"}, {URL: "b", ContentType: "text/html"}, {URL: "c", ContentType: "image/png"}})
	if err == nil || len(source.fetched) != 3 {
		t.Fatalf("fetched %q, error %v", source.fetched, err)
	}
	source.served["c"] = served{contentType: "image/png", size: 7}
	second, err := keeper.Keep(t.Context(), first)
	if err != nil || !slices.Equal(source.fetched[3:], []string{"c"}) || second[0].Token != first[0].Token {
		t.Errorf("then fetched %q, error %v; want c alone", source.fetched[3:], err)
	}
	urls := media.URLs("https://relay.example.com/", second)
	const base = "https://relay.example.com/m/"
	if want := []string{base + second[0].Token, base + second[2].Token}; !slices.Equal(urls, want) {
		t.Errorf("Twilio gets %q, want %q", urls, want)
	}
	if left := media.LeftOf(second); len(left) != 1 || left[0] != (media.Left{Number: 2, ContentType: "text/html", Size: 6}) {
		t.Errorf("left: %+v", left)
	}
	clock.Advance(media.KeptFor - sms.MaxValidityPeriod - time.Hour)
	if third, err := keeper.Keep(t.Context(), second); err != nil || third[0].Token != second[0].Token {
		t.Errorf("just in time: %+v, error %v", third, err)
	}
	clock.Advance(time.Second)
	fourth, err := keeper.Keep(t.Context(), second)
	if err != nil || fourth[0].Token == second[0].Token || !slices.Equal(source.fetched[4:], []string{"a", "c"}) {
		t.Errorf("too late: %+v, fetched %q, error %v", fourth, source.fetched[4:], err)
	}
}

// TestKeptFor: a copy is kept for as long as the owner says.
func TestKeptFor(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 9, 0, 0, 0, time.UTC)
	for chosen, want := range map[time.Duration]time.Duration{0: 14 * 24 * time.Hour, media.MinKept: 4 * 24 * time.Hour} {
		keeper := media.Keeper{
			Source: &twilioOf{served: map[string]served{"a": {contentType: "image/jpeg", size: 5}}},
			Store:  &relaytest.MemoryMedia{Now: func() time.Time { return now }}, KeepFor: chosen, Now: func() time.Time { return now },
		}
		got, err := keeper.Keep(t.Context(), []sms.Media{{URL: "a"}})
		if err != nil || !got[0].KeptUntil.Equal(now.Add(want)) {
			t.Errorf("chosen %v: kept until %v, error %v; want %v", chosen, got[0].KeptUntil, err, now.Add(want))
		}
	}
	if media.MinKept < route.MaxMaxAge+sms.MaxValidityPeriod+time.Hour {
		t.Errorf("a copy may go after %v, before its text", media.MinKept)
	}
}

func TestLeave(t *testing.T) {
	t.Parallel()
	got := media.Leave([]sms.Media{{URL: "a", Token: "1"}, {URL: "b"}})
	if diff := cmp.Diff([]sms.Media{{URL: "a", Token: "1"}, {URL: "b", Left: true}}, got); diff != "" {
		t.Errorf("attachments (-want +got):\n%s", diff)
	}
}
