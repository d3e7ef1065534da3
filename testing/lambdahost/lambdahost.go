//go:build unix

// Package lambdahost runs a stack as it is deployed, on this machine: it reads template.yaml, has its tables, queues, log
// groups and buckets made in emulators, starts the compiled bootstraps on Lambda's Runtime API, and plays what is
// between them: API Gateway, the event source mappings, IAM and the functions' logs. What template.yaml says about routes,
// mappings, environments, timeouts, concurrency and policies is what holds here. It is for end-to-end runs and knows
// nothing of texts; `relay serve`, which people use, does not need it. It grows no further: docs/decisions/0016-lambdahost-is-frozen.md
// says what it is for, and when it may go.
package lambdahost

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/cfn"
	"github.com/aws/aws-sdk-go-v2/aws"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/testing/lambdahost/iam"
	"quickdumpnow.com/smsrelay/testing/lambdahost/measure"
	"quickdumpnow.com/smsrelay/testing/lambdahost/provision"
	"quickdumpnow.com/smsrelay/testing/lambdahost/runtime"
	"quickdumpnow.com/smsrelay/testing/lambdahost/template"
)

// AccountID and region are those of everything here.
const (
	AccountID = "000000000000"
	region    = "us-east-1"
)

// Config says what to run.
type Config struct {
	// Template is template.yaml, Parameters are the stack's.
	Template   []byte
	Parameters map[string]any
	// StackName names the stack.
	StackName string
	// Artefacts is the folder that `sam build` filled: a folder for each function, with its bootstrap.
	Artefacts string
	// DynamoDB, SQS and Other are the base URLs of the emulators: of DynamoDB, of SQS, of all other services.
	DynamoDB string
	SQS      string
	Other    string
	// Environment is added to that of every function, for what only this machine has, such as a certificate to trust.
	Environment map[string]string
	// OnLine, if set, is told each line that a function prints, with the function's logical id.
	OnLine func(function string, line []byte)
	// OnCall, if set, is told about each call that a function makes, or that Lambda makes for it, from several goroutines at
	// once. The principal is the function's logical id.
	OnCall func(iam.Call)
	// OnRequest, if set, is told about each request that the front door answered, also if no function got it.
	OnRequest func(Request)
	// Metrics, if set, is where the stack's own metrics go, those that AWS measures: see measure. Functions and the API have
	// their logical ids in them, queues and tables their names.
	Metrics io.Writer
	Now     func() time.Time
	Logger  *slog.Logger
}

// Host is a stack at work.
type Host struct {
	config   Config
	template *template.Template
	stack    *provision.Stack
	recorder *iam.Recorder
	// meter is nil if nobody wants its metrics.
	meter     *measure.Meter
	functions map[string]*function
	// custom are the custom resources that there are, with the names that their functions gave them.
	custom   map[string]string
	door     *http.Server
	listener net.Listener
	gateway  *http.Server
	endpoint string
	// sources are the event source mappings and the logs' shippers.
	sources sync.WaitGroup
	stop    context.CancelFunc
	shipped sync.WaitGroup
	endLogs context.CancelFunc
}

// function is one function of the template.
type function struct {
	*runtime.Function

	id       string
	settings functionProperties
	config   aws.Config
	logs     *shipper
}

// Start makes the stack and starts to serve it. Close ends it.
func Start(ctx context.Context, config Config) (*Host, error) {
	h := &Host{config: config, functions: map[string]*function{}, custom: map[string]string{}}
	if err := h.start(ctx); err != nil {
		return nil, errors.Join(err, h.Close()) //nolint:contextcheck // it cleans up whatever became of ctx.
	}
	return h, nil
}

func (h *Host) start(ctx context.Context) (err error) {
	if h.template, err = template.Parse(h.config.Template, h.config.Parameters); err != nil {
		return err
	}
	if h.listener, err = listen(ctx); err != nil {
		return err
	}
	h.stack, err = provision.Create(ctx, h.template, provision.Account{
		ID: AccountID, Region: region, StackName: h.config.StackName, APIEndpoint: h.URL(),
		DynamoDB: h.direct(h.config.DynamoDB), SQS: h.direct(h.config.SQS), Other: h.direct(h.config.Other),
	})
	if err != nil {
		return err
	}
	var running context.Context
	running, h.stop = context.WithCancel(context.WithoutCancel(ctx))
	h.startMeter(running)
	if err := h.startRecorder(ctx); err != nil {
		return err
	}
	var logging context.Context
	logging, h.endLogs = context.WithCancel(context.WithoutCancel(ctx))
	for id, properties := range h.template.Functions() {
		if err := h.addFunction(logging, id, properties); err != nil {
			return fmt.Errorf("%s: %w", id, err)
		}
	}
	if err := h.openDoor(); err != nil {
		return err
	}
	if err := h.askCustom(ctx, cfn.RequestCreate); err != nil {
		return err
	}
	return h.connectSources(running)
}

func listen(ctx context.Context) (net.Listener, error) {
	var network net.ListenConfig
	listener, err := network.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return listener, nil
}

// URL is where the front door is, without a slash at the end.
func (h *Host) URL() string { return "http://" + h.listener.Addr().String() }

// direct is a client's configuration for an emulator, past the recorder: as CloudFormation and operators reach AWS.
func (h *Host) direct(endpoint string) aws.Config {
	return awsclient.New(awsclient.Config{
		Region: region, AccessKeyID: "local", SecretAccessKey: "local", Endpoint: endpoint, AttemptTimeout: time.Minute,
	})
}

// Direct returns a configuration for clients of a service, as an administrator of the account has it. The service is
// "dynamodb", "sqs" or any other.
func (h *Host) Direct(service string) aws.Config {
	switch service {
	case "dynamodb":
		return h.direct(h.config.DynamoDB)
	case "sqs":
		return h.direct(h.config.SQS)
	default:
		return h.direct(h.config.Other)
	}
}

// Name returns what a Ref to a resource gives, such as a queue's URL or a table's name.
func (h *Host) Name(logicalID string) string {
	name, _ := h.stack.Physical(logicalID, "")
	return name
}

// Function returns a function by its logical id, or nil.
func (h *Host) Function(logicalID string) *runtime.Function {
	f := h.functions[logicalID]
	if f == nil {
		return nil
	}
	return f.Function
}

// Recorder has all calls that the functions made.
func (h *Host) Recorder() *iam.Recorder { return h.recorder }

// keyOf is the access key by which the recorder knows a function.
func keyOf(id string) string { return "AKID" + strings.ToUpper(id) }

// Close stops the sources, ends the functions, ships what is left of their logs and deletes the stack.
func (h *Host) Close() error {
	var failures []error
	if h.stop != nil {
		h.stop()
	}
	if h.door != nil {
		failures = append(failures, h.door.Close())
	} else if h.listener != nil {
		failures = append(failures, h.listener.Close())
	}
	h.sources.Wait()
	if len(h.custom) > 0 {
		failures = append(failures, h.askCustom(context.Background(), cfn.RequestDelete))
	}
	for _, f := range h.functions {
		f.Close()
	}
	if h.endLogs != nil {
		h.endLogs()
	}
	h.shipped.Wait()
	if h.gateway != nil {
		failures = append(failures, h.gateway.Close())
	}
	if h.stack != nil {
		failures = append(failures, h.stack.Delete(context.Background()))
	}
	return errors.Join(failures...)
}
