package operations

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
)

// User is somebody who signs in to the console, as JSON: without the hash of the password.
type User struct {
	Name string `json:"name"`
	Role string `json:"role"`
	// Phone is the user's own phone on duty, by its name in the routes or its number; absent without one.
	Phone string `json:"phone,omitempty"`
	// AddedAt is when the user was made, PasswordSetAt when the password was set last. They are absent before.
	AddedAt       time.Time `json:"added_at,omitzero"`
	PasswordSetAt time.Time `json:"password_set_at,omitzero"`
}

// UserAction is what is done to a user, and what an answer says was done.
type UserAction string

// The actions.
const (
	AddUser     UserAction = "added"
	ChangeUser  UserAction = "changed"
	SetPassword UserAction = "password_set"
	RemoveUser  UserAction = "removed"
	SignOutUser UserAction = "signed_out"
)

// UserOrder says what is to be done to a user.
type UserOrder struct {
	Action UserAction `json:"-"`
	Name   string     `json:"name"`
	// Role and Phone are nil where they stay as they are; an empty Phone is none.
	Role     *string `json:"role,omitempty"`
	Phone    *string `json:"phone,omitempty"`
	Password string  `json:"password,omitempty"`
	// DryRun asks what would be done, and changes nothing. A password need not be there then.
	DryRun bool `json:"dry_run"`
}

// UserChange is what was done to a user, as JSON.
type UserChange struct {
	Action UserAction `json:"action"`
	User   User       `json:"user"`
	// DryRun: nothing was changed.
	DryRun bool `json:"dry_run,omitempty"`
}

// Users are those who sign in to the console. There are none on AWS.
type Users interface {
	// List returns all users in the order of their names.
	List(ctx context.Context) ([]User, error)
	// Do does what is ordered, in the operator's name, which is on record first. The error is a [OrderError] if that cannot be done so.
	Do(ctx context.Context, by string, order UserOrder) (UserChange, error)
}

// users lists the users, makes, changes or removes one, or signs one out everywhere.
func (h *Handler) users(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	switch method := request.RequestContext.HTTP.Method; {
	case request.RawPath == PathSignOut:
		return h.orderUser(ctx, request, SignOutUser, "name", "dry_run")
	case method == http.MethodPost:
		return h.orderUser(ctx, request, AddUser, "name", "role", "phone", "password", "dry_run")
	case method == http.MethodPut:
		return h.orderUser(ctx, request, ChangeUser, "name", "role", "phone", "password", "dry_run")
	case method == http.MethodDelete:
		return h.removeUser(ctx, request)
	default:
		return h.listUsers(ctx, request)
	}
}

func (h *Handler) listUsers(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	query, err := url.ParseQuery(request.RawQueryString)
	if err != nil {
		return refuse(http.StatusBadRequest, "the query string is unreadable")
	}
	var wrong findings
	if checkNames(query, nil, &wrong); !wrong.none() {
		return wrong.refuse()
	}
	all, err := h.config.Users.List(ctx)
	if err != nil {
		return noUsers(err)
	}
	return answer{status: http.StatusOK, body: all}
}

func noUsers(err error) answer {
	return refuse(http.StatusServiceUnavailable, "the users cannot be read or written at the moment").because(err)
}

func (h *Handler) removeUser(ctx context.Context, request events.APIGatewayV2HTTPRequest) answer {
	query, err := url.ParseQuery(request.RawQueryString)
	if err != nil {
		return refuse(http.StatusBadRequest, "the query string is unreadable")
	}
	var wrong findings
	checkNames(query, []string{"name"}, &wrong)
	order := UserOrder{Action: RemoveUser, Name: query.Get("name")}
	if order.checkName(&wrong); !wrong.none() {
		return wrong.refuse()
	}
	return h.doUser(ctx, request, order)
}

// maxUserField is the longest field of an order, in characters.
const maxUserField = 256

func (o UserOrder) checkName(wrong *findings) {
	if o.Name == "" || utf8.RuneCountInString(o.Name) > maxUserField {
		wrong.malform("name", "name: want 1 to %d characters", maxUserField)
	}
}

// orderUser reads an order with these fields.
func (h *Handler) orderUser(ctx context.Context, request events.APIGatewayV2HTTPRequest, action UserAction, fields ...string) answer {
	order := UserOrder{Action: action}
	var role, phone string
	places := map[string]any{"name": &order.Name, "role": &role, "phone": &phone, "password": &order.Password, "dry_run": &order.DryRun}
	var wrong findings
	named, refusal, refused := readBody(request, fields, places, &wrong)
	if refused {
		return refusal
	}
	order.checkName(&wrong)
	for name, value := range map[string]string{"role": role, "phone": phone, "password": order.Password} {
		if utf8.RuneCountInString(value) > maxUserField {
			wrong.malform(name, "%s: want at most %d characters", name, maxUserField)
		}
	}
	if named["role"] {
		order.Role = &role
	}
	if named["phone"] {
		order.Phone = &phone
	}
	for _, name := range []string{"role", "password"} {
		if action == AddUser && !named[name] {
			wrong.malform(name, "%s: is missing", name)
		}
	}
	switch {
	case action == ChangeUser && named["password"] && (named["role"] || named["phone"]):
		wrong.contradict("password", "password: another password is a request of its own: leave role and phone out")
	case action == ChangeUser && named["password"]:
		order.Action = SetPassword
	case action == ChangeUser && !named["role"] && !named["phone"]:
		wrong.contradict("role", "role: say what is to change: role, phone or password")
	}
	if !wrong.none() {
		return wrong.refuse()
	}
	return h.doUser(ctx, request, order)
}

func (h *Handler) doUser(ctx context.Context, request events.APIGatewayV2HTTPRequest, order UserOrder) answer {
	by := h.operator(request)
	if by == "" {
		return unknownOperator()
	}
	change, err := h.config.Users.Do(ctx, by, order)
	a, isRefusal := refuseOrder(err)
	switch {
	case isRefusal:
	case err != nil:
		a = noUsers(err)
	default:
		a = answer{status: http.StatusOK, body: change}
	}
	a.attrs = []slog.Attr{slog.String("change", string(order.Action)), slog.Bool("dry_run", order.DryRun)}
	return a
}
