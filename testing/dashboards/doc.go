// Package dashboards holds no code but tests: three hours of a relay, with everything that may go wrong, are played through
// the real handlers in a moment, and what the dashboard, the alarms and the saved queries of the template ask for is held
// against what the handlers emitted and logged meanwhile. It does not measure: the clock is moved by hand.
package dashboards
