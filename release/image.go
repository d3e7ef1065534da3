package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// The user of the image, who is not root, and where the data is: a volume belongs there.
const (
	imageUser = 65532
	imageData = "/data"
)

// entry is a file of the image, or a folder if its name ends in a slash.
type entry struct {
	name    string
	mode    int64
	owner   int
	content []byte
}

// entries are all that the image has: the program, whom it trusts, and who runs it. There is no shell.
func entries(program []byte) []entry {
	const folder, file, own = 0o755, 0o644, 0o700
	users := fmt.Sprintf("root:x:0:0:root:/:/sbin/nologin\nsms-relay:x:%d:%d:SMS relay:%s:/sbin/nologin\n", imageUser, imageUser, imageData)
	groups := fmt.Sprintf("root:x:0:\nsms-relay:x:%d:\n", imageUser)
	return []entry{
		{name: "data/", mode: own, owner: imageUser},
		{name: "etc/", mode: folder},
		{name: "etc/group", mode: file, content: []byte(groups)},
		{name: "etc/passwd", mode: file, content: []byte(users)},
		{name: "etc/ssl/", mode: folder},
		{name: "etc/ssl/certs/", mode: folder},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: file, content: authorities()},
		{name: "tmp/", mode: 0o1777},
		{name: "usr/", mode: folder},
		{name: "usr/bin/", mode: folder},
		{name: "usr/bin/relay", mode: folder, content: program},
	}
}

// authorities are the certificate authorities that Mozilla trusts without conditions, from the version of the module in go.mod: those of
// the machine that builds would be others on each.
func authorities() []byte {
	var text bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&text, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // A buffer takes everything.
		}
	}
	return text.Bytes()
}

// layerOf packs the entries, all of them with the date.
func layerOf(all []entry, date time.Time) (v1.Layer, error) { //nolint:ireturn // the library knows layers and images as interfaces.
	var packed bytes.Buffer
	writer := tar.NewWriter(&packed)
	for _, e := range all {
		header := &tar.Header{
			Typeflag: tar.TypeReg, Name: e.name, Mode: e.mode, Uid: e.owner, Gid: e.owner, Size: int64(len(e.content)), ModTime: date,
			Format: tar.FormatPAX,
		}
		if e.name[len(e.name)-1] == '/' {
			header.Typeflag = tar.TypeDir
		}
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := writer.Write(e.content); err != nil {
			return nil, err
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}

// image makes the image of a program for Linux.
func (b build) image(program string, p platform) (v1.Image, error) { //nolint:ireturn // the same.
	content, err := os.ReadFile(program) //nolint:gosec // the path is ours.
	if err != nil {
		return nil, err
	}
	layer, err := layerOf(entries(content), b.time)
	if err != nil {
		return nil, err
	}
	base := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err := mutate.Append(base, mutate.Addendum{Layer: layer, History: v1.History{
		Created: v1.Time{Time: b.time}, CreatedBy: "make release", Comment: b.version,
	}})
	if err != nil {
		return nil, err
	}
	file, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	file = file.DeepCopy()
	file.Architecture, file.OS, file.Created, file.Config = p.processor, p.system, v1.Time{Time: b.time}, b.imageConfig()
	return mutate.ConfigFile(image, file)
}

// imageConfig says how the image is run.
func (b build) imageConfig() v1.Config {
	const interval, timeout, start = 30 * time.Second, 10 * time.Second, 15 * time.Second
	return v1.Config{
		Entrypoint: []string{"/usr/bin/relay"}, Cmd: []string{"serve"}, User: fmt.Sprintf("%d:%d", imageUser, imageUser),
		// The address is the container's own: whoever publishes the port says who reaches it.
		Env:          []string{"PATH=/usr/bin", "RELAY_DATA=" + imageData, "RELAY_LISTEN=0.0.0.0:8080"},
		ExposedPorts: map[string]struct{}{"8080/tcp": {}}, Volumes: map[string]struct{}{imageData: {}}, WorkingDir: imageData,
		Healthcheck: &v1.HealthConfig{
			Test: []string{"CMD", "/usr/bin/relay", "health"}, Interval: interval, Timeout: timeout, StartPeriod: start,
		},
		Labels: map[string]string{
			"org.opencontainers.image.title": "sms-relay", "org.opencontainers.image.version": b.number(),
			"org.opencontainers.image.revision": b.commit, "org.opencontainers.image.created": b.time.Format(time.RFC3339),
		},
	}
}

// writeImages writes the images: an OCI layout of all of them in the folder oci, and for each a file that `docker load` takes.
func (b build) writeImages(out string, platforms []platform) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, p := range platforms {
		image, err := b.image(filepath.Join(out, b.programName(p)), p)
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{
			Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: p.system, Architecture: p.processor}},
		})
		if err := b.writeTarball(out, image, p); err != nil {
			return err
		}
	}
	path := filepath.Join(out, "oci")
	fmt.Println(path)
	_, err := layout.Write(path, index)
	return err
}

func (b build) writeTarball(out string, image v1.Image, p platform) error {
	path := filepath.Join(out, "relay_"+b.number()+"_docker_"+p.processor+".tar")
	fmt.Println(path)
	tag, err := name.NewTag("sms-relay:" + b.number())
	if err != nil {
		return err
	}
	return tarball.WriteToFile(path, tag, image)
}
