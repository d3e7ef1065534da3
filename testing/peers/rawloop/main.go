// Command rawloop is the least that a function can do: it asks the Runtime API for events, and answers each with "{}". It is the floor of
// what is measured, and no peer: it does none of the work.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	base := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/"
	for {
		if err := serve(base); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

// serve answers one event.
func serve(base string) error {
	event, err := http.Get(base + "next") //nolint:gosec,noctx // Lambda's own address; it waits as long as it takes.
	if err := drain(event, err); err != nil {
		return err
	}
	id := event.Header.Get("Lambda-Runtime-Aws-Request-Id")
	taken, err := http.Post(base+id+"/response", "application/json", strings.NewReader("{}")) //nolint:gosec,noctx // as above.
	return drain(taken, err)
}

// drain reads an answer to its end, so that its connection serves again.
func drain(answer *http.Response, err error) error {
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	return err
}
