package secrets_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"

	"quickdumpnow.com/smsrelay/shared/aws/secrets"
	"quickdumpnow.com/smsrelay/shared/fault"
)

func TestChangedAt(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	id := "test-" + rand.Text()
	if _, err := secrets.ChangedAt(t.Context(), e.config, id); fault.Of(err).Kind != fault.Fatal {
		t.Errorf("before there is a secret: error %v, want a fatal one", err)
	}
	if _, err := e.client.CreateSecret(t.Context(), &sdk.CreateSecretInput{Name: &id, SecretString: aws.String("{}")}); err != nil {
		t.Fatal(err)
	}
	at, err := secrets.ChangedAt(t.Context(), e.config, id)
	if age := time.Since(at); err != nil || age < -time.Minute || age > time.Minute {
		t.Errorf("changed at %s, error %v", at, err)
	}
}
