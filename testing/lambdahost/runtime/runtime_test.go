//go:build unix

package runtime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// TestMain lets the test's own binary be the bootstrap: a function that does what its event says.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		os.Exit(m.Run())
	}
	if os.Getenv("BROKEN") != "" {
		fmt.Println("cannot start")
		os.Exit(1)
	}
	served := 0
	lambda.Start(func(ctx context.Context, event string) (string, error) {
		served++
		fmt.Println("got", event)
		switch event {
		case "fail":
			return "", errors.New("as asked")
		case "exit":
			os.Exit(3)
		case "sleep":
			time.Sleep(time.Minute)
		case "wait":
			time.Sleep(300 * time.Millisecond)
		case "deadline":
			deadline, _ := ctx.Deadline()
			return time.Until(deadline).Round(time.Second).String(), nil
		}
		return fmt.Sprintf("%s %d %s", event, served, os.Getenv("SETTING")), nil
	})
}

// said keeps what a function prints.
type said struct {
	mu    sync.Mutex
	lines []string
}

func (s *said) take(line []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, string(line))
}

// all returns the lines; those of a process are all there once it has ended.
func (s *said) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.lines, ",")
}

func newFunction(t *testing.T, change func(*Config)) (*Function, *said) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out := &said{}
	config := Config{
		Name: "test", ARN: "arn", Command: []string{self}, Environment: map[string]string{"SETTING": "on"},
		Timeout: 5 * time.Second, MaxInstances: 2, Log: out.take, Now: time.Now,
	}
	if change != nil {
		change(&config)
	}
	f := New(config)
	t.Cleanup(f.Close)
	return f, out
}

func invoke(t *testing.T, f *Function, event string) (string, error) {
	t.Helper()
	text, err := f.Invoke(t.Context(), []byte(`"`+event+`"`))
	if err != nil {
		return "", err
	}
	var answer string
	if err := json.Unmarshal(text, &answer); err != nil {
		t.Fatal(err)
	}
	return answer, nil
}

func TestInvoke(t *testing.T) {
	f, out := newFunction(t, nil)
	for i, want := range []string{"a 1 on", "a 2 on"} {
		if got, err := invoke(t, f, "a"); err != nil || got != want {
			t.Errorf("invocation %d: %q, %v, want %q: one process for both", i+1, got, err, want)
		}
	}
	if got, err := invoke(t, f, "deadline"); err != nil || got != "5s" {
		t.Errorf("the function has %q, %v", got, err)
	}
	f.Recycle()
	if got, err := invoke(t, f, "a"); err != nil || got != "a 1 on" {
		t.Errorf("after Recycle: %q, %v, want a new process", got, err)
	}
	if s := f.Statistics(); s.Invocations != 4 || s.ColdStarts != 2 || s.Failures != 0 || s.Billed == 0 {
		t.Errorf("statistics %+v", s)
	}
	f.Close()
	if got := out.all(); got != "got a,got a,got deadline,got a" {
		t.Errorf("it said %q", got)
	}
}

func TestInvocationsThatFail(t *testing.T) {
	for event, want := range map[string]error{"fail": &FunctionError{}, "exit": errExited, "sleep": errTimeout} {
		t.Run(event, func(t *testing.T) {
			f, _ := newFunction(t, func(c *Config) { c.Timeout = time.Second })
			_, err := invoke(t, f, event)
			var answered *FunctionError
			if is := errors.Is(err, want) || errors.As(err, &answered) && errors.As(want, &answered); !is {
				t.Errorf("error %v, want %v", err, want)
			}
			if got, err := invoke(t, f, "a"); err != nil || !strings.HasPrefix(got, "a ") {
				t.Errorf("the next invocation: %q, %v", got, err)
			}
		})
	}
}

func TestFunctionThatDoesNotStart(t *testing.T) {
	f, out := newFunction(t, func(c *Config) { c.Environment["BROKEN"] = "yes" })
	if _, err := invoke(t, f, "a"); !errors.Is(err, errExited) || out.all() != "cannot start" {
		t.Errorf("error %v after it said %q", err, out.all())
	}
}

// TestInstances: as many processes as there are invocations, up to the most there may be.
func TestInstances(t *testing.T) {
	f, _ := newFunction(t, nil)
	var group sync.WaitGroup
	failures := make([]error, 3)
	for i := range failures {
		group.Go(func() { _, failures[i] = invoke(t, f, "wait") })
	}
	group.Wait()
	throttled := 0
	for _, err := range failures {
		if errors.Is(err, ErrThrottled) {
			throttled++
		} else if err != nil {
			t.Error(err)
		}
	}
	if s := f.Statistics(); throttled != 1 || s.Throttles != 1 || s.ColdStarts != 2 {
		t.Errorf("%d throttled, statistics %+v", throttled, s)
	}
}

func TestKill(t *testing.T) {
	f, _ := newFunction(t, nil)
	failed := make(chan error)
	go func() {
		_, err := invoke(t, f, "sleep")
		failed <- err
	}()
	for killed := 0; killed == 0; time.Sleep(10 * time.Millisecond) {
		killed = f.Kill()
	}
	if err := <-failed; !errors.Is(err, errExited) {
		t.Errorf("error %v, want that the process ended", err)
	}
	f.Close()
	if _, err := invoke(t, f, "a"); !errors.Is(err, errClosed) {
		t.Errorf("error %v, want that the function is closed", err)
	}
}
