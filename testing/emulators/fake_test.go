//go:build linux || darwin

package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// childLife bounds a child that nobody stops.
const childLife = time.Minute

// TestMain lets the test binary be its own emulator and its own command, so that the tests need no other program.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "as" {
		os.Exit(play(os.Args[2], os.Args[3:]))
	}
	os.Exit(m.Run())
}

// play is a child process in one of the tests.
func play(role string, args []string) int {
	switch role {
	case "server": // port
		return serve(args[0])
	case "unlucky server": // folder port: loses its first port, and stays up without it, as ElasticMQ does
		marker := filepath.Join(args[0], "tried")
		if _, err := os.Stat(marker); err == nil {
			return serve(args[1])
		}
		if err := os.WriteFile(marker, nil, 0o600); err != nil {
			return 1
		}
		fmt.Println("java.net.BindException: Address already in use")
		time.Sleep(childLife)
	case "mute server": // never says that it is up
		time.Sleep(childLife)
	case "broken server":
		fmt.Println("no native library for this machine")
		return 3
	case "environment": // file: writes its environment there
		if os.WriteFile(args[0], []byte(strings.Join(os.Environ(), "\n")), 0o600) != nil {
			return 1
		}
		return 0
	case "exit": // code
		code, _ := strconv.Atoi(args[0])
		return code
	case "stop": // url: tells a server to end
		response, err := http.Get(args[0] + "/stop")
		if err == nil {
			_ = response.Body.Close()
		}
		return 0
	default:
		return 99
	}
	return 0
}

// serve answers on a port until it is asked for /stop.
func serve(port string) int {
	stopped := make(chan struct{})
	http.HandleFunc("/stop", func(http.ResponseWriter, *http.Request) { close(stopped) })
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	go func() {
		fmt.Printf("bound %s\n", port)
		_ = http.ListenAndServe("127.0.0.1:"+port, nil)
	}()
	select {
	case <-stopped:
	case <-time.After(childLife):
	}
	return 0
}

// as is the command line that makes this binary play a role.
func as(role string, args ...string) []string {
	return append([]string{os.Args[0], "as", role}, args...)
}

// fakeEmulator is an emulator whose process plays a role and whose installation is one file.
func fakeEmulator(role string) emulator {
	return emulator{
		name:     "fake",
		product:  "Fake",
		variable: "RELAY_TEST_FAKE_URL",
		recipe:   []string{"elasticmq/pom.xml"},
		install: func(_ context.Context, _ toolbox, folder string) error {
			return os.WriteFile(filepath.Join(folder, "product"), nil, 0o600)
		},
		command: func(folder string, port int) []string {
			if role == "unlucky server" {
				return as(role, folder, strconv.Itoa(port))
			}
			return as(role, strconv.Itoa(port))
		},
		bound: func(port int) string { return fmt.Sprintf("bound %d\n", port) },
		probe: "/",
	}
}

// quiet is where the tests' own messages go; shown when a test fails.
func quiet(t *testing.T) *bytes.Buffer {
	t.Helper()
	var buffer bytes.Buffer
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("stderr:\n%s", buffer.String())
		}
	})
	return &buffer
}
