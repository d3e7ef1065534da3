package telemetry

// BuildOf is buildOf for the tests.
var BuildOf = buildOf
