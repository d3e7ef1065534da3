package seeding

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/route"
)

// maxFile is the largest maintenance.json, in bytes: some five thousand routes.
const maxFile = 1 << 20

// Object says where a maintenance.json is.
type Object struct {
	// Bucket and Key name it.
	Bucket, Key string
	// VersionID is the version to read, empty for the latest.
	VersionID string
}

// objectOf reads where the file is from the resource's properties. Another property, Version, means nothing to this function:
// it is there to be changed.
func objectOf(properties map[string]any) (Object, error) {
	var o Object
	var problems []error
	text := func(name string, needed bool) string {
		value, isText := properties[name].(string)
		if properties[name] != nil && !isText || needed && value == "" {
			problems = append(problems, fmt.Errorf("property %s should be a text", name))
		}
		return value
	}
	o.Bucket, o.Key, o.VersionID = text("Bucket", true), text("Key", true), text("VersionId", false)
	return o, errors.Join(problems...)
}

// seed writes the routes of the file that the properties name. It writes nothing unless the whole file is right.
func (h *Handler) seed(ctx context.Context, properties map[string]any) (route.Seeded, error) {
	o, err := objectOf(properties)
	if err != nil {
		return route.Seeded{}, err
	}
	file, err := h.read(ctx, o)
	if err != nil {
		return route.Seeded{}, fmt.Errorf("read s3://%s/%s: %w", o.Bucket, o.Key, err)
	}
	routes, err := route.ParseMaintenance(bytes.NewReader(file), route.Reading{Now: h.config.Now()})
	if err != nil {
		return route.Seeded{}, fmt.Errorf("s3://%s/%s is not right, and nothing was put:\n%w", o.Bucket, o.Key, err)
	}
	seeded, err := route.Seed(ctx, h.config.Routes, routes, h.config.Now())
	switch {
	case errors.Is(err, route.ErrLoop):
		err = fmt.Errorf("s3://%s/%s does not go with the table, and nothing was put:\n%w", o.Bucket, o.Key, err)
	case err != nil:
		err = fmt.Errorf("%d of %d routes were put: %w", len(seeded.Put), len(routes), err)
	}
	return seeded, err
}

// pauses are those between the attempts to read the file. A role that was changed a moment ago is not in force
// everywhere yet.
func pauses() []time.Duration {
	return []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 8 * time.Second}
}

// read reads the file, and again if that may help.
func (h *Handler) read(ctx context.Context, o Object) ([]byte, error) {
	file, err := h.config.Read(ctx, o, maxFile)
	for _, pause := range pauses() {
		if err == nil || !mayPass(err) || !wait(ctx, pause) {
			break
		}
		file, err = h.config.Read(ctx, o, maxFile)
	}
	return file, err
}

func mayPass(err error) bool {
	f := fault.Of(err)
	return f.Kind == fault.Transient || f.Kind == fault.Throttled || f.HTTPStatus == http.StatusForbidden
}

// wait reports whether ctx lasted for as long as the pause.
func wait(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
