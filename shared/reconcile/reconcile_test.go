package reconcile_test

import (
	"fmt"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/reconcile"
	"quickdumpnow.com/smsrelay/shared/sms"
)

const (
	number sms.PhoneNumber = "+18585550100"
	phone  sms.PhoneNumber = "+18585550122"
	// span is the relay's default: three looks, 40 s apart.
	span  = 2 * time.Minute
	words = "From +18585550111: Is the gate open?"
)

var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// listed is a message like the lost one, created that long after noon.
func listed(name string, after time.Duration) sms.Listed {
	return sms.Listed{
		Sid: "SM" + name, Status: sms.StatusSent, Body: words, From: number, To: phone, Direction: sms.DirectionAPI,
		DateCreated: noon.Add(after).Truncate(time.Second),
	}
}

// but returns the message with a change.
func but(m sms.Listed, edit func(m *sms.Listed)) sms.Listed {
	edit(&m)
	return m
}

func TestFind(t *testing.T) {
	const absent, present, ambiguous = reconcile.Absent, reconcile.Present, reconcile.Ambiguous
	a, b, c := listed("a", 0), listed("b", time.Second), listed("c", 2*time.Second)
	for name, tt := range map[string]struct {
		listed []sms.Listed
		known  []string
		rivals []time.Duration
		want   reconcile.Verdict
		sid    string
	}{
		"nothing":                  {nil, nil, nil, absent, ""},
		"it":                       {[]sms.Listed{a}, nil, nil, present, "SMa"},
		"it, listed twice":         {[]sms.Listed{a, a}, nil, nil, present, "SMa"},
		"another's":                {[]sms.Listed{a}, []string{"SMa"}, nil, absent, ""},
		"another's and it":         {[]sms.Listed{b, a}, []string{"SMa"}, nil, present, "SMb"},
		"a rival's or it":          {[]sms.Listed{a}, nil, []time.Duration{0}, ambiguous, ""},
		"listed twice, one rival":  {[]sms.Listed{a, a}, nil, []time.Duration{time.Second}, ambiguous, ""},
		"a rival's and it":         {[]sms.Listed{a, b}, nil, []time.Duration{-time.Second}, present, "SMb"},
		"it and a rival's":         {[]sms.Listed{b, a}, nil, []time.Duration{time.Second}, present, "SMa"},
		"between two rivals":       {[]sms.Listed{c, b, a}, nil, []time.Duration{time.Second, -time.Second}, present, "SMb"},
		"two rivals, two there":    {[]sms.Listed{a, b}, nil, []time.Duration{time.Second, -time.Second}, ambiguous, ""},
		"rivals, nothing there":    {nil, nil, []time.Duration{0, 0}, absent, ""},
		"a rival of long ago":      {[]sms.Listed{a}, nil, []time.Duration{-91 * time.Second}, present, "SMa"},
		"a rival that began later": {[]sms.Listed{a}, nil, []time.Duration{31 * time.Second}, present, "SMa"},
		"known and rival":          {[]sms.Listed{a, b, c}, []string{"SMb"}, []time.Duration{-time.Second}, present, "SMc"},
		"of the same second":       {[]sms.Listed{listed("y", 0), listed("x", 0)}, nil, []time.Duration{-time.Second}, present, "SMy"},
		"more than can be":         {[]sms.Listed{a, b, c}, nil, nil, present, "SMa"},
	} {
		t.Run(name, func(t *testing.T) {
			q := reconcile.Question{
				Message: sms.Outbound{From: number, To: phone, Body: words}, StartedAt: noon, Span: span, Listed: tt.listed,
				Known: map[string]bool{},
			}
			for _, sid := range tt.known {
				q.Known[sid] = true
			}
			for _, after := range tt.rivals {
				q.Rivals = append(q.Rivals, noon.Add(after))
			}
			message, verdict := reconcile.Find(q)
			if verdict != tt.want || message.Sid != tt.sid {
				t.Errorf("Find = %q, %v; want %q, %v", message.Sid, verdict, tt.sid, tt.want)
			}
		})
	}
}

// TestFindInAnotherSpelling: an older route's phone may be written otherwise than Twilio lists it.
func TestFindInAnotherSpelling(t *testing.T) {
	message := listed("a", 0)
	message.To = "+447700900123"
	q := reconcile.Question{
		Message: sms.Outbound{From: number, To: "+4407700900123", Body: words}, StartedAt: noon, Span: span,
		Listed: []sms.Listed{message},
	}
	if found, verdict := reconcile.Find(q); verdict != reconcile.Present || found.Sid != message.Sid {
		t.Errorf("Find = %q, %v; want %q", found.Sid, verdict, message.Sid)
	}
}

