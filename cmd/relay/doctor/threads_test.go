package doctor

import (
	"strings"
	"testing"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

// withThread is a world in which the route has a thread that is set up as its number is.
func withThread(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.routes[0].Threads = []sms.PhoneNumber{testThread}
	w.twilio.numbers[0].MMS = true
	thread := w.twilio.numbers[0]
	thread.Sid, thread.PhoneNumber = "PN2", testThread
	w.twilio.numbers = append(w.twilio.numbers, thread)
	return w
}

// TestThreadsAreCheckedAsTheirNumber: a missed webhook of a thread is a lost answer. Each is named, whether all is checked, the number,
// or the thread alone, and what is said shows no number whole.
func TestThreadsAreCheckedAsTheirNumber(t *testing.T) {
	thread := func(w *world) *twilio.Number { return &w.twilio.numbers[1] }
	for _, tt := range []struct {
		check  string
		status Status
		says   string
		wrong  func(w *world)
	}{
		{"number-owned", Fail, "***0110, a thread of ***0100, is not", func(w *world) { w.twilio.numbers = w.twilio.numbers[:1] }},
		{"number-capabilities", Fail, "***0110 cannot do SMS", func(w *world) { thread(w).SMS = false }},
		{"number-capabilities", Warn, "***0110 cannot do MMS", func(w *world) { thread(w).MMS = false }},
		{"webhook-url", Fail, "***0110 has no webhook", func(w *world) { thread(w).SmsURL = "" }},
		{"webhook-method", Warn, "***0110 calls", func(w *world) { thread(w).SmsMethod = "GET" }},
		{"webhook-retries", Fail, "for ***0110", func(w *world) { thread(w).SmsURL = testBase + "/sms/inbound" }},
		{"webhook-fallback", Warn, "***0110 has no fallback", func(w *world) { thread(w).SmsFallbackURL = "" }},
		{"messaging-service", Warn, "***0110 is in", func(w *world) { w.twilio.texts[0].MessagingServiceSid = "MG1" }},
	} {
		for _, number := range []sms.PhoneNumber{"", testNumber, testThread} {
			w := withThread(t)
			w.relay.Number = number
			if got := w.examine(t, tt.check)[tt.check]; got.Status != OK {
				t.Errorf("%s of %q where all is well: %s: %s", tt.check, number, got.Status, got.Found)
			}
			tt.wrong(w)
			if got := w.examine(t, tt.check)[tt.check]; got.Status != tt.status || !strings.Contains(got.Found, tt.says) {
				t.Errorf("%s of %q: %s: %s; want %s: …%s…", tt.check, number, got.Status, got.Found, tt.status, tt.says)
			}
			wantNothingShown(t, w.examine(t))
		}
	}
}

// TestTextsOfAThread are those of its route: the ledger has them under the route's number.
func TestTextsOfAThread(t *testing.T) {
	w := withThread(t)
	w.relay.Number = testThread
	w.records = append(w.records, failed(fault.Fatal, 20003))
	for check, want := range map[string]Status{"routes-active": OK, "sending-halted": Fail, "uncertain": OK} {
		if got := w.examine(t, check)[check]; got.Status != want {
			t.Errorf("%s: %s: %s; want %s", check, got.Status, got.Found, want)
		}
	}
}
