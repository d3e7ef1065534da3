package console

import (
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
)

func (c *Console) showSignIn(v *visit) error {
	return v.Show(http.StatusOK, signInPage(v.frame("Sign in"), ""))
}

// signIn begins a session for whoever has the password.
func (c *Console) signIn(v *visit) error {
	form := v.R.PostForm
	token, person, err := c.Door.SignIn(v.R.Context(), form.Get("name"), form.Get("password"), v.source())
	if err != nil {
		return c.refuseSignIn(v, err)
	}
	c.Logger.LogAttrs(v.R.Context(), slog.LevelInfo, "console signed in", slog.String("user", person.Name),
		slog.String("role", string(person.Role)), slog.String("source_ip", v.source()))
	v.setCookie(token)
	v.GoTo(Path)
	return nil
}

// refuseSignIn says why somebody is not let in. What it says is the same for each name. The log does not have the name: it may be a
// password in the wrong field.
func (c *Console) refuseSignIn(v *visit, err error) error {
	status, reason, words := http.StatusUnauthorized, "wrong", "The name or the password is wrong."
	locked, isLocked := errors.AsType[signin.LockedError](err)
	switch {
	case isLocked:
		seconds := max(int(math.Ceil(locked.Wait.Seconds())), 1)
		v.W.Header().Set("Retry-After", strconv.Itoa(seconds))
		status, reason = http.StatusTooManyRequests, "locked"
		words = "That was wrong too often. Try again in " + spoken(time.Duration(seconds)*time.Second) + "."
	case errors.Is(err, signin.ErrBusy):
		v.W.Header().Set("Retry-After", "2")
		status, reason, words = http.StatusServiceUnavailable, "busy", "Too many people sign in at once. Try again in a moment."
	case !errors.Is(err, signin.ErrWrong):
		return err
	}
	c.Logger.LogAttrs(v.R.Context(), slog.LevelWarn, "console sign-in refused", slog.String("reason", reason),
		slog.String("source_ip", v.source()))
	return v.Show(status, signInPage(v.frame("Sign in"), words))
}

func (c *Console) signOut(v *visit) error {
	v.setCookie("")
	if err := c.Door.SignOut(v.token); err != nil {
		return err
	}
	c.Live.look()
	v.GoTo(pathSignIn)
	return nil
}

func (c *Console) signOutEverywhere(v *visit) error {
	v.setCookie("")
	if err := c.Door.SignOutEverywhere(v.person.Name); err != nil {
		return err
	}
	c.Live.look()
	c.Logger.LogAttrs(v.R.Context(), slog.LevelInfo, "console signed out everywhere", slog.String("user", v.person.Name))
	v.GoTo(pathSignIn)
	return nil
}
