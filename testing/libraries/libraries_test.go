package libraries

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/cmd/relay/twiliofake"
	"quickdumpnow.com/smsrelay/shared/sms"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const (
	account  = "AC00000000000000000000000000000001"
	token    = "faketokenfaketokenfaketokenfake1"
	number   = sms.PhoneNumber("+18585550100")
	customer = sms.PhoneNumber("+13125550147")
)

// saw is what an application says that it saw.
type saw struct {
	Texts, Statuses, Listed []string
	Forged, Refused         int
	Delivered               string
	// Campaigns is how far the campaign was at first and in the end. The other three are of the Messaging Service with the number.
	Campaigns, Members []string
	Registered         []bool
	Sender             string
}

// fake starts a fake Twilio, and returns it with its address.
func fake(t *testing.T) (*twiliofake.Server, string) {
	t.Helper()
	server, err := twiliofake.New(twiliofake.Config{
		AccountSid: account, AuthToken: token, Numbers: []sms.PhoneNumber{number}, StepDelay: time.Millisecond, Now: time.Now, Exchanges: 100,
	})
	if err != nil {
		t.Fatal(err)
	}
	listener := httptest.NewServer(server)
	t.Cleanup(func() { listener.Close(); server.Close() })
	return server, listener.URL
}

// TestPython points the library by client.api.base_url.
func TestPython(t *testing.T) {
	testApplication(t, exec.CommandContext(t.Context(), relaytest.Library(t, relaytest.LibraryPython), "testdata/app.py"))
}

// TestNode points the library by client.api.baseUrl.
func TestNode(t *testing.T) {
	modules := relaytest.Library(t, relaytest.LibraryNode)
	command := exec.CommandContext(t.Context(), "node", "testdata/app.cjs")
	command.Env = append(os.Environ(), "NODE_PATH="+modules)
	testApplication(t, command)
}

// testApplication runs an application, and wants all that it did to have gone as with Twilio.
func testApplication(t *testing.T, command *exec.Cmd) {
	t.Helper()
	server, url := fake(t)
	command.Args = append(command.Args, url, account, token, string(number), string(customer))
	command.Stderr = t.Output()
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	var got saw
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("it said %s: %v", out, err)
	}
	check(t, server, got)
}

// check holds what an application saw against what it has to see, and what the fake says of it.
func check(t *testing.T, server *twiliofake.Server, got saw) {
	t.Helper()
	want := saw{
		Texts: []string{"Is the sofa gone?", "STOP"}, Statuses: []string{"sent", "delivered"}, Listed: []string{"It is on its way"},
		Refused: 21610, Delivered: "delivered", Campaigns: []string{"PENDING", "VERIFIED"}, Members: []string{string(number)},
		Registered: []bool{true}, Sender: string(number),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the application saw (-want +got):\n%s", diff)
	}
	exchanges, _ := server.Exchanges(twiliofake.ExchangeFilter{})
	refused := slices.DeleteFunc(exchanges, func(e twiliofake.Exchange) bool { return e.Accepted })
	if len(refused) != 1 || refused[0].ErrorCode != 21610 || refused[0].StatusCode != http.StatusBadRequest {
		t.Errorf("not accepted were %+v", refused)
	}
}
