package secrets_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager/types"
	"github.com/google/go-cmp/cmp"

	"quickdumpnow.com/smsrelay/shared/aws/secrets"
	"quickdumpnow.com/smsrelay/shared/fault"
)

// fakeManager holds the stages of one secret, each a text or an error.
type fakeManager struct {
	stages map[string]any

	// before is called before each answer with the number of those given; it may be nil.
	before func(answered int)

	mu    sync.Mutex
	asked []string
}

func (f *fakeManager) GetSecretValue(_ context.Context, in *sdk.GetSecretValueInput,
	_ ...func(*sdk.Options),
) (*sdk.GetSecretValueOutput, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.before != nil {
		f.before(len(f.asked))
	}
	f.asked = append(f.asked, *in.SecretId)
	switch stage := f.stages[*in.VersionStage].(type) {
	case string:
		return &sdk.GetSecretValueOutput{SecretString: &stage}, nil
	case error:
		return nil, stage
	default:
		return nil, &types.ResourceNotFoundException{Message: aws.String("Secrets Manager can't find the specified secret value.")}
	}
}

func (f *fakeManager) vault() *secrets.Vault {
	return secrets.NewOn(f, secrets.Config{AuthToken: "relay/twilio", APIKey: "relay/twilio-key"})
}

const (
	account      = "AC00000000000000000000000000000001"
	otherAccount = "AC00000000000000000000000000000002"
)

// token is the secret of a token; a fake one.
func token(account, token string) string {
	return fmt.Sprintf(`{"accountSid":%q,"authToken":%q,"validationUrl":"https://example.com"}`, account, token)
}

func TestAuthTokens(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		stages map[string]any
		want   secrets.AuthTokens
	}{
		{
			"current alone",
			map[string]any{"AWSCURRENT": token(account, "fake-2")},
			secrets.AuthTokens{AccountSid: account, Current: "fake-2", All: []string{"fake-2"}},
		},
		{
			"all stages, newest first",
			map[string]any{"AWSCURRENT": token(account, "fake-2"), "AWSPENDING": token(account, "fake-3"), "AWSPREVIOUS": token(account, "fake-1")},
			secrets.AuthTokens{AccountSid: account, Current: "fake-2", Pending: "fake-3", All: []string{"fake-3", "fake-2", "fake-1"}},
		},
		{
			"pending is current already",
			map[string]any{"AWSCURRENT": token(account, "fake-2"), "AWSPENDING": token(account, "fake-2"), "AWSPREVIOUS": token(account, "fake-1")},
			secrets.AuthTokens{AccountSid: account, Current: "fake-2", All: []string{"fake-2", "fake-1"}},
		},
		{
			"pending of another account",
			map[string]any{"AWSCURRENT": token(account, "fake-2"), "AWSPENDING": token(otherAccount, "fake-3")},
			secrets.AuthTokens{AccountSid: account, Current: "fake-2", All: []string{"fake-2"}},
		},
		{
			"with the newline of an editor",
			map[string]any{"AWSCURRENT": token(account+" ", "\tfake-2\n"), "AWSPREVIOUS": token(account, "fake-2")},
			secrets.AuthTokens{AccountSid: account, Current: "fake-2", All: []string{"fake-2"}},
		},
		{
			"pending with a blank token",
			map[string]any{"AWSCURRENT": token(account, "fake-2"), "AWSPENDING": token(account, " \n")},
			secrets.AuthTokens{AccountSid: account, Current: "fake-2", All: []string{"fake-2"}},
		},
		{
			"previous of another account",
			map[string]any{"AWSCURRENT": token(account, "fake-2"), "AWSPREVIOUS": token(otherAccount, "fake-1")},
			secrets.AuthTokens{AccountSid: account, Current: "fake-2", All: []string{"fake-2"}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &fakeManager{stages: tt.stages}
			got, err := f.vault().AuthTokens(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("tokens (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff([]string{"relay/twilio", "relay/twilio", "relay/twilio"}, f.asked); diff != "" {
				t.Errorf("secrets asked for (-want +got):\n%s", diff)
			}
		})
	}
}

// key is the secret of an API key; a fake one.
func key(account, sid, secret string) string {
	return fmt.Sprintf(`{"accountSid":%q,"apiKeySid":%q,"apiKeySecret":%q}`, account, sid, secret)
}

