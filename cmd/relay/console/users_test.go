package console_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/shared/conversation"
)

func (b *browser) staff(path string, fields ...string) *httptest.ResponseRecorder {
	b.Helper()
	form := url.Values{"form": {b.form()}}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	return b.do(http.MethodPost, "/console/users/"+path, form)
}

// TestOwnersSeeToUsers: an owner makes, changes and removes users on a page, which says what came of it; the record has who did it.
func TestOwnersSeeToUsers(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	owner := s.as(signin.Owner)
	owner.want(owner.do(http.MethodGet, "/console/users", nil), http.StatusOK, "the-viewer",
		`<option value="Bo">`, `<option value="`+string(phone)+`">`)
	add := []string{"name", "Bert", "role", "dispatcher", "phone", "Bo", "password", password}
	owner.want(owner.follow(owner.staff("add", add...)), http.StatusOK, "The user may sign in now.", "bert", "has the phone Bo")
	owner.want(owner.staff("add", add...), http.StatusConflict, "There is such a user already.")
	owner.want(owner.staff("add", "name", "zoe", "role", "viewer", "password", "short"), http.StatusUnprocessableEntity,
		"12 characters or more")
	bert := s.browser()
	bert.want(bert.signIn("bert", password), http.StatusSeeOther)
	owner.want(owner.follow(owner.staff("change", "name", "bert", "role", "viewer", "phone", "")), http.StatusOK, "The user is changed.")
	if u, err := s.users().Get("bert"); err != nil || u.Role != signin.Viewer || u.Phone != "" {
		t.Errorf("bert is %+v, %v", u, err)
	}
	bert.want(bert.do(http.MethodGet, "/console", nil), http.StatusOK, "bert, viewer")
	owner.want(owner.follow(owner.staff("sign-out", "name", "bert")), http.StatusOK, "signed out everywhere")
	bert.want(bert.do(http.MethodGet, "/console", nil), http.StatusSeeOther)
	owner.want(owner.follow(owner.staff("password", "name", "bert", "password", password+"!")), http.StatusOK, "another password")
	bert.want(bert.signIn("bert", password), http.StatusUnauthorized)
	s.pass(time.Hour + time.Minute)
	bert.want(bert.signIn("bert", password+"!"), http.StatusSeeOther)
	owner.want(owner.staff("password", "name", "bert", "password", ""), http.StatusUnprocessableEntity, "12 characters or more")
	owner.want(owner.follow(owner.staff("remove", "name", "bert")), http.StatusOK, "The user is removed.")
	bert.want(bert.do(http.MethodGet, "/console", nil), http.StatusSeeOther)
	owner.want(owner.staff("remove", "name", "bert"), http.StatusNotFound, "There is no such user.")
	for _, deed := range []conversation.Deed{
		conversation.DeedAddUser, conversation.DeedChangeUser, conversation.DeedSignOutUser, conversation.DeedSetPassword,
		conversation.DeedRemoveUser,
	} {
		s.wantOnRecord(deed, "the-owner")
	}
	if log := s.log.String(); strings.Contains(log, "battery") {
		t.Errorf("logged: %s", log)
	}
}

// TestNobodyTakesHisOwnRightsAway: the console always has an owner who can sign in.
func TestNobodyTakesHisOwnRightsAway(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	owner := s.as(signin.Owner)
	owner.want(owner.staff("remove", "name", "the-owner"), http.StatusConflict, "You cannot take your own rights away.")
	owner.want(owner.staff("remove", "name", "The-Owner"), http.StatusConflict, "You cannot take your own rights away.")
	owner.want(owner.staff("change", "name", "the-owner", "role", "viewer"), http.StatusConflict, "You cannot take your own rights away.")
	owner.want(owner.staff("change", "name", "the-owner", "role", "owner", "phone", "Bo"), http.StatusSeeOther)
	dispatcher := s.as(signin.Dispatcher)
	for _, path := range []string{"add", "change", "password", "sign-out", "remove"} {
		dispatcher.want(dispatcher.staff(path, "name", "the-viewer", "role", "owner", "password", password), http.StatusForbidden)
	}
	dispatcher.want(dispatcher.do(http.MethodGet, "/console/users", nil), http.StatusForbidden)
	if page := dispatcher.do(http.MethodGet, "/console", nil); strings.Contains(page.Body.String(), "/console/users") {
		t.Error("a dispatcher is shown the way to the users")
	}
}
