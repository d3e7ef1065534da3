package signin

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestRoles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		role  Role
		wants map[Role]bool
	}{
		{Owner, map[Role]bool{Owner: true, Dispatcher: true, Viewer: true}},
		{Dispatcher, map[Role]bool{Owner: false, Dispatcher: true, Viewer: true}},
		{Viewer, map[Role]bool{Owner: false, Dispatcher: false, Viewer: true}},
		{"", map[Role]bool{Owner: false, Dispatcher: false, Viewer: false, "": false}},
		{"chief", map[Role]bool{Owner: false, Dispatcher: false, Viewer: false, "chief": false}},
	} {
		for other, want := range tt.wants {
			if got := tt.role.Includes(other); got != want {
				t.Errorf("%q may do what %q may: %t, want %t", tt.role, other, got, want)
			}
		}
		_, err := ParseRole(string(tt.role))
		if isKnown := err == nil; isKnown != tt.role.Includes(Viewer) {
			t.Errorf("%q is read with %v", tt.role, err)
		}
	}
}

func TestDelay(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		failures int
		want     time.Duration
	}{
		{0, 0},
		{1, 0},
		{4, 0},
		{5, time.Second},
		{6, 2 * time.Second},
		{7, 4 * time.Second},
		{14, 512 * time.Second},
		{15, maxDelay},
		{16, maxDelay},
		{1 << 30, maxDelay},
	} {
		if got := delayAfter(tt.failures, freeOfUser); got != tt.want {
			t.Errorf("after %d failures one waits %v, want %v", tt.failures, got, tt.want)
		}
	}
}

func TestSources(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
		"2001:db8:1:2:ffff::": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "somewhere": "", "": "",
	} {
		if got := sourceOf(address); got != want {
			t.Errorf("%q counts as %q, want %q", address, got, want)
		}
	}
}

func TestLockout(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	l, anna := newLockout(), keysOf("anna", "192.0.2.1")
	for range freeOfUser {
		l.failed(anna, start)
	}
	if wait := l.wait(anna, start); wait != 0 {
		t.Errorf("after %d failures anna waits %v", freeOfUser, wait)
	}
	l.failed(anna, start)
	l.failed(anna, start)
	if wait := l.wait(anna, start); wait != 2*time.Second {
		t.Errorf("after %d failures anna waits %v, want 2s", freeOfUser+2, wait)
	}
	if wait := l.wait(keysOf("anna", "198.51.100.1"), start.Add(time.Second)); wait != time.Second {
		t.Errorf("from elsewhere a second later anna waits %v, want 1s", wait)
	}
	if wait := l.wait(keysOf("bert", "192.0.2.1"), start); wait != 0 {
		t.Errorf("bert waits %v at the same address", wait)
	}
	if wait := l.wait(keysOf(OperatorName, "198.51.100.1"), start); wait != 0 {
		t.Errorf("the operator waits %v", wait)
	}
	l.succeeded(anna)
	if wait := l.wait(anna, start); wait != 0 {
		t.Errorf("anna, who was let in, waits %v", wait)
	}
	for range freeOfSource - freeOfUser - 1 {
		l.failed(keysOf("bert", "192.0.2.1"), start)
	}
	if wait := l.wait(keysOf(OperatorName, "192.0.2.1"), start); wait != time.Second {
		t.Errorf("after %d failures an address waits %v, want 1s: who was let in does not make it good", freeOfSource+1, wait)
	}
	if wait := l.wait(keysOf("bert", "192.0.2.1"), start.Add(forgetAfter+time.Second)); wait != 0 {
		t.Errorf("an hour later bert waits %v", wait)
	}
	l.failed(keysOf("bert", "192.0.2.1"), start.Add(forgetAfter+time.Second))
	if got := l.all[key{false, "bert"}].failures; got != 1 {
		t.Errorf("an hour later bert has %d failures, want 1", got)
	}
	// A clock that went back makes nobody wait longer than the longest delay.
	if wait := l.wait(keysOf("bert", "192.0.2.1"), start.Add(-24*time.Hour)); wait > maxDelay {
		t.Errorf("a day before bert waits %v", wait)
	}
}

func TestLockoutIsBounded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	l := newLockout()
	for i := range maxTries + 100 {
		l.failed([]key{{false, fmt.Sprint("user", i)}}, now.Add(time.Duration(i)*time.Millisecond))
	}
	if len(l.all) != maxTries {
		t.Errorf("%d are remembered, want %d", len(l.all), maxTries)
	}
	if _, known := l.all[key{false, fmt.Sprint("user", maxTries+99)}]; !known {
		t.Error("the newest is forgotten")
	}
	l.failed([]key{{false, "late"}}, now.Add(2*forgetAfter))
	if len(l.all) != 1 {
		t.Errorf("%d are remembered after two hours, want 1", len(l.all))
	}
}

func TestSessionsEnd(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		what        string
		began, seen time.Duration
		want        bool
	}{
		{"new", 0, 0, false},
		{"idle for as long as it may be", -MaxIdle, -MaxIdle, false},
		{"idle for longer", -MaxIdle - time.Second, -MaxIdle - time.Second, true},
		{"as old as it may be", -MaxAge, 0, false},
		{"older", -MaxAge - time.Second, 0, true},
		{"seen a little in the future", 0, seenStep, false},
		{"seen in the future", 0, time.Hour, true},
		{"begun in the future", time.Hour, 0, true},
	} {
		if got := (session{BeganAt: now.Add(tt.began), SeenAt: now.Add(tt.seen)}).isOver(now); got != tt.want {
			t.Errorf("a session that is %s is over: %t, want %t", tt.what, got, tt.want)
		}
	}
}

func TestPasswords(t *testing.T) {
	t.Parallel()
	for password, want := range map[string]bool{
		"eleven char": false, "twelve chars": true, "Grüße an alle": true, strings.Repeat("a", MaxPassword): true,
		strings.Repeat("a", MaxPassword+1): false, "two lines\nof text": false, "not utf-8 \xff\xff": false, "": false,
	} {
		if err := CheckPassword(password); (err == nil) != want {
			t.Errorf("%q: %v", password, err)
		}
	}
}

func TestHashes(t *testing.T) {
	t.Parallel()
	const password = "a horse and a battery"
	hash := Hash(password)
	if !strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("the hash is %s", hash)
	}
	if hash == Hash(password) {
		t.Error("two hashes of a password are the same")
	}
	for given, want := range map[string]bool{password: true, password + " ": false, "": false} {
		if got, err := matches(hash, given); got != want || err != nil {
			t.Errorf("%q matches: %t, %v", given, got, err)
		}
	}
	for _, wrong := range []string{
		"", "$argon2id$", strings.Replace(hash, "argon2id", "argon2i", 1), strings.Replace(hash, "v=19", "v=16", 1),
		strings.Replace(hash, "m=19456", "m=4000000", 1), strings.Replace(hash, "t=2", "t=0", 1), strings.Replace(hash, "t=2", "t=99", 1),
		strings.Replace(hash, "p=1", "p=8", 1), hash[:len(hash)-4], hash + "$",
	} {
		if got, err := matches(wrong, password); got || err == nil {
			t.Errorf("%s matches: %t, %v", wrong, got, err)
		}
	}
}

func TestFormTokens(t *testing.T) {
	t.Parallel()
	if !IsFormToken("session", FormToken("session")) {
		t.Error("a form of the session is refused")
	}
	for _, given := range []string{"", "session", FormToken("another session"), FormToken("session") + "="} {
		if IsFormToken("session", given) {
			t.Errorf("a form with %q is taken", given)
		}
	}
}
