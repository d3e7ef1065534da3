// Package signin decides who may use the console: users and their roles, passwords, sessions, and how long somebody has to wait who was
// wrong. It keeps users and sessions in the data folder of a relay on one host. It knows nothing of HTTP, and shows nothing.
package signin

import (
	"errors"
	"slices"
)

// Role is what a user may do.
type Role string

// The roles. Each may do what those after it may.
const (
	// Owner also makes and removes users.
	Owner Role = "owner"
	// Dispatcher also sees to customers.
	Dispatcher Role = "dispatcher"
	// Viewer reads.
	Viewer Role = "viewer"
)

// Roles lists all roles, the one that may do most first.
func Roles() []Role { return []Role{Owner, Dispatcher, Viewer} }

// ParseRole reads a role.
func ParseRole(text string) (Role, error) {
	if role := Role(text); slices.Contains(Roles(), role) {
		return role, nil
	}
	return "", errors.New("a role is owner, dispatcher or viewer")
}

// Includes reports whether the role may do what the other one may. A role that is not known may do nothing.
func (r Role) Includes(other Role) bool {
	own, wanted := slices.Index(Roles(), r), slices.Index(Roles(), other)
	return own >= 0 && wanted >= 0 && own <= wanted
}
