package secrets_test

import (
	"crypto/rand"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/aws/secrets"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// TestRotation reads a secret of an emulator of Secrets Manager through a rotation.
func TestRotation(t *testing.T) {
	t.Parallel()
	e := newEmulator(t)
	id := "test-" + rand.Text()
	vault := secrets.New(e.config, secrets.Config{AuthToken: id, APIKey: "test-" + rand.Text()})
	if _, err := vault.AuthTokens(t.Context()); fault.Of(err).Kind != fault.Fatal {
		t.Errorf("before there is a secret: error %v, want a fatal one", err)
	}
	_, err := e.client.CreateSecret(t.Context(), &sdk.CreateSecretInput{Name: &id, SecretString: aws.String(token(account, "fake-1"))})
	if err != nil {
		t.Fatal(err)
	}
	e.finds(t, vault, secrets.AuthTokens{Current: "fake-1", All: []string{"fake-1"}})
	e.put(t, id, "fake-2", "AWSPENDING")
	e.finds(t, vault, secrets.AuthTokens{Current: "fake-1", Pending: "fake-2", All: []string{"fake-2", "fake-1"}})
	e.put(t, id, "fake-3", "AWSCURRENT")
	got, err := vault.AuthTokens(t.Context())
	if err != nil || got.Current != "fake-3" || len(got.All) != 3 {
		t.Errorf("%d tokens after the rotation, error %v; want 3", len(got.All), err)
	}
	if _, err := vault.APIKeys(t.Context()); fault.Of(err).Kind != fault.Fatal {
		t.Errorf("API key: error %v, want a fatal one", err)
	}
}

// emulator is an emulator of Secrets Manager.
type emulator struct {
	config aws.Config
	client *sdk.Client
}

// newEmulator returns the emulator that make test-aws started.
func newEmulator(t *testing.T) emulator {
	t.Helper()
	config := awsclient.New(relaytest.Emulator(t, relaytest.EmulatorMoto))
	return emulator{config: config, client: sdk.NewFromConfig(config)}
}

// put stores a version of the secret under a stage.
func (e emulator) put(t *testing.T, id, authToken, stage string) {
	t.Helper()
	_, err := e.client.PutSecretValue(t.Context(), &sdk.PutSecretValueInput{
		SecretId: &id, SecretString: aws.String(token(account, authToken)), VersionStages: []string{stage},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// finds checks what the vault reads.
func (e emulator) finds(t *testing.T, vault *secrets.Vault, want secrets.AuthTokens) {
	t.Helper()
	got, err := vault.AuthTokens(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want.AccountSid = account
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
}
