package twiliofake_test

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/shared/twilio"
)

func clientOf(t *testing.T, account *account) *twilio.Client {
	t.Helper()
	client, err := twilio.New(twilio.Config{AccountSid: accountSid, AuthToken: authToken, BaseURL: account.url})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// TestRedact: a message that is finished loses its words, and nothing else, as often as it is asked.
func TestRedact(t *testing.T) {
	account := start(t)
	client := clientOf(t, account)
	created, err := client.Create(t.Context(), sms.Outbound{From: ours, To: carrier, Body: "Mattress"})
	if err != nil {
		t.Fatal(err)
	}
	account.settle(t)
	for range 2 {
		if err := client.Redact(t.Context(), created.Sid); err != nil {
			t.Error(err)
		}
	}
	found, err := client.Fetch(t.Context(), created.Sid)
	if err != nil || found.Body != "" || found.To != carrier || found.Status != sms.StatusDelivered {
		t.Errorf("got %+v, error %v", found, err)
	}
	if err := client.Redact(t.Context(), "SM00000000000000000000000000000bad"); fault.Of(err).HTTPStatus != http.StatusNotFound {
		t.Errorf("a message that is not there: %v", err)
	}
}

// TestRedactUnderWay: a message that is not finished keeps its words and its attachments.
func TestRedactUnderWay(t *testing.T) {
	account := start(t, func(c *twiliofake.Config) { c.StepDelay = time.Hour })
	client := clientOf(t, account)
	created, err := client.Create(t.Context(), sms.Outbound{From: ours, To: carrier, Body: "Mattress"})
	if err != nil {
		t.Fatal(err)
	}
	f := fault.Of(client.Redact(t.Context(), created.Sid))
	if f.HTTPStatus != http.StatusConflict || f.Code != twilio.CodeNotFinished {
		t.Errorf("got %+v", f)
	}
	if found, err := client.Fetch(t.Context(), created.Sid); err != nil || found.Body != "Mattress" {
		t.Errorf("got %+v, error %v", found, err)
	}
}

// TestDeleteMedia: the attachments go, and the addresses at the CDN with them.
func TestDeleteMedia(t *testing.T) {
	account, app := start(t), receive(t, nil)
	inbound := twiliofake.Inbound{From: customer, To: ours, Files: []twiliofake.File{picture, picture}}
	response, err := account.SendInbound(t.Context(), inbound, app.url)
	if err != nil {
		t.Fatal(err)
	}
	client := clientOf(t, account)
	for _, want := range []int{2, 0} {
		if deleted, err := client.DeleteMedia(t.Context(), response.MessageSid); err != nil || deleted != want {
			t.Errorf("deleted %d, want %d; error %v", deleted, want, err)
		}
	}
	_, err = client.FetchMedia(t.Context(), app.webhooks()[0].params.Get("MediaUrl0"), 100)
	if err == nil || len(account.MediaOf(response.MessageSid)) > 0 {
		t.Errorf("it is still there: %v", err)
	}
}

// TestEraseInTrouble: what was erased although the answer was lost can be asked for again.
func TestEraseInTrouble(t *testing.T) {
	faults := []twiliofake.Fault{{Status: http.StatusServiceUnavailable}, {DropConnection: true, OnceTaken: true}, {}}
	account := start(t, func(c *twiliofake.Config) {
		c.Faults.BeforeErase = func(string) twiliofake.Fault {
			next := faults[0]
			faults = faults[1:]
			return next
		}
	})
	client := clientOf(t, account)
	created, err := client.Create(t.Context(), sms.Outbound{From: ours, To: carrier, Body: "Mattress"})
	if err != nil {
		t.Fatal(err)
	}
	account.settle(t)
	for i, want := range []string{"Mattress", "", ""} {
		err := client.Redact(t.Context(), created.Sid)
		if _, isFault := errors.AsType[*fault.Error](err); isFault == (i == 2) {
			t.Errorf("request %d: %v", i+1, err)
		}
		if found, err := client.Fetch(t.Context(), created.Sid); err != nil || found.Body != want {
			t.Errorf("after request %d: %+v, error %v", i+1, found, err)
		}
	}
}
