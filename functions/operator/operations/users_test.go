package operations_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"

	"quickdumpnow.com/smsrelay/functions/operator/operations"
)

// staff is the users of a relay, who are kept nowhere.
type staff struct {
	operations.UserOrder

	by  string
	err error
}

func (s *staff) List(context.Context) ([]operations.User, error) {
	return []operations.User{{Name: "anna", Role: "owner"}}, s.err
}

func (s *staff) Do(_ context.Context, by string, o operations.UserOrder) (operations.UserChange, error) {
	s.UserOrder, s.by = o, by
	return operations.UserChange{Action: o.Action, User: operations.User{Name: o.Name, Role: "owner"}, DryRun: o.DryRun}, s.err
}

func user(method, body string) events.APIGatewayV2HTTPRequest {
	return request(method, operations.PathUsers, "", body)
}

// TestUsers: each request is one order, in the name of whoever asks, and no password is in the log.
func TestUsers(t *testing.T) {
	s, kept := newStage(), &staff{}
	if a := s.ask(t, user(http.MethodGet, "")); a.status != http.StatusNotFound {
		t.Errorf("without users: status %d", a.status)
	}
	s.Users = kept
	if a := s.ask(t, user(http.MethodGet, "")); a.body != `[{"name":"anna","role":"owner"}]` {
		t.Errorf("the users are %s", a.body)
	}
	remove := request(http.MethodDelete, operations.PathUsers, "name=anna", "")
	signOut := request(http.MethodPost, operations.PathSignOut, "", `{"name":"anna"}`)
	for want, r := range map[operations.UserAction]events.APIGatewayV2HTTPRequest{
		operations.AddUser:     user(http.MethodPost, `{"name":"anna","role":"owner","password":"a horse and a battery"}`),
		operations.ChangeUser:  user(http.MethodPut, `{"name":"anna","phone":""}`),
		operations.SetPassword: user(http.MethodPut, `{"name":"anna","password":"a horse and a battery"}`),
		operations.RemoveUser:  remove, operations.SignOutUser: signOut,
	} {
		a := s.ask(t, r)
		if a.status != http.StatusOK || kept.Action != want || kept.by != caller || kept.Name != "anna" {
			t.Errorf("%s: status %d, the order is %+v of %s", want, a.status, kept.UserOrder, kept.by)
		}
		if isPhone := kept.Phone != nil && *kept.Phone == ""; isPhone != (want == operations.ChangeUser) {
			t.Errorf("%s: the order is %+v", want, kept.UserOrder)
		}
	}
	if strings.Contains(s.logged.String(), "battery") {
		t.Errorf("logged: %s", s.logged)
	}
	for body, status := range map[string]int{
		`{"name":""}`: http.StatusBadRequest, `{"name":"anna"}`: http.StatusUnprocessableEntity, `{"role":"owner"}`: http.StatusBadRequest,
		`{"name":"anna","role":"owner","password":"x"}`: http.StatusUnprocessableEntity,
		`{"name":"anna","role":null}`:                   http.StatusBadRequest,
	} {
		s.ask(t, user(http.MethodPut, body)).wantProblem(t, status)
	}
	s.ask(t, user(http.MethodPost, `{"name":"anna"}`)).wantProblem(t, http.StatusBadRequest, "role: is missing", "password: is missing")
	kept.err = operations.OrderError{Status: http.StatusNotFound, Detail: "there is no such user"}
	s.ask(t, remove).wantProblem(t, http.StatusNotFound, "no such user")
	kept.err = operations.OrderError{Field: "phone", Detail: "no route has it"}
	s.ask(t, signOut).wantProblem(t, http.StatusUnprocessableEntity, "phone: no route has it")
	kept.err = errors.New("the disk is away")
	s.ask(t, remove).wantProblem(t, http.StatusServiceUnavailable)
}
