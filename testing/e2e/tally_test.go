//go:build unix

package e2e

import (
	"bytes"
	"maps"
	"net/http"
	"strings"
	"sync"

	"quickdumpnow.com/smsrelay/testing/lambdahost"
	"quickdumpnow.com/smsrelay/testing/lambdahost/iam"
)

// tally adds up what a stack does, as a bill would: everything that is asked of a service has a name here, such as
// "sqs:SendMessage Queue". What Lambda's pollers ask and find nothing is left out: there is as much of it as there is time.
type tally struct {
	mu sync.Mutex
	// names are the resources' logical ids by the end of their ARN.
	names map[string]string
	sums  map[string]float64
	// changes counts what was added, so that a rest can be told from work.
	changes int
}

func newTally() *tally { return &tally{sums: map[string]float64{}} }

// know tells the names of a stack.
func (c *tally) know(host *lambdahost.Host) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.names = map[string]string{}
	for _, id := range []string{
		"LedgerTable", "RoutingTable", "PaceTable", "ConversationsTable", "AuditFailureBucket", "MediaBucket", "AuditLogGroup",
	} {
		c.names[host.Name(id)] = id
	}
	for _, id := range []string{"Queue", "TimerQueue", "DeadLetterQueue"} {
		url := host.Name(id)
		c.names[url[strings.LastIndexByte(url, '/')+1:]] = id
	}
}

func (c *tally) add(what string, n float64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sums[what] += n
	c.changes++
}

// call takes a call of a function, or of Lambda for it.
func (c *tally) call(call iam.Call) {
	service, operation, _ := strings.Cut(call.Operation, ":")
	if isPolling(operation, call) {
		return
	}
	resource := ""
	for _, r := range call.Resources {
		if name := c.nameOf(r); name != "" {
			resource = name
		}
	}
	if service == "logs" && resource == "" { // What Lambda itself ships is billed by the byte: see logged.
		return
	}
	c.units(operation, call)
	c.add(strings.TrimSpace(call.Operation+" "+resource), 1)
}

// isPolling reports whether a call is one of those that Lambda makes all the time.
func isPolling(operation string, call iam.Call) bool {
	switch operation {
	case "ReceiveMessage":
		return len(call.Messages) == 0
	case "GetRecords", "DescribeStream", "GetShardIterator", "ListStreams", "GetQueueAttributes", "HeadBucket":
		return true
	default:
		return false
	}
}

// units adds what DynamoDB counted. Its local version counts as the service does.
func (c *tally) units(operation string, call iam.Call) {
	kind := "read units "
	if strings.HasPrefix(operation, "Put") || operation == "TransactWriteItems" {
		kind = "write units "
	}
	for resource, n := range call.Units {
		table, index, isIndex := strings.Cut(resource, "/index/")
		name := c.nameOf(table)
		if isIndex {
			name += "." + index
		}
		if n > 0 {
			c.add(kind+name, n)
		}
	}
}

// nameOf returns the logical id of what an ARN or a name means; "" if it is not the relay's own data.
func (c *tally) nameOf(arn string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for name, id := range c.names {
		if arn == name || strings.HasSuffix(arn, ":"+name) || strings.Contains(arn, "/"+name) || strings.Contains(arn, ":"+name+":") ||
			strings.Contains(arn, ":::"+name) {
			return id
		}
	}
	return ""
}

// request takes a request to the front door.
func (c *tally) request(lambdahost.Request) { c.add("apigateway:Request", 1) }

// logged takes a line of a function's log. What Go's scheduler prints when a function starts on a machine that has been up for 24 days does
// not count: it is of this machine, and of no text (GODEBUG in template.yaml).
func (c *tally) logged(function string, line []byte) {
	if bytes.HasPrefix(line, []byte("SCHED ")) {
		return
	}
	c.add("log events "+function, 1)
	c.add("log bytes "+function, float64(len(line)))
}

// watching counts the calls of Twilio's API.
func (c *tally) watching(twilio http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c.add("twilio:"+r.Method, 1)
		twilio.ServeHTTP(w, r)
	})
}

// now returns the sums so far, and how many changes led to them.
func (c *tally) now() (map[string]float64, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.sums), c.changes
}