// What is on the list is the lost message only if it says the same to the same phone, from the API, at its time.
func TestIsLike(t *testing.T) {
	for name, tt := range map[string]struct {
		edit func(m *sms.Listed)
		want reconcile.Verdict
	}{
		"all the same":       {func(*sms.Listed) {}, reconcile.Present},
		"any status":         {func(m *sms.Listed) { m.Status = sms.StatusFailed }, reconcile.Present},
		"blanks at its ends": {func(m *sms.Listed) { m.Body = "\n " + m.Body + "\t" }, reconcile.Present},
		"other words":        {func(m *sms.Listed) { m.Body += "." }, reconcile.Absent},
		"blanks inside":      {func(m *sms.Listed) { m.Body = "From +18585550111:  Is the gate open?" }, reconcile.Absent},
		"no words":           {func(m *sms.Listed) { m.Body = "" }, reconcile.Absent},
		"other phone":        {func(m *sms.Listed) { m.To = "+18585550133" }, reconcile.Absent},
		"other number":       {func(m *sms.Listed) { m.From = "+18585550140" }, reconcile.Absent},
		"a customer's":       {func(m *sms.Listed) { m.Direction = "inbound" }, reconcile.Absent},
		"a reply":            {func(m *sms.Listed) { m.Direction = "outbound-reply" }, reconcile.Absent},
		"no direction":       {func(m *sms.Listed) { m.Direction = "" }, reconcile.Absent},
		"our clock is ahead": {func(m *sms.Listed) { m.DateCreated = noon.Add(-30 * time.Second) }, reconcile.Present},
		"older than that":    {func(m *sms.Listed) { m.DateCreated = noon.Add(-31 * time.Second) }, reconcile.Absent},
		"accepted late":      {func(m *sms.Listed) { m.DateCreated = noon.Add(90 * time.Second) }, reconcile.Present},
		"accepted later":     {func(m *sms.Listed) { m.DateCreated = noon.Add(91 * time.Second) }, reconcile.Absent},
		"created who knows":  {func(m *sms.Listed) { m.DateCreated = time.Time{} }, reconcile.Absent},
	} {
		t.Run(name, func(t *testing.T) {
			q := reconcile.Question{
				Message: sms.Outbound{From: number, To: phone, Body: words}, StartedAt: noon, Span: span,
				Listed: []sms.Listed{but(listed("a", 0), tt.edit)},
			}
			if _, verdict := reconcile.Find(q); verdict != tt.want {
				t.Errorf("verdict %v, want %v", verdict, tt.want)
			}
		})
	}
}

// Twilio's dates are exact to the second, ours to the millisecond.
func TestSecondsOfTheWindow(t *testing.T) {
	started := noon.Add(999 * time.Millisecond)
	q := reconcile.Question{Message: sms.Outbound{From: number, To: phone, Body: words}, StartedAt: started, Span: span}
	for created, want := range map[time.Duration]reconcile.Verdict{
		-30 * time.Second: reconcile.Present, -31 * time.Second: reconcile.Absent, 90 * time.Second: reconcile.Present,
		91 * time.Second: reconcile.Absent,
	} {
		q.Listed = []sms.Listed{listed("a", created)}
		if _, verdict := reconcile.Find(q); verdict != want {
			t.Errorf("created %v after noon: %v, want %v", created, verdict, want)
		}
	}
	if from, to := reconcile.Window(noon, span, time.Minute); !from.Equal(noon.Add(-30*time.Second)) || !to.Equal(noon.Add(90*time.Second)) {
		t.Errorf("window %v to %v", from, to)
	}
}

func TestVerdictsHaveNames(t *testing.T) {
	for verdict, want := range map[reconcile.Verdict]string{
		reconcile.Absent: "absent", reconcile.Present: "present", reconcile.Ambiguous: "ambiguous", 0: "unknown", 9: "unknown",
	} {
		if got := fmt.Sprint(verdict); got != want {
			t.Errorf("%d is %q, want %q", int(verdict), got, want)
		}
	}
}

// TestFindComparesMedia: of two messages with the same words, that with as many attachments as were posted is it. Before it is sent, a
// message may have none yet.
func TestFindComparesMedia(t *testing.T) {
	t.Parallel()
	media := func(n int, status sms.Status) sms.Listed {
		return but(listed("a", 0), func(m *sms.Listed) { m.NumMedia, m.Status = n, status })
	}
	for name, tt := range map[string]struct {
		posted int
		listed sms.Listed
		want   reconcile.Verdict
	}{
		"as many":                          {2, media(2, sms.StatusDelivered), reconcile.Present},
		"none, and none":                   {0, media(0, sms.StatusDelivered), reconcile.Present},
		"fewer":                            {2, media(1, sms.StatusDelivered), reconcile.Absent},
		"more":                             {0, media(1, sms.StatusQueued), reconcile.Absent},
		"none, and it is delivered":        {1, media(0, sms.StatusDelivered), reconcile.Absent},
		"none yet":                         {1, media(0, sms.StatusQueued), reconcile.Present},
		"none, since they were not to get": {1, media(0, sms.StatusFailed), reconcile.Present},
	} {
		_, verdict := reconcile.Find(reconcile.Question{
			Message: sms.Outbound{From: number, To: phone, Body: words}, NumMedia: tt.posted, StartedAt: noon, Span: span,
			Listed: []sms.Listed{tt.listed},
		})
		if verdict != tt.want {
			t.Errorf("%s: %s, want %s", name, verdict, tt.want)
		}
	}
}
