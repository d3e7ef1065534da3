package users_test

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/cmd/relay/users"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

const password = "a horse and a battery"

func newBook(t *testing.T) (users.Book, *relaytest.MemoryConversations) {
	t.Helper()
	way := relaytest.Route()
	way.Phones = []route.Phone{{Name: "Ann", Number: relaytest.Destination}}
	kept := &relaytest.MemoryConversations{}
	return users.Book{
		Users: signin.NewUsers(filepath.Join(t.TempDir(), "users")), Actions: kept, Routes: relaytest.NewMemoryRoutes(way), Now: time.Now,
	}, kept
}

// TestDo: each change is on record with who made it, and nothing is that was refused or only asked about.
func TestDo(t *testing.T) {
	t.Parallel()
	b, kept := newBook(t)
	text := func(s string) *string { return &s }
	for i, tt := range []struct {
		order operations.UserOrder
		// status is that of the refusal, field what is wrong.
		status int
		field  string
		want   operations.User
	}{
		{
			operations.UserOrder{Action: operations.AddUser, Name: "an na", Role: text("owner"), Password: password},
			422, "name",
			operations.User{},
		},
		{operations.UserOrder{Action: operations.AddUser, Name: "anna", Role: text("chief"), Password: password}, 422, "role", operations.User{}},
		{
			operations.UserOrder{Action: operations.AddUser, Name: "anna", Role: text("owner"), Password: "short"},
			422, "password",
			operations.User{},
		},
		{
			operations.UserOrder{Action: operations.AddUser, Name: "anna", Role: text("owner"), Phone: text("Zoe"), Password: password},
			422, "phone",
			operations.User{},
		},
		{operations.UserOrder{Action: operations.ChangeUser, Name: "anna", Role: text("owner")}, 404, "", operations.User{}},
		{
			operations.UserOrder{Action: operations.AddUser, Name: "Anna", Role: text("owner"), Phone: text("ann"), DryRun: true},
			0, "",
			operations.User{Name: "anna", Role: "owner", Phone: "Ann"},
		},
		{
			operations.UserOrder{Action: operations.AddUser, Name: "Anna", Role: text("owner"), Phone: text("ann"), Password: password},
			0, "",
			operations.User{Name: "anna", Role: "owner", Phone: "Ann"},
		},
		{operations.UserOrder{Action: operations.AddUser, Name: "anna", Role: text("viewer"), Password: password}, 409, "", operations.User{}},
		{
			operations.UserOrder{Action: operations.ChangeUser, Name: "anna", Phone: text(string(relaytest.Fallback))},
			0, "",
			operations.User{Name: "anna", Role: "owner", Phone: string(relaytest.Fallback)},
		},
		{
			operations.UserOrder{Action: operations.ChangeUser, Name: "anna", Role: text("viewer"), Phone: text("")},
			0, "",
			operations.User{Name: "anna", Role: "viewer"},
		},
		{operations.UserOrder{Action: operations.SetPassword, Name: "anna"}, 422, "password", operations.User{}},
		{
			operations.UserOrder{Action: operations.SetPassword, Name: "anna", Password: password + "!"},
			0, "",
			operations.User{Name: "anna", Role: "viewer"},
		},
		{operations.UserOrder{Action: operations.SignOutUser, Name: "anna"}, 0, "", operations.User{Name: "anna", Role: "viewer"}},
		{operations.UserOrder{Action: operations.RemoveUser, Name: "anna"}, 0, "", operations.User{Name: "anna", Role: "viewer"}},
		{operations.UserOrder{Action: operations.RemoveUser, Name: "anna"}, 404, "", operations.User{}},
	} {
		before := len(kept.Actions())
		change, err := b.Do(t.Context(), "bert", tt.order)
		refused, _ := errors.AsType[operations.OrderError](err)
		if refused.Status != tt.status || refused.Field != tt.field || (err == nil) != (tt.status == 0) {
			t.Errorf("step %d: error %v (%+v), want %d %s", i, err, refused, tt.status, tt.field)
		}
		change.User.AddedAt, change.User.PasswordSetAt = time.Time{}, time.Time{}
		if err == nil && (change.User != tt.want || change.Action != tt.order.Action) {
			t.Errorf("step %d: %+v, want %+v", i, change, tt.want)
		}
		if got, want := len(kept.Actions())-before, err == nil && !tt.order.DryRun; (got == 1) != want || got > 1 {
			t.Errorf("step %d: %d are on record more", i, got)
		}
	}
	notes := map[conversation.Deed]string{}
	for _, a := range kept.Actions() {
		if a.By != "bert" || a.User != "anna" {
			t.Errorf("on record is %+v", a)
		}
		notes[a.Deed] = a.Note
	}
	if notes[conversation.DeedAddUser] != "owner, Ann" {
		t.Errorf("the notes are %v", notes)
	}
}

// TestWhatCannotBeRecordedIsNotDone.
func TestWhatCannotBeRecordedIsNotDone(t *testing.T) {
	t.Parallel()
	b, kept := newBook(t)
	kept.Fault = func(string) error { return &fault.Error{Kind: fault.Transient, Err: errors.New("no answer")} }
	role := "owner"
	_, err := b.Do(t.Context(), "bert", operations.UserOrder{Action: operations.AddUser, Name: "anna", Role: &role, Password: password})
	all, listed := b.List(t.Context())
	if err == nil || listed != nil || len(all) != 0 {
		t.Errorf("error %v, the users are %+v, %v", err, all, listed)
	}
}
