//go:build unix

package lambdahost

import (
	"context"
	"net/http"
	"time"

	"quickdumpnow.com/smsrelay/testing/lambdahost/iam"
)

// roleProperties are those of AWS::IAM::Role that say what it allows.
type roleProperties struct {
	Policies []struct {
		PolicyDocument struct{ Statement []iam.Statement }
	}
}

// startRecorder reads each function's role and serves all services at one address.
func (h *Host) startRecorder(ctx context.Context) error {
	principals := map[string][]iam.Statement{}
	for id, properties := range h.template.Functions() {
		var f struct{ Role string }
		if err := h.stack.Into(map[string]any{"Role": properties["Role"]}, &f); err != nil {
			return err
		}
		for roleID, role := range h.template.Resources("AWS::IAM::Role") {
			if arn, _ := h.stack.Physical(roleID, "Arn"); arn != f.Role {
				continue
			}
			var p roleProperties
			if err := h.stack.Into(role.Properties, &p); err != nil {
				return err
			}
			for _, policy := range p.Policies {
				principals[keyOf(id)] = append(principals[keyOf(id)], policy.PolicyDocument.Statement...)
			}
		}
	}
	var err error
	h.recorder, err = iam.New(iam.Config{
		Region: region, AccountID: AccountID, Principals: principals, Canonical: canonicalStream, Observe: h.observer(),
		Backends: map[string]string{
			"dynamodb": h.config.DynamoDB, "sqs": h.config.SQS,
			"logs": h.config.Other, "secretsmanager": h.config.Other, "s3": h.config.Other,
		},
	})
	if err != nil {
		return err
	}
	listener, err := listen(ctx)
	if err != nil {
		return err
	}
	h.endpoint = "http://" + listener.Addr().String()
	h.gateway = &http.Server{Handler: h.recorder, ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = h.gateway.Serve(listener) }()
	return nil
}

// observer tells who asked for it of each call, by the function's logical id.
func (h *Host) observer() func(iam.Call) {
	if h.config.OnCall == nil && h.meter == nil {
		return nil
	}
	ids := map[string]string{}
	for id := range h.template.Functions() {
		ids[keyOf(id)] = id
	}
	return func(call iam.Call) {
		call.Principal = ids[call.Principal]
		h.called(call)
	}
}
