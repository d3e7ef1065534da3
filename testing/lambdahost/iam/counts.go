package iam

import (
	"cmp"
	"maps"
	"slices"
)

// Count is how often a principal did one thing with one resource.
type Count struct {
	// Principal is the access key, "" of a call that nobody signed. Operation is the service's name for the call, such as
	// "sqs:SendMessageBatch".
	Principal string
	Operation string
	// Action and Resource are what IAM was asked. A call on several resources is counted at each of them. Both are empty if
	// nobody could tell what the call asks for.
	Action   string
	Resource string
	Allowed  bool
	// Calls is how many there were, Errors how many of those the service did not answer 2xx.
	Calls  int
	Errors int
}

// Total is how often a principal made one call of a service, each call counted once however many resources it named. It is
// what a bill is made of.
type Total struct {
	Principal string
	Operation string
	// Calls is how many reached the service or were denied. Errors is how many were not answered 2xx, and Denied how many
	// of those were not allowed.
	Calls  int
	Errors int
	Denied int
	// Sent and Received are the bytes of the requests' and the answers' bodies.
	Sent     int64
	Received int64
}

// count adds a call to both books.
func (r *Recorder) count(principal string, asked inquiry, allowed bool, answer *watched, sent *counted) {
	failed := 0
	if answer.status/100 != 2 {
		failed = 1
	}
	questions := asked.questions
	if len(questions) == 0 {
		questions = []question{{operation: asked.operation}}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, q := range questions {
		c := entry(r.counts, Count{Principal: principal, Operation: q.operation, Action: q.action, Resource: q.resource, Allowed: allowed})
		c.Calls++
		c.Errors += failed
	}
	t := entry(r.totals, Total{Principal: principal, Operation: asked.operation})
	t.Calls++
	t.Errors += failed
	if !allowed {
		t.Denied++
	}
	t.Sent += sent.bytes.Load()
	t.Received += answer.bytes
}

// entry returns the sum that a book has under a key, which begins at the key itself.
func entry[T comparable](book map[T]*T, key T) *T {
	sum := book[key]
	if sum == nil {
		sum = new(T)
		*sum = key
		book[key] = sum
	}
	return sum
}

// Counts returns what was asked of IAM so far, in order.
func (r *Recorder) Counts() []Count {
	r.mu.Lock()
	defer r.mu.Unlock()
	var counts []Count
	for _, c := range r.counts {
		counts = append(counts, *c)
	}
	slices.SortFunc(counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(a.Principal, b.Principal), cmp.Compare(a.Operation, b.Operation), cmp.Compare(a.Action, b.Action),
			cmp.Compare(a.Resource, b.Resource))
	})
	return counts
}

// totalsSince returns the calls that are not in earlier totals, such as those that one text took, in order.
func (r *Recorder) totalsSince(earlier []Total) []Total {
	r.mu.Lock()
	defer r.mu.Unlock()
	left := map[Total]Total{}
	for key, t := range r.totals {
		left[key] = *t
	}
	for _, e := range earlier {
		key := Total{Principal: e.Principal, Operation: e.Operation}
		t := left[key]
		t.Calls, t.Errors, t.Denied = t.Calls-e.Calls, t.Errors-e.Errors, t.Denied-e.Denied
		t.Sent, t.Received = t.Sent-e.Sent, t.Received-e.Received
		left[key] = t
	}
	maps.DeleteFunc(left, func(_, t Total) bool { return t.Calls == 0 })
	return slices.SortedFunc(maps.Values(left), func(a, b Total) int {
		return cmp.Or(cmp.Compare(a.Principal, b.Principal), cmp.Compare(a.Operation, b.Operation))
	})
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
