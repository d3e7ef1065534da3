package telemetry

// VersionOf is versionOf for the tests.
var VersionOf = versionOf
