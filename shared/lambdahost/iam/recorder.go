package iam

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"sync"
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
}

// Count is how often a principal did one thing.
type Count struct {
	// Principal is the access key, Operation the service's name for the call, such as "sqs:SendMessageBatch".
	Principal string
	Operation string
	// Action and Resource are what IAM was asked. A call on several resources is counted at each of them.
	Action   string
	Resource string
	Allowed  bool
	// Calls is how many there were, Errors how many of those the service did not answer 2xx.
	Calls  int
	Errors int
}

// Recorder is the address of all services. It is safe for concurrent use.
type Recorder struct {
	config   Config
	backends map[string]*httputil.ReverseProxy

	mu     sync.Mutex
	counts map[Count]*tally
	// streams is what stream each shard iterator is of.
	streams map[string]string
}

type tally struct{ calls, errors int }

// maxBody bounds a request's body: what DynamoDB takes is less.
const maxBody = 20 << 20

// New returns a Recorder, or an error if a policy is not understood.
func New(config Config) (*Recorder, error) {
	if config.Canonical == nil {
		config.Canonical = func(arn string) string { return arn }
	}
	r := &Recorder{config: config, backends: map[string]*httputil.ReverseProxy{}, counts: map[Count]*tally{}, streams: map[string]string{}}
	for principal, statements := range config.Principals {
		for i, s := range statements {
			if err := s.check(); err != nil {
				return nil, fmt.Errorf("policy of %s: %w", principal, err)
			}
			for j, resource := range s.Resource {
				statements[i].Resource[j] = config.Canonical(resource)
			}
		}
	}
	transport := &http.Transport{MaxIdleConnsPerHost: 256}
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
	signed := scope.FindStringSubmatch(request.Header.Get("Authorization"))
	if signed == nil {
		deny(w, request)
		return
	}
	principal, service := signed[1], signed[2]
	backend := r.backends[service]
	body, err := io.ReadAll(io.LimitReader(request.Body, maxBody))
	if err != nil || backend == nil {
		http.Error(w, "no such service here", http.StatusBadGateway)
		return
	}
	request.Body, request.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	asked := r.questions(service, request, body)
	allowed := len(asked) > 0
	for _, q := range asked {
		allowed = allowed && allows(r.config.Principals[principal], q.action, q.resource)
	}
	answer := &watched{ResponseWriter: w, status: http.StatusOK}
	if allowed {
		answer.keep = iterates(operationOf(request))
		backend.ServeHTTP(answer, request)
		r.remember(answer, body)
		answer.pass()
	} else {
		deny(answer, request)
	}
	for _, q := range asked {
		r.count(Count{Principal: principal, Operation: q.operation, Action: q.action, Resource: q.resource, Allowed: allowed}, answer.status)
	}
}

func (r *Recorder) count(key Count, status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	t := r.counts[key]
	if t == nil {
		t = &tally{}
		r.counts[key] = t
	}
	t.calls++
	if status/100 != 2 {
		t.errors++
	}
}

// Counts returns what was counted so far, in order.
func (r *Recorder) Counts() []Count {
	r.mu.Lock()
	defer r.mu.Unlock()
	var counts []Count
	for key, t := range r.counts {
		key.Calls, key.Errors = t.calls, t.errors
		counts = append(counts, key)
	}
	slices.SortFunc(counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Principal, b.Principal), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Action, b.Action), cmp.Compare(a.Resource, b.Resource))
	})
	return counts
}

// Denied returns the calls that were not allowed.
func (r *Recorder) Denied() []Count {
	return slices.DeleteFunc(r.Counts(), func(c Count) bool { return c.Allowed })
}

// Unused returns the permissions that no call made use of.
func (r *Recorder) Unused() []Permission {
	counts := r.Counts()
	var unused []Permission
	for _, principal := range slices.Sorted(maps.Keys(r.config.Principals)) {
		for _, p := range permissions(principal, r.config.Principals[principal]) {
			only := Statement{Effect: "Allow", Action: oneOrMore{p.Action}, Resource: oneOrMore{p.Resource}}
			used := func(c Count) bool { return c.Principal == principal && c.Allowed && only.matches(c.Action, c.Resource) }
			if !slices.ContainsFunc(counts, used) {
				unused = append(unused, p)
			}
		}
	}
	return unused
}

// watched is an answer whose status is seen. One that is to be kept is held back until pass: what it says has to be known here
// before the caller can act on it.
type watched struct {
	http.ResponseWriter

	status int
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
