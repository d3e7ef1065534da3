package bootstraps

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// patience is how long a function may take to start and answer.
const patience = 30 * time.Second

// function is a bootstrap at work, with its runtime interface.
type function struct {
	name      string
	events    chan []byte
	responses chan []byte
	output    *strings.Builder
	// done is closed when the process has ended, and everything it said is in output.
	done chan struct{}
}

// start compiles a function as it is deployed, but for this machine, and starts it with nothing but the environment
// given.
func start(t *testing.T, name string, environment map[string]string) *function {
	t.Helper()
	bootstrap := filepath.Join(t.TempDir(), "bootstrap")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", bootstrap, "../../functions/"+name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", name, err, out)
	}
	f := &function{name: name, events: make(chan []byte), responses: make(chan []byte, 1), output: &strings.Builder{}, done: make(chan struct{})}
	api := httptest.NewServer(f)
	cmd := exec.Command(bootstrap)
	cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(api.URL, "http://"), "AWS_LAMBDA_LOG_FORMAT=JSON", "GOMAXPROCS=1"}
	for key, value := range environment {
		cmd.Env = append(cmd.Env, key+"="+value)
	}
	cmd.Stdout, cmd.Stderr = f.output, f.output
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait()
		close(f.done)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-f.done
		api.CloseClientConnections()
		api.Close()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, f.output.String())
		}
	})
	return f
}

// ServeHTTP is Lambda's runtime interface: the bootstrap asks for the next event and posts its answer.
func (f *function) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/invocation/next"):
		select {
		case event := <-f.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(time.Now().Add(patience).UnixMilli(), 10))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:123456789012:function:"+f.name)
			_, _ = w.Write(event)
		case <-r.Context().Done():
		}
	default: // A response, or an error of the function or of its start.
		body, _ := io.ReadAll(r.Body)
		if !strings.HasSuffix(r.URL.Path, "/response") {
			body = append([]byte("error "), body...)
		}
		f.responses <- body
		w.WriteHeader(http.StatusAccepted)
	}
}

// invoke hands an event to the function and reads its answer into response.
func (f *function) invoke(t *testing.T, event, response any) {
	t.Helper()
	body, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	limit := time.After(patience)
	select {
	case f.events <- body:
	case <-limit:
		t.Fatalf("%s did not ask for an event", f.name)
	}
	select {
	case answer := <-f.responses:
		if err := json.Unmarshal(answer, response); err != nil {
			t.Fatalf("%s answered %s", f.name, answer)
		}
	case <-limit:
		t.Fatalf("%s did not answer", f.name)
	}
}

// ended waits until the process has ended by itself and returns what it said.
func (f *function) ended(t *testing.T) string {
	t.Helper()
	select {
	case <-f.done:
		return f.output.String()
	case <-time.After(patience):
		t.Fatalf("%s is still running", f.name)
		return ""
	}
}