func TestAPIKeys(t *testing.T) {
	t.Parallel()
	one, two := secrets.APIKey{AccountSid: account, Sid: "SK1", Secret: "fake-1"},
		secrets.APIKey{AccountSid: account, Sid: "SK2", Secret: "fake-2"}
	tests := []struct {
		name    string
		pending any
		want    []secrets.APIKey
	}{
		{"current alone", nil, []secrets.APIKey{one}},
		{"pending, too", key(account, "SK2", "fake-2"), []secrets.APIKey{one, two}},
		{"pending is current already", key(account, "SK1", "fake-1"), []secrets.APIKey{one}},
		{"pending is current but for a newline", key(account, " SK1", "fake-1\n"), []secrets.APIKey{one}},
		{"pending of another account", key(otherAccount, "SK2", "fake-2"), []secrets.APIKey{one}},
		{"pending half written", `{"accountSid":"` + account + `"}`, []secrets.APIKey{one}},
		{"pending with a blank secret", key(account, "SK2", " "), []secrets.APIKey{one}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := &fakeManager{stages: map[string]any{"AWSCURRENT": key(account, "SK1", "fake-1"), "AWSPENDING": tt.pending}}
			got, err := f.vault().APIKeys(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("keys %v, want %v", got, tt.want)
			}
			if diff := cmp.Diff([]string{"relay/twilio-key", "relay/twilio-key"}, f.asked); diff != "" {
				t.Errorf("secrets asked for (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMovingStages moves the stages on between two answers: both tokens are found, wherever the move falls.
func TestMovingStages(t *testing.T) {
	t.Parallel()
	moved := map[string]any{"AWSCURRENT": token(account, "fake-2"), "AWSPREVIOUS": token(account, "fake-1")}
	for answers := range 3 {
		f := &fakeManager{stages: map[string]any{"AWSCURRENT": token(account, "fake-1"), "AWSPENDING": token(account, "fake-2")}}
		f.before = func(answered int) {
			if answered == answers {
				f.stages = moved
			}
		}
		got, err := f.vault().AuthTokens(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(got.All, "fake-1") || !slices.Contains(got.All, "fake-2") {
			t.Errorf("moved after %d answers: %d tokens, want both", answers, len(got.All))
		}
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	current := func(v any) map[string]any { return map[string]any{"AWSCURRENT": v} }
	tests := []struct {
		name   string
		stages map[string]any
		want   fault.Kind
	}{
		{"no secret", nil, fault.Fatal},
		{"pending alone", map[string]any{"AWSPENDING": token(account, "fake-secret")}, fault.Fatal},
		{"not JSON", current(`fake-secret`), fault.Fatal},
		{"JSON of another kind", current(`["fake-secret"]`), fault.Fatal},
		{"a number for the token", current(`{"accountSid":"fake-secret","authToken":1}`), fault.Fatal},
		{"no fields", current(`{"token":"fake-secret"}`), fault.Fatal},
		{"an empty token", current(token("fake-secret", "")), fault.Fatal},
		{"no account", current(token("", "fake-secret")), fault.Fatal},
		{"no longer decryptable", current(&types.DecryptionFailure{Message: aws.String("fake-secret")}), fault.Fatal},
		{"marked for deletion", current(&types.InvalidRequestException{Message: aws.String("fake-secret")}), fault.Fatal},
		{"unavailable", current(&types.InternalServiceError{Message: aws.String("fake-secret")}), fault.Transient},
		{
			"unavailable when pending is read",
			map[string]any{"AWSCURRENT": token(account, "fake-secret"), "AWSPENDING": errors.New("fake-secret")},
			fault.Transient,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			vault := (&fakeManager{stages: tt.stages}).vault()
			tokens, err := vault.AuthTokens(t.Context())
			if got := fault.Of(err); err == nil || got.Kind != tt.want {
				t.Errorf("kind %v, want %v: %v", got.Kind, tt.want, err)
			}
			if strings.Contains(fmt.Sprint(err), "fake-secret") || tokens.All != nil {
				t.Errorf("error %v, tokens %v", err, tokens)
			}
			if tt.name == "pending alone" || len(tt.stages) != 1 {
				return
			}
			if _, err := vault.APIKeys(t.Context()); err == nil || fault.Of(err).Kind != tt.want || strings.Contains(err.Error(), "fake-secret") {
				t.Errorf("API key: error %v, want %v", err, tt.want)
			}
		})
	}
}

// TestPrintedValues prints the credentials in every way there is.
func TestPrintedValues(t *testing.T) {
	t.Parallel()
	for _, v := range []any{
		secrets.AuthTokens{AccountSid: account, Current: "fake-secret", All: []string{"fake-secret"}},
		&secrets.AuthTokens{AccountSid: account, Current: "fake-secret", All: []string{"fake-secret"}},
		secrets.APIKey{AccountSid: account, Sid: "SK1", Secret: "fake-secret"},
	} {
		var log bytes.Buffer
		slog.New(slog.NewTextHandler(&log, nil)).Info("value", slog.Any("value", v))
		slog.New(slog.NewJSONHandler(&log, nil)).Info("value", slog.Any("value", v))
		for _, printed := range []string{fmt.Sprint(v), fmt.Sprintf("%v %+v %#v %s %q", v, v, v, v, v), log.String()} {
			if strings.Contains(printed, "fake-secret") || !strings.Contains(printed, account) {
				t.Errorf("%T prints as %s", v, printed)
			}
		}
	}
}

// TestHalfWrittenVersionsArePassedOver: while a rotation is under way, the current token goes on to count.
func TestHalfWrittenVersionsArePassedOver(t *testing.T) {
	t.Parallel()
	for _, stage := range []string{"AWSPENDING", "AWSPREVIOUS"} {
		for _, half := range []string{"fake-secret", `{}`, `["fake-secret"]`, token(account, "")} {
			vault := (&fakeManager{stages: map[string]any{"AWSCURRENT": token(account, "fakecurrent"), stage: half}}).vault()
			tokens, err := vault.AuthTokens(t.Context())
			if err != nil || tokens.Current != "fakecurrent" || len(tokens.All) != 1 {
				t.Errorf("%s %q: tokens of %v, %v; want the current one alone", stage, half, len(tokens.All), err)
			}
		}
	}
}
