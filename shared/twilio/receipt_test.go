package twilio

import (
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/retry"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// lost are the statuses of a message that reached nobody.
var lost = []sms.Status{sms.StatusUndelivered, sms.StatusFailed, sms.StatusCanceled}

// A code that is known decides, whichever of the three statuses it comes with.
func TestClassifyReceiptByCode(t *testing.T) {
	for number, want := range wantedAnswers() {
		for _, status := range lost {
			got := ClassifyReceipt(status, number)
			if got.Kind != want.receipt || got.RetryAfter != want.after {
				t.Errorf("%s with code %d is %s after %s, want %s after %s", status, number, got.Kind, got.RetryAfter, want.receipt, want.after)
			}
			if got.Code != number || got.HTTPStatus != 0 || got.Err == nil {
				t.Errorf("%s with code %d gives %+v, want its code and meaning in it, and no HTTP status", status, number, got)
			}
		}
	}
}

func TestClassifyReceiptByStatus(t *testing.T) {
	tests := []struct {
		status sms.Status
		want   fault.Kind
		text   string
	}{
		{sms.StatusUndelivered, fault.Unreachable, "not delivered, for a reason that the relay does not know"},
		{sms.StatusFailed, fault.Unreachable, "not delivered, for a reason that the relay does not know"},
		{sms.StatusCanceled, fault.Permanent, "canceled before it was sent"},
	}
	for _, test := range tests {
		for _, code := range []int{0, 99999, -1} {
			got := ClassifyReceipt(test.status, code)
			if got.Kind != test.want || got.Code != code || got.RetryAfter != 0 || got.Err == nil || got.Err.Error() != test.text {
				t.Errorf("%s with code %d is %+v, want %s: %s", test.status, code, got, test.want, test.text)
			}
		}
	}
}

func TestClassifyReceiptOfWhatIsNoFailure(t *testing.T) {
	for _, status := range []sms.Status{
		"", "teleported", sms.StatusAccepted, sms.StatusScheduled, sms.StatusQueued, sms.StatusSending, sms.StatusSent,
		sms.StatusPartiallyDelivered, sms.StatusDelivered, sms.StatusRead, sms.StatusReceiving, sms.StatusReceived,
	} {
		for _, code := range []int{0, 30003} {
			if got := ClassifyReceipt(status, code); got != nil {
				t.Errorf("%q with code %d is %s, want no failure", status, code, got)
			}
		}
	}
}

// Whatever the code, there is nothing to find out about a message that its receipt says reached nobody.
func TestNoReceiptIsUnknown(t *testing.T) {
	for _, status := range lost {
		for code := range 100_000 {
			got := ClassifyReceipt(status, code)
			if answer := retry.AnswerTo(got.Kind); answer == retry.Unknown || answer == retry.Sent {
				t.Fatalf("%s with code %d is answered %s", status, code, answer)
			}
			if got.RetryAfter > 2*time.Hour {
				t.Errorf("%s with code %d waits %s", status, code, got.RetryAfter)
			}
		}
	}
}
