package awsprofile_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
)

// profiles makes a home with two profiles and no other source of credentials.
func profiles(t *testing.T) {
	t.Helper()
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("AWS_CONFIG_FILE", write("config", "[default]\n[profile duty]\nregion = eu-central-1\n"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", write("credentials",
		"[default]\naws_access_key_id = DEFAULT\naws_secret_access_key = x\n[duty]\naws_access_key_id = DUTY\naws_secret_access_key = y\n"))
	for _, name := range []string{
		"AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
		"AWS_ENDPOINT_URL",
	} {
		t.Setenv(name, "")
	}
}

func TestLoad(t *testing.T) {
	for name, test := range map[string]struct {
		config         awsprofile.Config
		environment    string
		region, access string
	}{
		"the profile's own region": {config: awsprofile.Config{Profile: "duty"}, region: "eu-central-1", access: "DUTY"},
		"another region":           {config: awsprofile.Config{Profile: "duty", Region: "us-west-2"}, region: "us-west-2", access: "DUTY"},
		"the environment's region": {environment: "us-east-2", region: "us-east-2", access: "DEFAULT"},
		"a region before the variable's": {
			config: awsprofile.Config{Region: "us-west-1"}, environment: "us-east-2", region: "us-west-1",
			access: "DEFAULT",
		},
	} {
		t.Run(name, func(t *testing.T) {
			profiles(t)
			t.Setenv("AWS_REGION", test.environment)
			cfg, err := awsprofile.Load(t.Context(), test.config)
			if err != nil {
				t.Fatal(err)
			}
			credentials, err := cfg.Credentials.Retrieve(t.Context())
			if err != nil || cfg.Region != test.region || credentials.AccessKeyID != test.access {
				t.Errorf("region %q, key %q (error %v), want %q, %q", cfg.Region, credentials.AccessKeyID, err, test.region, test.access)
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	profiles(t)
	if _, err := awsprofile.Load(t.Context(), awsprofile.Config{}); !errors.Is(err, awsprofile.ErrNoRegion) {
		t.Errorf("without a region: error %v, want ErrNoRegion", err)
	}
	if _, err := awsprofile.Load(t.Context(), awsprofile.Config{Profile: "nobody"}); err == nil {
		t.Error("a profile that is not there was accepted")
	}
}
