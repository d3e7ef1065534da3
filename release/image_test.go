package main

import (
	"bytes"
	"crypto/x509"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// imageHere returns the image for this machine, from the OCI layout.
func imageHere(t *testing.T) v1.Image {
	t.Helper()
	index, err := layout.ImageIndexFromPath(filepath.Join(release(t, firstVersion), "oci"))
	if err != nil {
		t.Fatal(err)
	}
	found, err := partial.FindImages(index, match.Platforms(v1.Platform{OS: here.system, Architecture: here.processor}))
	if err != nil || len(found) != 1 {
		t.Fatalf("%d images, %v", len(found), err)
	}
	return found[0]
}

func configOf(t *testing.T, image v1.Image) *v1.ConfigFile {
	t.Helper()
	file, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// unpack unpacks the image into a root.
func unpack(t *testing.T, image v1.Image) (root string) {
	t.Helper()
	root = t.TempDir()
	if err := os.Chmod(root, 0o755); err != nil {
		t.Fatal(err)
	}
	files := mutate.Extract(image)
	command := exec.CommandContext(t.Context(), "tar", "--extract", "--numeric-owner", "--directory", root)
	command.Stdin = files
	out, err := command.CombinedOutput()
	if closed := files.Close(); err != nil || closed != nil {
		t.Fatalf("tar: %v, %v\n%s", err, closed, out)
	}
	return root
}

func TestTheImageHasOneLayer(t *testing.T) {
	image := imageHere(t)
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	file := configOf(t, image)
	if file.Config.User != "65532:65532" || file.OS != here.system || file.Architecture != here.processor {
		t.Errorf("it runs as %s on %s/%s", file.Config.User, file.OS, file.Architecture)
	}
	if test := file.Config.Healthcheck.Test; !slices.Equal(test, []string{"CMD", "/usr/bin/relay", "health"}) {
		t.Errorf("its health check is %q", test)
	}
	if !file.Created.Equal(buildOf("").time) || file.Config.Labels["org.opencontainers.image.version"] != "1.2.3" {
		t.Errorf("it is from %v, labels %q", file.Created, file.Config.Labels)
	}
	loaded, err := tarball.ImageFromPath(only(t, release(t, firstVersion), "relay_1.2.3_docker_*.tar"), nil)
	if err != nil {
		t.Fatal(err)
	}
	want, _ := image.ConfigName()
	if got, err := loaded.ConfigName(); err != nil || got != want {
		t.Errorf("what docker loads is %v, %v; want %v", got, err, want)
	}
}

func TestTheImageTrustsAuthorities(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(unpack(t, imageHere(t)), "etc", "ssl", "certs", "ca-certificates.crt"))
	if err != nil {
		t.Fatal(err)
	}
	const few = 50
	pool := x509.NewCertPool()
	if n := bytes.Count(text, []byte("BEGIN CERTIFICATE")); n < few || !pool.AppendCertsFromPEM(text) {
		t.Errorf("%d authorities", n)
	}
}

// TestTheImageRuns starts the program as a container does: in its root, as its user, with its environment.
func TestTheImageRuns(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("another root needs root")
	}
	image := imageHere(t)
	root, config, listen := unpack(t, image), configOf(t, image).Config, freeAddress(t)
	number, _, _ := strings.Cut(config.User, ":")
	user, err := strconv.ParseUint(number, 10, 32)
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	inside := func(words []string, out io.Writer) *exec.Cmd {
		return &exec.Cmd{
			Path: words[0], Args: words, Dir: config.WorkingDir, Stdout: out, Stderr: out,
			// The last of a name counts. A container has loopback and port 8080 to itself, this process does not.
			Env: append(
				slices.Clone(config.Env), "RELAY_LISTEN="+listen, "TWILIO_ACCOUNT_SID=AC00000000000000000000000000000001",
				"TWILIO_AUTH_TOKEN=faketokenfaketokenfaketokenfake1", "TWILIO_API_BASE_URL=http://127.0.0.1:1",
			),
			SysProcAttr: &syscall.SysProcAttr{Chroot: root, Credential: &syscall.Credential{Uid: uint32(user), Gid: uint32(user)}},
		}
	}
	check := config.Healthcheck.Test[1:]
	if err := inside(check, io.Discard).Run(); err == nil {
		t.Error("it is well before it runs")
	}
	serve := inside(append(slices.Clone(config.Entrypoint), config.Cmd...), &log)
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the container is well", func() bool { return inside(check, io.Discard).Run() == nil })
	_ = serve.Process.Signal(syscall.SIGTERM)
	if err := serve.Wait(); err != nil {
		t.Errorf("relay serve ended with %v:\n%s", err, log.String())
	}
	if _, err := os.Stat(filepath.Join(root, imageData, "relay.db")); err != nil {
		t.Error(err)
	}
}
