//go:build unix

package lambdahost

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"strconv"
	"strings"
	"time"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/cloudwatch"
	"quickdumpnow.com/smsrelay/testing/lambdahost/runtime"
)

// functionProperties are those of AWS::Serverless::Function that say how it runs.
type functionProperties struct {
	Handler                      string
	Role                         string
	Timeout                      int
	MemorySize                   int
	ReservedConcurrentExecutions int
	LoggingConfig                struct{ LogFormat, LogGroup, ApplicationLogLevel string }
	Environment                  struct{ Variables map[string]any }
	Events                       map[string]struct {
		Type       string
		Properties sourceProperties
	}
}

// unreserved is how many instances a function has here that reserves none: those of a new account.
const unreserved = 10

// addFunction makes a function ready. Its first process starts with its first event.
func (h *Host) addFunction(ctx context.Context, id string, properties map[string]any) error {
	f := &function{id: id}
	if err := h.stack.Into(properties, &f.settings); err != nil {
		return err
	}
	command, err := Command(filepath.Join(h.config.Artefacts, id, f.settings.Handler))
	if err != nil {
		return err
	}
	f.config = awsclient.New(awsclient.Config{
		Region: region, AccessKeyID: keyOf(id), SecretAccessKey: "local", Endpoint: h.endpoint, AttemptTimeout: time.Minute,
	})
	f.logs = newShipper(cloudwatch.New(f.config, cloudwatch.Config{Group: f.settings.LoggingConfig.LogGroup, Stream: "instances"}),
		h.config.Now, h.config.Logger)
	h.shipped.Go(func() { f.logs.run(ctx) })
	instances := f.settings.ReservedConcurrentExecutions
	if instances == 0 {
		instances = unreserved
	}
	f.Function = runtime.New(runtime.Config{
		Name: id, ARN: "arn:aws:lambda:" + region + ":" + AccountID + ":function:" + h.Name(id),
		Command: command, Environment: h.environment(f), Timeout: time.Duration(f.settings.Timeout) * time.Second,
		MaxInstances: instances, Now: h.config.Now, Invoked: h.invoked(id),
		Log: func(line []byte) {
			f.logs.take(line)
			if h.config.OnLine != nil {
				h.config.OnLine(id, line)
			}
		},
	})
	h.functions[id] = f
	return nil
}

// environment is what Lambda gives the function, and what the template does.
func (h *Host) environment(f *function) map[string]string {
	variables := map[string]string{
		"AWS_REGION": region, "AWS_DEFAULT_REGION": region, "AWS_ACCESS_KEY_ID": keyOf(f.id), "AWS_SECRET_ACCESS_KEY": "local",
		"AWS_SESSION_TOKEN": "local", "AWS_ENDPOINT_URL": h.endpoint,
		"AWS_LAMBDA_FUNCTION_NAME": h.Name(f.id), "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.settings.MemorySize), "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME": f.settings.LoggingConfig.LogGroup, "AWS_LAMBDA_LOG_STREAM_NAME": "instances",
		"AWS_LAMBDA_LOG_FORMAT": f.settings.LoggingConfig.LogFormat, "AWS_LAMBDA_LOG_LEVEL": f.settings.LoggingConfig.ApplicationLogLevel,
		"_HANDLER": f.settings.Handler, "TZ": ":UTC", "LANG": "en_US.UTF-8",
	}
	for name, value := range f.settings.Environment.Variables {
		variables[name] = fmt.Sprint(value)
	}
	maps.Copy(variables, h.config.Environment)
	return variables
}

var errNoEmulator = errors.New("the bootstrap is for arm64, and there is neither qemu-aarch64-static nor qemu-aarch64 to run it " +
	"(Debian: apt-get install qemu-user-static)")

// Command returns how to start a bootstrap: its path alone, or for another processor than this machine's an emulator and its
// path.
func Command(bootstrap string) ([]string, error) {
	path, err := filepath.Abs(bootstrap)
	if err != nil {
		return nil, err
	}
	binary, err := elf.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the bootstrap: %w (make sam-build makes it)", err)
	}
	machine := binary.Machine
	if err := binary.Close(); err != nil {
		return nil, err
	}
	native := map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}[goruntime.GOARCH]
	if machine == native {
		return []string{path}, nil
	}
	if machine != elf.EM_AARCH64 {
		return nil, fmt.Errorf("the bootstrap is for %s, this machine is not", strings.TrimPrefix(machine.String(), "EM_"))
	}
	for _, emulator := range []string{"qemu-aarch64-static", "qemu-aarch64"} {
		if found, err := exec.LookPath(emulator); err == nil {
			return []string{found, path}, nil
		}
	}
	return nil, errNoEmulator
}
