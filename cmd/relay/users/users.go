// Package users does what relay user, the console and the HTTP API say about those who sign in to the console of a relay on one host. Who
// wants it is on record before it is done; a password, or its hash, never is. Who may do it is decided elsewhere.
package users

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
	"quickdumpnow.com/smsrelay/shared/conversation"
	"quickdumpnow.com/smsrelay/shared/route"
	"quickdumpnow.com/smsrelay/shared/sms"
)

// Routes lists the routes, whose phones users may have.
type Routes interface {
	List(ctx context.Context) ([]route.Route, error)
}

// Book has the users. It is an [operations.Users].
type Book struct {
	Users signin.Users
	// Actions keeps who did what, for the audit log.
	Actions conversation.Actions
	Routes  Routes
	Now     func() time.Time
}

// Show returns a user as people are shown one.
func Show(u signin.User) operations.User {
	return operations.User{Name: u.Name, Role: string(u.Role), Phone: u.Phone, AddedAt: u.AddedAt, PasswordSetAt: u.ChangedAt}
}

// List returns all users in the order of their names.
func (b Book) List(context.Context) ([]operations.User, error) {
	all, err := b.Users.List()
	shown := []operations.User{}
	for _, u := range all {
		shown = append(shown, Show(u))
	}
	return shown, err
}

// Do does what is ordered.
func (b Book) Do(ctx context.Context, by string, o operations.UserOrder) (done operations.UserChange, err error) {
	if o.Action == operations.AddUser {
		if o.Name, err = signin.ReadName(o.Name); err != nil {
			return done, wrong("name", err)
		}
	}
	role, phone, err := b.read(ctx, o)
	if err != nil {
		return done, err
	}
	u, err := b.Users.Get(o.Name)
	switch isNew := o.Action == operations.AddUser; {
	case err != nil && !errors.Is(err, signin.ErrNoUser):
		return done, err
	case err != nil && !isNew:
		return done, operations.OrderError{Status: http.StatusNotFound, Detail: signin.ErrNoUser.Error()}
	case err == nil && isNew:
		return done, operations.OrderError{Status: http.StatusConflict, Detail: signin.ErrExists.Error()}
	case isNew:
		u.Name = o.Name
	}
	u.Role, u.Phone = cmp.Or(role, u.Role), orKept(o.Phone, phone, u.Phone)
	done = operations.UserChange{Action: o.Action, User: Show(u), DryRun: o.DryRun}
	if o.DryRun {
		return done, nil
	}
	if err := b.record(ctx, by, o.Action, u); err != nil {
		return done, err
	}
	if u, err = b.carryOut(u, o); errors.Is(err, signin.ErrNoUser) {
		return done, operations.OrderError{Status: http.StatusNotFound, Detail: err.Error()}
	}
	done.User = Show(u)
	return done, err
}

// orKept is the phone that is wanted, or the one that stays.
func orKept(wanted *string, read, kept string) string {
	if wanted == nil {
		return kept
	}
	return read
}

// read reads what an order says; what it does not say is empty.
func (b Book) read(ctx context.Context, o operations.UserOrder) (role signin.Role, phone string, err error) {
	if o.Role != nil {
		if role, err = signin.ParseRole(*o.Role); err != nil {
			return "", "", wrong("role", err)
		}
	}
	if o.Phone != nil {
		if phone, err = b.phone(ctx, *o.Phone); err != nil {
			return "", "", err
		}
	}
	if isSet := o.Action == operations.AddUser || o.Action == operations.SetPassword; isSet && (!o.DryRun || o.Password != "") {
		if err := signin.CheckPassword(o.Password); err != nil {
			return "", "", wrong("password", err)
		}
	}
	return role, phone, nil
}

func wrong(field string, err error) error {
	return operations.OrderError{Status: http.StatusUnprocessableEntity, Field: field, Detail: err.Error()}
}

// phone finds a phone of the routes by what people type, and returns its name, or its number if it has none.
func (b Book) phone(ctx context.Context, typed string) (string, error) {
	if typed == "" {
		return "", nil
	}
	routes, _, err := route.Readable(b.Routes.List(ctx))
	if err != nil {
		return "", err
	}
	for _, r := range routes {
		number, found := r.Resolve(typed)
		if !found {
			number = sms.Typed(typed)
		}
		if r.IsPhone(number) {
			number = r.PhoneOf(number)
			return cmp.Or(r.NameOf(number), string(number)), nil
		}
	}
	return "", wrong("phone", fmt.Errorf("no route has a phone %q", typed))
}

// record has the audit log say who does what to whom.
func (b Book) record(ctx context.Context, by string, action operations.UserAction, u signin.User) error {
	deed := map[operations.UserAction]conversation.Deed{
		operations.AddUser: conversation.DeedAddUser, operations.ChangeUser: conversation.DeedChangeUser,
		operations.SetPassword: conversation.DeedSetPassword, operations.RemoveUser: conversation.DeedRemoveUser,
		operations.SignOutUser: conversation.DeedSignOutUser,
	}[action]
	a := conversation.NewAction(deed, conversation.PhoneKey{TwilioNumber: conversation.TagsPartition}, "", by, b.Now())
	a.User, a.Note = u.Name, string(u.Role)
	if number := sms.PhoneNumber(u.Phone); number.IsE164() {
		a.Note += ", " + number.Mask()
	} else if u.Phone != "" {
		a.Note += ", " + u.Phone
	}
	if err := b.Actions.PutAction(ctx, a); err != nil {
		return fmt.Errorf("record who does it: %w", err)
	}
	return nil
}

func (b Book) carryOut(u signin.User, o operations.UserOrder) (signin.User, error) {
	switch o.Action {
	case operations.AddUser:
		return b.Users.Add(u, o.Password, b.Now())
	case operations.SetPassword:
		return b.Users.SetPassword(u.Name, o.Password, b.Now())
	case operations.RemoveUser:
		return u, b.Users.Remove(u.Name)
	case operations.SignOutUser:
		return b.Users.SignOut(u.Name)
	case operations.ChangeUser:
	}
	return b.Users.Change(u.Name, func(stored *signin.User) { stored.Role, stored.Phone = u.Role, u.Phone })
}
