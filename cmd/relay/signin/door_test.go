package signin_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"quickdumpnow.com/smsrelay/cmd/relay/signin"
)

const (
	rightPassword = "a horse and a battery"
	fakeToken     = "fake-operator-token"
	home          = "192.0.2.1"
)

// stage is a data folder with a user, anna, and a clock.
type stage struct {
	t      *testing.T
	folder string
	mu     sync.Mutex
	now    time.Time
	users  signin.Users
	door   *signin.Door
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{t: t, folder: t.TempDir(), now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
	s.users = signin.NewUsers(filepath.Join(s.folder, "users"))
	if _, err := s.users.Add(signin.User{Name: "anna", Role: signin.Dispatcher}, rightPassword, s.now); err != nil {
		t.Fatal(err)
	}
	s.open(fakeToken)
	return s
}

// open starts the door, or starts it again.
func (s *stage) open(operatorToken string) {
	s.t.Helper()
	door, err := signin.Open(signin.Config{
		Users: s.users, SessionsFile: filepath.Join(s.folder, "sessions.json"), OperatorToken: operatorToken,
		Now: func() time.Time { s.mu.Lock(); defer s.mu.Unlock(); return s.now },
	})
	if err != nil {
		s.t.Fatal(err)
	}
	s.door = door
}

func (s *stage) pass(d time.Duration) { s.mu.Lock(); defer s.mu.Unlock(); s.now = s.now.Add(d) }

func (s *stage) signIn(name, password string) string {
	s.t.Helper()
	token, _, err := s.door.SignIn(s.t.Context(), name, password, home)
	if err != nil {
		s.t.Fatalf("%s is not let in: %v", name, err)
	}
	return token
}

// refused tries to sign in and returns the error.
func (s *stage) refused(name, password string) error {
	s.t.Helper()
	token, p, err := s.door.SignIn(s.t.Context(), name, password, home)
	if err == nil || token != "" || p != (signin.Person{}) {
		s.t.Fatalf("%s is let in with %q: %q, %v", name, password, token, p)
	}
	return err
}

func (s *stage) wantWho(token string, want signin.Person) {
	s.t.Helper()
	got, err := s.door.Who(token)
	if want == (signin.Person{}) != errors.Is(err, signin.ErrNotSignedIn) || got != want {
		s.t.Errorf("signed in is %v, error %v, want %v", got, err, want)
	}
}

func TestSignIn(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	anna := signin.Person{Name: "anna", Role: signin.Dispatcher}
	first, second := s.signIn(" Anna", rightPassword), s.signIn("anna", rightPassword)
	if first == second || len(first) < 43 {
		t.Errorf("the tokens are %q and %q", first, second)
	}
	s.wantWho(first, anna)
	s.wantWho("", signin.Person{})
	s.wantWho("another", signin.Person{})

	kept, err := os.ReadFile(filepath.Join(s.folder, "sessions.json"))
	if err != nil || strings.Contains(string(kept), first) || !strings.Contains(string(kept), "anna") {
		t.Errorf("the file of the sessions has %s, error %v", kept, err)
	}
	// A restart keeps the sessions.
	s.open(fakeToken)
	s.wantWho(first, anna)
	if err := s.door.SignOut(first); err != nil {
		t.Fatal(err)
	}
	s.wantWho(first, signin.Person{})
	s.wantWho(second, anna)
	s.open(fakeToken)
	s.wantWho(first, signin.Person{})
	s.wantWho(second, anna)

	// Out everywhere is out of all of one's own sessions, and of nobody else's.
	third, operator := s.signIn("anna", rightPassword), s.signIn(signin.OperatorName, fakeToken)
	if err := s.door.SignOutEverywhere("anna"); err != nil {
		t.Fatal(err)
	}
	for _, token := range []string{second, third} {
		s.wantWho(token, signin.Person{})
	}
	s.wantWho(operator, signin.Person{Name: "operator", Role: signin.Owner})
}

func TestSessionsExpire(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	idle, used := s.signIn("anna", rightPassword), s.signIn("anna", rightPassword)
	for range 13 {
		s.pass(signin.MaxIdle)
		if p, err := s.door.Watches(used); err != nil || p.Name != "anna" {
			t.Errorf("a page renews itself for %v, error %v", p, err)
		}
		s.wantWho(used, signin.Person{Name: "anna", Role: signin.Dispatcher})
	}
	s.open(fakeToken)
	s.wantWho(used, signin.Person{Name: "anna", Role: signin.Dispatcher})
	for range 2 {
		s.pass(signin.MaxIdle/2 + time.Second)
		_, _ = s.door.Watches(used) // that a page renews itself is no use.
	}
	s.wantWho(used, signin.Person{})
	s.wantWho(idle, signin.Person{})
}

func TestWhatEndsASession(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	token := s.signIn("anna", rightPassword)
	if _, err := s.users.SetPassword("anna", "another long password", s.now); err != nil {
		t.Fatal(err)
	}
	s.wantWho(token, signin.Person{})
	if err := s.refused("anna", rightPassword); !errors.Is(err, signin.ErrWrong) {
		t.Error(err)
	}
	// A command that knows nothing of the sessions ends them, and lets her in again.
	token = s.signIn("anna", "another long password")
	if _, err := s.users.SignOut("anna"); err != nil {
		t.Fatal(err)
	}
	s.wantWho(token, signin.Person{})
	token = s.signIn("anna", "another long password")
	s.wantWho(token, signin.Person{Name: "anna", Role: signin.Dispatcher})
	if err := s.users.Remove("anna"); err != nil {
		t.Fatal(err)
	}
	s.wantWho(token, signin.Person{})
	// Somebody else of that name is somebody else.
	if _, err := s.users.Add(signin.User{Name: "anna", Role: signin.Viewer}, "another long password", s.now); err != nil {
		t.Fatal(err)
	}
	s.wantWho(token, signin.Person{})

	operator := s.signIn(signin.OperatorName, fakeToken)
	s.open("another-fake-token")
	s.wantWho(operator, signin.Person{})
	s.open("")
	s.wantWho(operator, signin.Person{})
	for _, password := range []string{"", fakeToken} {
		if err := s.refused(signin.OperatorName, password); !errors.Is(err, signin.ErrWrong) {
			t.Error(err)
		}
	}
}

// TestNobodyLearnsWhoIsAUser: to be wrong is the same for a user and for nobody, at once and after many tries.
func TestNobodyLearnsWhoIsAUser(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	for range 7 {
		one, other := s.refused("anna", "not her password"), s.refused("zoe", "not her password")
		if one.Error() != other.Error() {
			t.Errorf("a user is told %q, and nobody %q", one, other)
		}
		if locked, ok := errors.AsType[signin.LockedError](one); ok {
			s.pass(locked.Wait)
		}
	}
}

// TestTheDelayGrows, and the right password does not help meanwhile.
func TestTheDelayGrows(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var waits []time.Duration
	for len(waits) < 4 {
		err := s.refused("anna", "not her password")
		if locked, ok := errors.AsType[signin.LockedError](err); ok {
			if err := s.refused("anna", rightPassword); !errors.Is(err, locked) {
				t.Errorf("with the right password: %v, want %v", err, locked)
			}
			waits = append(waits, locked.Wait)
			s.pass(locked.Wait)
		} else if !errors.Is(err, signin.ErrWrong) {
			t.Fatal(err)
		}
	}
	for i, wait := range waits {
		if want := time.Second << i; wait != want {
			t.Errorf("wait %d is %v, want %v", i, wait, want)
		}
	}
	s.signIn("anna", rightPassword)
	if err := s.refused("anna", "not her password"); !errors.Is(err, signin.ErrWrong) {
		t.Errorf("after she was let in: %v", err)
	}
}

// TestManyAtOnce: who tries a hundred passwords at once gets no more tries than who tries them one after the other.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	var mu sync.Mutex
	wrong, busy, locked := 0, 0, 0
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			_, _, err := s.door.SignIn(t.Context(), "anna", "not her password", home)
			mu.Lock()
			defer mu.Unlock()
			_, isLocked := errors.AsType[signin.LockedError](err)
			switch {
			case errors.Is(err, signin.ErrWrong):
				wrong++
			case errors.Is(err, signin.ErrBusy):
				busy++
			case isLocked:
				locked++
			default:
				t.Errorf("error %v", err)
			}
		})
	}
	all.Wait()
	if wrong != 5 || busy+locked != 95 {
		t.Errorf("%d were wrong, %d had to wait for their turn, %d were locked out: want 5 that were wrong", wrong, busy, locked)
	}
}

