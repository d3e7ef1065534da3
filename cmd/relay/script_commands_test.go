package main

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// storyCommands are what stories can do besides running the program itself.
func storyCommands() map[string]func(ts *testscript.TestScript, neg bool, args []string) {
	return map[string]func(ts *testscript.TestScript, neg bool, args []string){
		"freeport": freePort(),
		"post":     post,
		"talk":     relayTalk,
		"texts":    relayTexts,
		"get":      get,
		"breakoff": breakOff(),
		"hear":     hear,
		"dumped":   dumped,
	}
}

// lastReleasesDatabase is a database that the last release left, as text.
const lastReleasesDatabase = "../../shared/onehost/sqlite/testdata/releases/001-4bb1991.sql"

// dumped FILE [VERSION] makes the database that the last release left; with a version, one that needs that version of the schema.
func dumped(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: dumped FILE [VERSION]")
	}
	text, err := os.ReadFile(lastReleasesDatabase)
	ts.Check(err)
	if len(args) == 2 {
		text = append(text, ";PRAGMA user_version = "+args[1]...)
	}
	path := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(filepath.Dir(path), 0o700))
	database, err := sql.Open("sqlite", path)
	ts.Check(err)
	_, err = database.Exec(string(text))
	ts.Check(errors.Join(err, database.Close()))
}

// freePort sets each variable to a port of this host on which nobody listens, and which no other story and no listener on port 0 gets
// meanwhile: it is below those that the system gives away itself.
func freePort() func(ts *testscript.TestScript, neg bool, args []string) {
	var last atomic.Uint32
	last.Store(uint32(os.Getpid()))
	const first, ports = 12000, 20000
	return func(ts *testscript.TestScript, _ bool, args []string) {
		for _, name := range args {
			for {
				port := strconv.Itoa(int(first + last.Add(1)%ports))
				listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
				if errors.Is(err, syscall.EADDRINUSE) {
					continue
				}
				ts.Check(err)
				ts.Check(listener.Close())
				ts.Setenv(name, port)
				break
			}
		}
	}
}

// breakOff answers each request to a port of this host with a refusal that breaks off before it says why: breakoff start PORT,
// breakoff stop PORT.
func breakOff() func(ts *testscript.TestScript, neg bool, args []string) {
	var servers sync.Map
	return func(ts *testscript.TestScript, _ bool, args []string) {
		if len(args) != 2 {
			ts.Fatalf("usage: breakoff start|stop PORT")
		}
		if server, started := servers.LoadAndDelete(args[1]); started {
			if open, ok := server.(io.Closer); ok {
				ts.Check(open.Close())
			}
		}
		if args[0] == "stop" {
			return
		}
		listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", args[1]))
		ts.Check(err)
		server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "500")
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"code":`)
		})}
		servers.Store(args[1], server)
		ts.Defer(func() { _ = server.Close() })
		go func() { _ = server.Serve(listener) }()
	}
}

// hear PORT FILE listens at a port of this host, and keeps in the file what is sent there: the path, the title and the body. What is sent
// to a path that begins with /no is refused.
func hear(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: hear PORT FILE")
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", args[0]))
	ts.Check(err)
	file, err := os.Create(ts.MkAbs(args[1]))
	ts.Check(err)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/no") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		body, _ := io.ReadAll(r.Body)
		_, _ = fmt.Fprintf(file, "%s %s %s %s\n", r.Method, r.URL.Path, r.Header.Get("Title"), body)
	})}
	ts.Defer(func() { _, _ = server.Close(), file.Close() })
	go func() { _ = server.Serve(listener) }()
}

// get URL FILE asks until there is an answer, for a moment, and keeps it in the file.
func get(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: get URL FILE")
	}
	var err error
	for range 300 {
		var response *http.Response
		if response, err = http.Get(args[0]); err == nil {
			answer, err := io.ReadAll(response.Body)
			ts.Check(errors.Join(err, response.Body.Close(), os.WriteFile(ts.MkAbs(args[1]), answer, 0o600)))
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("get %s: %v", args[0], err)
}

// post URL BODY [HEADER…] posts the body, and wants an answer that says it went well. A header is NAME=VALUE.
func post(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: post URL BODY [NAME=VALUE…]")
	}
	request, err := http.NewRequest(http.MethodPost, args[0], strings.NewReader(args[1]))
	ts.Check(err)
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	for _, header := range args[2:] {
		name, value, _ := strings.Cut(header, "=")
		request.Header.Set(name, value)
	}
	response, err := http.DefaultClient.Do(request)
	ts.Check(err)
	answer, err := io.ReadAll(response.Body)
	ts.Check(errors.Join(err, response.Body.Close()))
	ts.Logf("%s\n%s", response.Status, answer)
	if well := response.StatusCode < http.StatusMultipleChoices; well == neg {
		ts.Fatalf("post %s: %s", args[0], response.Status)
	}
}
