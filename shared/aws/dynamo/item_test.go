package dynamo_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// TestRecordSurvives writes and reads records of any content.
func TestRecordSurvives(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		l := ledgerOn(newFake(dynamo.LedgerSchema()), noon)
		want := drawRecord(t)
		created, err := l.Create(t.Context(), want)
		if err != nil {
			t.Fatal(err)
		}
		want.Version = 1
		got, err := l.Get(t.Context(), want.MessageSid)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()) + cmp.Diff(want, created); diff != "" {
			t.Errorf("record (-given +stored):\n%s", diff)
		}
	})
}

func drawRecord(t *rapid.T) ledger.Record {
	number := rapid.Custom(func(t *rapid.T) sms.PhoneNumber {
		return sms.PhoneNumber(rapid.SampledFrom([]string{"", "+18585550100", "24365", "whatsapp:+18585550101", "Ü"}).Draw(t, "number"))
	})
	at := rapid.Custom(func(t *rapid.T) time.Time {
		return time.UnixMilli(rapid.Int64Range(0, 4e12).Draw(t, "ms")).UTC()
	})
	attempt := rapid.Custom(func(t *rapid.T) ledger.Attempt {
		return ledger.Attempt{
			Number: rapid.Int().Draw(t, "attempt"), To: number.Draw(t, "to"), ClaimID: rapid.String().Draw(t, "claim"),
			StartedAt: at.Draw(t, "started"), ErrorCode: rapid.Int().Draw(t, "code"), Error: rapid.String().Draw(t, "error"),
		}
	})
	media := rapid.Custom(func(t *rapid.T) sms.Media { return sms.Media{URL: rapid.String().Draw(t, "url")} })
	return ledger.Record{
		MessageSid:   "SM" + rapid.StringN(1, 32, -1).Draw(t, "sid"),
		State:        rapid.SampledFrom(ledger.States()).Draw(t, "state"),
		Manual:       rapid.Bool().Draw(t, "manual"),
		TwilioNumber: number.Draw(t, "twilio number"),
		Customer:     number.Draw(t, "customer"),
		Body:         rapid.String().Draw(t, "body"),
		Media:        rapid.SliceOf(media).Draw(t, "media"),
		ReceivedAt:   at.Draw(t, "received"),
		UpdatedAt:    at.Draw(t, "updated"),
		Attempts:     rapid.SliceOf(attempt).Draw(t, "attempts"),
		ExpiresAt:    rapid.Int64().Draw(t, "expires"),
	}
}

// BenchmarkCreate claims a text, the SDK's own work and the wire form included, against a table in memory.
func BenchmarkCreate(b *testing.B) {
	f := newFake(dynamo.LedgerSchema())
	l := ledgerOn(f, noon)
	r, err := ledger.Record{MessageSid: "SM1", TwilioNumber: "+18585550100", Customer: "+18585550111", ReceivedAt: noon()}.
		Claim("mine", 0, "+18585550122", time.Minute, noon())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		delete(f.items, r.MessageSid)
		if _, err := l.Create(b.Context(), r); err != nil {
			b.Fatal(err)
		}
	}
}
