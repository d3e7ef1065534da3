package console

import (
	"cmp"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"quickdumpnow.com/smsrelay/cmd/relay/webfiles"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/route"
)

// What was done to a user.
const (
	userAdded     done = "user-added"
	userChanged   done = "user-changed"
	userRemoved   done = "user-removed"
	userSignedOut done = "user-signed-out"
	passwordSet   done = "password-set"
)

// staff is the page of the users.
type staff struct {
	Users []operations.User
	// Phones are those that a user can have: their names, or their numbers where they have none.
	Phones       []string
	Did, Refused string
}

// PhonesOf lists the phones that a user can have, with the one that the user has.
func (s staff) PhonesOf(u operations.User) []string {
	if u.Phone == "" || slices.Contains(s.Phones, u.Phone) {
		return s.Phones
	}
	return append(s.Phones[:len(s.Phones):len(s.Phones)], u.Phone)
}

// inWords says what a user may do, and which phone is the user's.
func inWords(u operations.User) string {
	if u.Phone == "" {
		return u.Role
	}
	return u.Role + ", has the phone " + u.Phone
}

func (c *Console) users(v *visit) error {
	return c.showUsers(v, http.StatusOK, staff{Did: done(v.R.URL.Query().Get("did")).words()})
}

func (c *Console) showUsers(v *visit, status int, s staff) error {
	ctx := v.R.Context()
	all, err := c.API.Users.List(ctx)
	if err != nil {
		return err
	}
	routes, _, err := route.Readable(c.Relay.Routes.List(ctx))
	if err != nil {
		return err
	}
	s.Users = all
	for _, r := range routes {
		for _, number := range r.AllPhones() {
			if name := cmp.Or(r.NameOf(number), string(number)); !slices.Contains(s.Phones, name) {
				s.Phones = append(s.Phones, name)
			}
		}
	}
	slices.Sort(s.Phones)
	return v.Show(status, usersPage(v.frame("Users"), s))
}

// ofUser does to a user what a form says, and shows the users: with what was done, or why it was not.
func (c *Console) ofUser(what done, method, path string, order func(form url.Values) (body any, query url.Values)) func(v *visit) error {
	return func(v *visit) error {
		form := v.R.PostForm
		name, err := signin.ReadName(form.Get("name"))
		isLess := what == userRemoved || what == userChanged && form.Get("role") != string(signin.Owner)
		if err == nil && name == v.person.Name && isLess {
			err = webfiles.Refuse(http.StatusConflict, "You cannot take your own rights away. Another owner can, or relay user on the host.")
		} else if body, query := order(form); body != nil {
			_, err = v.api().send(method, path, body)
		} else {
			err = v.api().remove(path, query)
		}
		refused, isRefusal := errors.AsType[webfiles.RefusalError](err)
		switch {
		case isRefusal && refused.Status < http.StatusInternalServerError:
			return c.showUsers(v, refused.Status, staff{Refused: refused.Words})
		case err != nil:
			return err
		}
		v.GoTo(pathUsers + "?" + url.Values{"did": {string(what)}}.Encode())
		return nil
	}
}

// userPages are the page of the users, and its forms.
func (c *Console) userPages() map[string]page {
	change := func(form url.Values) (any, url.Values) {
		role, phone := form.Get("role"), form.Get("phone")
		return operations.UserOrder{Name: form.Get("name"), Role: &role, Phone: &phone, Password: form.Get("password")}, nil
	}
	return map[string]page{
		"GET " + pathUsers:     {signin.Owner, c.users},
		"POST " + pathUsersAdd: {signin.Owner, c.ofUser(userAdded, http.MethodPost, operations.PathUsers, change)},
		"POST " + pathUsersChange: {signin.Owner, c.ofUser(userChanged, http.MethodPut, operations.PathUsers,
			func(form url.Values) (any, url.Values) {
				form.Del("password")
				return change(form)
			})},
		"POST " + pathUsersPassword: {signin.Owner, c.ofUser(passwordSet, http.MethodPut, operations.PathUsers,
			func(form url.Values) (any, url.Values) {
				return passwordOrder{form.Get("name"), form.Get("password")}, nil
			})},
		"POST " + pathUsersSignOut: {signin.Owner, c.ofUser(userSignedOut, http.MethodPost, operations.PathSignOut,
			func(form url.Values) (any, url.Values) { return operations.UserOrder{Name: form.Get("name")}, nil })},
		"POST " + pathUsersRemove: {signin.Owner, c.ofUser(userRemoved, http.MethodDelete, operations.PathUsers,
			func(form url.Values) (any, url.Values) { return nil, url.Values{"name": {form.Get("name")}} })},
	}
}

// passwordOrder asks for another password; an empty one is sent too, and refused.
type passwordOrder struct {
	Name     string `json:"name"`
	Password string `json:"password"`
}
