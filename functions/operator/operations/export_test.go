package operations

// ConfigOf returns the handler's own Config, for tests that change it before the handler is used.
func ConfigOf(h *Handler) *Config { return &h.config }
