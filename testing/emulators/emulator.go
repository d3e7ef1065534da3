//go:build linux || darwin

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// emulator is one stand-in: how it is installed, how it is started, and how it is known to be up.
type emulator struct {
	// name is the word for it on the command line and the start of its folder's name.
	name string
	// product is what its makers call it.
	product string
	// variable is the environment variable that carries its URL to the command.
	variable string
	// recipe names the embedded files that say what to install. A change in any of them is a new installation.
	recipe []string
	// platform adds to the recipe what the installation depends on outside of it; nil when that is nothing.
	platform func(context.Context, toolbox) (string, error)
	// install fills folder, which holds the recipe's files and nothing else.
	install func(ctx context.Context, t toolbox, folder string) error
	// command is the argument vector that starts it on a port, in memory and on 127.0.0.1.
	command func(folder string, port int) []string
	// bound is what it prints once it has bound its port. Only its own output proves that the port is not somebody else's.
	bound func(port int) string
	// probe is a path that answers an unsigned GET, with whatever status.
	probe string
}

// emulators are all there are.
func emulators() []emulator {
	return []emulator{dynamodbLocal(), elasticMQ(), moto()}
}

func dynamodbLocal() emulator {
	return emulator{
		name:     "dynamodb",
		product:  "DynamoDB Local",
		variable: "RELAY_TEST_DYNAMODB_URL",
		recipe:   []string{"dynamodb/pom.xml", "dynamodb/LoopbackServer.java"},
		install: func(ctx context.Context, t toolbox, folder string) error {
			if err := t.copyDependencies(ctx, folder); err != nil {
				return err
			}
			return t.compile(ctx, folder, "LoopbackServer.java")
		},
		command: func(folder string, port int) []string {
			lib := filepath.Join(folder, "lib")
			// sqlite4java looks for its native library by its Maven file name, version included.
			return java([]string{"-Dsqlite4java.library.path=" + lib},
				[]string{filepath.Join(folder, "classes"), filepath.Join(lib, "*")},
				"LoopbackServer", "-inMemory", "-sharedDb", "-disableTelemetry", "-port", strconv.Itoa(port))
		},
		bound: func(port int) string { return fmt.Sprintf("listening on 127.0.0.1:%d\n", port) },
		probe: "/",
	}
}

func elasticMQ() emulator {
	return emulator{
		name:     "sqs",
		product:  "ElasticMQ",
		variable: "RELAY_TEST_SQS_URL",
		recipe:   []string{"elasticmq/pom.xml"},
		install: func(ctx context.Context, t toolbox, folder string) error {
			return t.copyDependencies(ctx, folder)
		},
		command: func(folder string, port int) []string {
			return java(elasticMQSettings(port), []string{filepath.Join(folder, "lib", "*")}, "org.elasticmq.server.Main")
		},
		bound: func(port int) string { return fmt.Sprintf("bind address 127.0.0.1:%d,", port) },
		probe: "/health",
	}
}

// elasticMQSettings is ElasticMQ's configuration as system properties, which override its application.conf: no file is
// left behind by a run that was killed. The node address is what queue URLs are made of.
func elasticMQSettings(port int) []string {
	number := strconv.Itoa(port)
	return []string{
		"-Drest-sqs.bind-hostname=127.0.0.1",
		"-Drest-sqs.bind-port=" + number,
		"-Drest-sqs.sqs-limits=strict",
		"-Dnode-address.host=127.0.0.1",
		"-Dnode-address.port=" + number,
		"-Daws.region=" + region,
		"-Daws.accountId=" + accountID,
	}
}

func moto() emulator {
	return emulator{
		name:     "moto",
		product:  "moto",
		variable: "RELAY_TEST_MOTO_URL",
		recipe:   []string{"moto/requirements.txt"},
		platform: func(ctx context.Context, t toolbox) (string, error) {
			return t.pythonIdentity(ctx)
		},
		install: func(ctx context.Context, t toolbox, folder string) error {
			return t.createVenv(ctx, folder)
		},
		command: func(folder string, port int) []string {
			return []string{filepath.Join(folder, "venv", "bin", "python"), "-m", "moto.server", "-H", "127.0.0.1", "-p", strconv.Itoa(port)}
		},
		bound: func(port int) string { return fmt.Sprintf("Running on http://127.0.0.1:%d\n", port) },
		probe: "/moto-api/data.json",
	}
}

// java is the command line of a small, short-lived JVM: it starts fast rather than running fast for long.
func java(settings, classPath []string, mainClass string, args ...string) []string {
	command := []string{"java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData"}
	command = append(command, settings...)
	command = append(command, "-cp", strings.Join(classPath, string(filepath.ListSeparator)), mainClass)
	return append(command, args...)
}
