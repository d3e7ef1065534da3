// Package templates holds template.yaml against the code and against what the relay promises: environment variables,
// routes, queues, tables, logs and policies. It has tests only. It is not a check of the template's form, which is
// cfn-lint's part, and it deploys nothing.
package templates
