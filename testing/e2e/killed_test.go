//go:build unix

package e2e

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/ledger"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/lambdahost"
	"quickdumpnow.com/smsrelay/testing/lambdahost/runtime"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestKilledBootstrap ends the sender's processes as kill -9 does while Twilio holds their POSTs. The messages come back when
// the queue's visibility timeout, three minutes, is over; what was taken is found, what was not is sent, and nothing twice.
func TestKilledBootstrap(t *testing.T) {
	t.Parallel()
	held := make(chan struct{})
	var faults twiliofake.Faults
	faults.AfterCreate = func(twiliofake.Message) twiliofake.Fault {
		select {
		case <-held:
		case <-time.After(5 * time.Second): // Longer than it takes to kill them, and the fake's connections end with them.
		}
		return twiliofake.Fault{}
	}
	faults.BeforeCallback = func(twiliofake.Message) twiliofake.CallbackFault { return twiliofake.CallbackFault{Delay: time.Second} }
	s := newStage(t, map[string]any{"PacePair": "off", "PaceNumber": "off", "ReconcileInterval": "2s"},
		func(c *twiliofake.Config) { c.Faults = faults })
	s.putRoute(route.Route{TwilioNumber: number, DestinationCarrier: phone, OnUncertain: route.Resend})
	var sids []string
	for i := range 12 {
		sids = append(sids, s.mustText(customer(i), number, fmt.Sprintf("text %02d", i)))
	}
	s.until("messages are under way", time.Minute, func() bool { return len(s.twilio.Messages()) > len(sids)+3 })
	killed := s.host.Function("SenderFunction").Kill()
	close(held)
	if killed == 0 {
		t.Fatal("no process was at work")
	}
	t.Logf("killed %d processes in the middle of their batches", killed)
	for _, sid := range sids {
		s.await(sid, 5*time.Minute, ledger.Delivered, ledger.Sent)
	}
	for body, messages := range s.sent() {
		if len(messages) != 1 {
			t.Errorf("%q was sent %d times", body, len(messages))
		}
	}
	if n := len(s.sent()); n != len(sids) {
		t.Errorf("%d texts were sent, want %d", n, len(sids))
	}
	s.checkTrails(sids)
}

// TestFrontDoor: the gateway answers for itself what the template gives no function.
func TestFrontDoor(t *testing.T) {
	s := newStage(t, nil, nil)
	for _, request := range []struct {
		method, path string
		want         int
	}{
		{"GET", "/sms/health", 200},
		{"GET", "/sms/inbound", 200},
		{"POST", "/sms/inbound", 415},
		{"DELETE", "/sms/inbound", 404},
		{"GET", "/nothing", 404},
		{"POST", "/sms/relay", 403},
		{"POST", "/sms/reply", 403},
		{"GET", "/openapi.json", 403},
		{"OPTIONS", "/sms/relay", 204},
	} {
		got := s.door(request.method, request.path)
		if got != request.want {
			t.Errorf("%s %s is answered %d, want %d", request.method, request.path, got, request.want)
		}
	}
	before := s.host.Function("OperatorFunction").Statistics().Invocations
	if s.door("OPTIONS", "/sms/status"); s.host.Function("OperatorFunction").Statistics().Invocations != before {
		t.Error("a preflight reached a function")
	}
}

// TestFunctionsRefuseToStartUnset: a function without settings says everything that is missing, and serves nothing.
func TestFunctionsRefuseToStartUnset(t *testing.T) {
	relaytest.Emulator(t, relaytest.EmulatorMoto) // It is not asked, but without the emulators nobody built the functions.
	for id, missing := range map[string][]string{
		"IngestFunction": {"RELAY_QUEUE_URL", "RELAY_TWILIO_AUTH_TOKEN_SECRET", "AWS_REGION"},
		"SenderFunction": {
			"RELAY_QUEUE_URL", "RELAY_DEAD_LETTER_QUEUE_URL", "RELAY_TIMER_QUEUE_URL", "RELAY_LEDGER_TABLE",
			"RELAY_ROUTING_TABLE", "RELAY_CONVERSATIONS_TABLE", "RELAY_PACE_TABLE", "RELAY_MEDIA_BUCKET", "RELAY_MEDIA_BASE_URL",
			"TWILIO_ACCOUNT_SID",
		},
		"StreamAuditFunction": {"RELAY_AUDIT_LOG_GROUP", "RELAY_AUDIT_FAILURE_BUCKET"},
		"OperatorFunction": {
			"RELAY_QUEUE_URL", "RELAY_LEDGER_TABLE", "RELAY_ROUTING_TABLE", "RELAY_CONVERSATIONS_TABLE",
			"RELAY_AUDIT_LOG_GROUP",
		},
		"MediaFunction": {"RELAY_MEDIA_BUCKET", "AWS_REGION"},
	} {
		command, err := lambdahost.Command(filepath.Join(*artefacts, id, "bootstrap"))
		if err != nil {
			t.Fatal(err)
		}
		said := newLines(t)
		f := runtime.New(runtime.Config{
			Name: id, Command: command, Timeout: time.Minute, MaxInstances: 1, Now: time.Now,
			Log: func(line []byte) { said.take(id, line) },
		})
		if _, err := f.Invoke(t.Context(), []byte("{}")); err == nil {
			t.Errorf("%s served", id)
		}
		f.Close()
		for _, variable := range missing {
			if len(said.holding(id, variable+" is not set")) == 0 {
				t.Errorf("%s did not say that %s is missing", id, variable)
			}
		}
	}
}

// door makes a request that nobody signed.
func (s *stage) door(method, path string) (status int) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.host.URL()+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	request.Header.Set("Origin", "https://quickdumpnow.com")
	return s.statusOf(request)
}
