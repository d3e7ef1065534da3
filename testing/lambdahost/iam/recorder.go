package iam

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"
)

// Config says who may do what, and where the services are.
type Config struct {
	// Region and AccountID are those of all ARNs.
	Region    string
	AccountID string
	// Principals are the statements of each function, by its access key.
	Principals map[string][]Statement
	// Backends are the base URLs of the services, by the name that requests are signed for ("dynamodb", "sqs", "logs",
	// "secretsmanager", "s3").
	Backends map[string]string
	// Canonical, if set, writes a backend's own form of an ARN as the policies have it.
	Canonical func(arn string) string
	// Observe, if set, is told about each call after its answer, from several goroutines at once.
	Observe func(Call)
}

// Recorder is the address of all services. It is safe for concurrent use.
type Recorder struct {
	config   Config
	backends map[string]*httputil.ReverseProxy

	mu        sync.Mutex
	counts    map[Count]*Count
	totals    map[Total]*Total
	iterators iterators
}

// maxBody bounds a request's body: any service but S3 accepts less.
const maxBody = 20 << 20

// New returns a Recorder, or an error if a policy is not understood.
func New(config Config) (*Recorder, error) {
	if config.Canonical == nil {
		config.Canonical = func(arn string) string { return arn }
	}
	r := &Recorder{config: config, backends: map[string]*httputil.ReverseProxy{}, counts: map[Count]*Count{}, totals: map[Total]*Total{}}
	r.config.Principals = map[string][]Statement{}
	for principal, statements := range config.Principals {
		for _, s := range statements {
			if err := s.check(); err != nil {
				return nil, fmt.Errorf("policy of %s: %w", principal, err)
			}
			s.Resource = slices.Clone(s.Resource)
			for i, resource := range s.Resource {
				s.Resource[i] = config.Canonical(resource)
			}
			r.config.Principals[principal] = append(r.config.Principals[principal], s)
		}
	}
	// Answers pass as they are: clients check sums over them.
	transport := &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}
	for service, base := range config.Backends {
		target, err := url.Parse(base)
		if err != nil {
			return nil, fmt.Errorf("backend of %s: %w", service, err)
		}
		r.backends[service] = &httputil.ReverseProxy{
			Transport: transport,
			Rewrite: func(p *httputil.ProxyRequest) {
				p.SetURL(target)
				p.Out.Host = p.In.Host
			},
			// A caller that gave up hears nothing; another is answered as by a gateway. Neither is news.
			ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
		}
	}
	return r, nil
}

// scope finds who signed a request for which service.
var scope = regexp.MustCompile(`Credential=([^/]+)/\d+/[^/]+/([^/]+)/aws4_request`)

// ServeHTTP takes one call to any service.
func (r *Recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	sent := &counted{ReadCloser: request.Body}
	request.Body = sent
	answer := &watched{ResponseWriter: w, status: http.StatusOK}
	signed := scope.FindStringSubmatch(request.Header.Get("Authorization"))
	if signed == nil {
		deny(answer, request)
		r.note("", inquiry{operation: "unsigned"}, false, answer, sent, nil)
		return
	}
	principal, service := signed[1], signed[2]
	body, err := readable(w, request, service)
	if err != nil {
		http.Error(w, "this call cannot be read", http.StatusRequestEntityTooLarge)
		return
	}
	asked := r.read(service, request, body)
	allowed := r.allowed(principal, service, asked)
	// The answer may break off, and what was done is done.
	defer func() { r.note(principal, asked, allowed, answer, sent, body) }()
	if !allowed {
		deny(answer, request)
		return
	}
	operation, observed := operationOf(request), r.config.Observe != nil
	if answer.keep = iterates(operation) || observed && tells(operation); answer.keep {
		request.Header.Set("Accept-Encoding", "identity") // It is read here.
	}
	if observed {
		askForUnits(request, body)
	}
	r.backends[service].ServeHTTP(answer, request)
	r.remember(answer, body)
	answer.pass()
}

// note counts a call and reports it.
func (r *Recorder) note(principal string, asked inquiry, allowed bool, answer *watched, sent *counted, body []byte) {
	r.count(principal, asked, allowed, answer, sent)
	r.observe(principal, asked, allowed, answer, sent, body)
}

// readable returns the body of a call whose body says what it asks for, and leaves it to be read again. That of S3 does
// not, may be large, and passes through.
func readable(w http.ResponseWriter, request *http.Request, service string) ([]byte, error) {
	if service == "s3" {
		return nil, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, request.Body, maxBody))
	if err != nil {
		return nil, err
	}
	request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return body, nil
}

// allowed reports whether the principal's statements allow all that a call asks for. One to a service that is not there is
// not allowed.
func (r *Recorder) allowed(principal, service string, asked inquiry) bool {
	for _, q := range asked.questions {
		if !allows(r.config.Principals[principal], q.action, q.resource) {
			return false
		}
	}
	return len(asked.questions) > 0 && r.backends[service] != nil
}

// watched is an answer whose status is seen. One that is to be kept is held back until pass: what it says has to be known here
// before the caller can act on it.
type watched struct {
	http.ResponseWriter

	status int
	bytes  int64
	keep   bool
	body   bytes.Buffer
}

// WriteHeader notes the status.
func (w *watched) WriteHeader(status int) {
	w.status = status
	if !w.keep {
		w.ResponseWriter.WriteHeader(status)
	}
}

// Write passes the body on, or keeps it.
func (w *watched) Write(p []byte) (int, error) {
	w.bytes += int64(len(p))
	if w.keep {
		return w.body.Write(p)
	}
	return w.ResponseWriter.Write(p)
}

// pass hands a kept answer on.
func (w *watched) pass() {
	if w.keep {
		w.ResponseWriter.WriteHeader(w.status)
		_, _ = w.ResponseWriter.Write(w.body.Bytes()) // The caller may be gone.
	}
}

// counted is a request's body whose bytes are counted. It may still be read when the answer is there.
type counted struct {
	io.ReadCloser

	bytes atomic.Int64
}

// Read counts what was read.
func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.bytes.Add(int64(n))
	return n, err
}

// deny answers as a service that IAM forbids something.
func deny(w http.ResponseWriter, request *http.Request) {
	if request.Header.Get("X-Amz-Target") == "" {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>`)
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.0")
	w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
	w.WriteHeader(http.StatusBadRequest)
	_, _ = io.WriteString(w, `{"__type":"AccessDeniedException","message":"the function's policy does not allow this"}`)
}