func TestADamagedFileOfSessions(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	token := s.signIn("anna", rightPassword)
	file := filepath.Join(s.folder, "sessions.json")
	for _, text := range []string{"{", "null", `{"` + token + `":null}`} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		door, err := signin.Open(signin.Config{
			Users: s.users, SessionsFile: file, OperatorToken: fakeToken, Now: func() time.Time { return s.now },
		})
		if (err != nil) != (text == "{") || door == nil {
			t.Fatalf("%s: error %v", text, err)
		}
		s.door = door
		s.wantWho(token, signin.Person{})
		s.signIn("anna", rightPassword)
	}
}

func TestUsers(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	if _, err := s.users.Add(signin.User{Name: "anna", Role: signin.Owner}, rightPassword, s.now); !errors.Is(err, signin.ErrExists) {
		t.Errorf("a second anna: %v", err)
	}
	if _, err := s.users.Add(signin.User{Name: "bert", Role: signin.Viewer}, rightPassword, s.now); err != nil {
		t.Fatal(err)
	}
	all, err := s.users.List()
	if err != nil || len(all) != 2 || all[0].Name != "anna" || all[1].Name != "bert" || all[1].Role != signin.Viewer {
		t.Errorf("the users are %v, %v", all, err)
	}
	for name, err := range map[string]error{"zoe": s.users.Remove("zoe"), "../users/anna": s.users.Remove("../users/anna")} {
		if !errors.Is(err, signin.ErrNoUser) {
			t.Errorf("%s is removed: %v", name, err)
		}
	}
	info, err := os.Stat(filepath.Join(s.folder, "users", "anna.json"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file is %v, %v", info.Mode(), err)
	}
	// What cannot be read is no user, and nobody else's.
	if err := os.WriteFile(filepath.Join(s.folder, "users", "zoe.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.refused("zoe", rightPassword); errors.Is(err, signin.ErrWrong) {
		t.Error("a file that cannot be read is taken for a wrong password")
	}
	if _, err := s.users.List(); err == nil {
		t.Error("a file that cannot be read is left out")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"anna": "anna", " Anna-Maria_2 ": "anna-maria_2", "": "", "-anna": "", "an na": "", "anna/../bert": "", "änne": "", "a.b": "",
		"operator": "", "Operator": "", strings.Repeat("a", 32): strings.Repeat("a", 32), strings.Repeat("a", 33): "",
	} {
		if got, err := signin.ReadName(text); got != want || (err == nil) != (want != "") {
			t.Errorf("%q is %q, %v, want %q", text, got, err, want)
		}
	}
}

func TestIsOpen(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	s.open("")
	if open, err := s.door.IsOpen(); !open || err != nil {
		t.Errorf("with a user: %t, %v", open, err)
	}
	if err := s.users.Remove("anna"); err != nil {
		t.Fatal(err)
	}
	if open, err := s.door.IsOpen(); open || err != nil {
		t.Errorf("with nobody: %t, %v", open, err)
	}
	s.open(fakeToken)
	if open, err := s.door.IsOpen(); !open || err != nil {
		t.Errorf("with a token: %t, %v", open, err)
	}
}
