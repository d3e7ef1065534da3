package relaytest

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
)

// SecretVersions is an endpoint of AWS that has one secret in several versions, and notes how it is read. Whatever else is asked of it goes
// to Others. It is for tests that count readings; what Secrets Manager itself does, the emulators know.
type SecretVersions struct {
	// Others answers other calls; nil refuses them.
	Others http.Handler

	t      testing.TB
	mu     sync.Mutex
	stages map[string]string
	read   []string
}

// NewSecretVersions returns one with a secret that has those stages, such as AWSCURRENT.
func NewSecretVersions(tb testing.TB, stages map[string]string) *SecretVersions {
	tb.Helper()
	return &SecretVersions{t: tb, stages: maps.Clone(stages)}
}

// Read returns the stages that were read since the last time, in order.
func (s *SecretVersions) Read() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	read := s.read
	s.read = nil
	return read
}

// ServeHTTP implements http.Handler.
func (s *SecretVersions) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.Header.Get("X-Amz-Target"), ".GetSecretValue") {
		if s.Others == nil {
			s.t.Errorf("unexpected call of %s", r.Header.Get("X-Amz-Target"))
			http.Error(w, "{}", http.StatusBadRequest)
			return
		}
		s.Others.ServeHTTP(w, r)
		return
	}
	var asked struct{ VersionStage string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		s.t.Errorf("GetSecretValue: %v", err)
	}
	s.mu.Lock()
	s.read = append(slices.Clip(s.read), asked.VersionStage)
	value, ok := s.stages[asked.VersionStage]
	s.mu.Unlock()
	answer := map[string]string{"SecretString": value}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	if !ok {
		w.WriteHeader(http.StatusBadRequest)
		answer = map[string]string{"__type": "ResourceNotFoundException"}
	}
	_ = json.NewEncoder(w).Encode(answer)
}
