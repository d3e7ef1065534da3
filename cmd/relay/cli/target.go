package main

import (
	"context"
	"errors"
	"os/user"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
	"quickdumpnow.com/smsrelay/cmd/relay/desk"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/fault"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// The names of the settings that say which relay a command works on.
const (
	envAWS                = "RELAY_AWS"
	envProfile            = "AWS_PROFILE"
	envRegion             = "AWS_REGION"
	envRoutingTable       = "RELAY_ROUTING_TABLE"
	envLedgerTable        = "RELAY_LEDGER_TABLE"
	envConversationsTable = "RELAY_CONVERSATIONS_TABLE"
	envQueue              = "RELAY_QUEUE"
	envAuditLogGroup      = "RELAY_AUDIT_LOG_GROUP"
)

// envOperator says who is at work where the name under which the process runs does not.
const envOperator = "RELAY_OPERATOR"

// deskSettings lists them. Their fallbacks are the template's defaults.
func deskSettings() []setting {
	return []setting{
		{env: envData, fallback: "./relay-data", help: "folder of a relay serve on this host, which may be running"},
		{env: envAWS, fallback: "false", help: "work on the relay on AWS instead, as the person that the AWS command line would be"},
		{env: envProfile, help: "the AWS profile"},
		{env: envRegion, help: "the AWS region (default the profile's)"},
		{env: envRoutingTable, fallback: "qdn-sms-routing", help: "the stack's RoutingTableName"},
		{env: envLedgerTable, fallback: "qdn-sms-audit", help: "the stack's LedgerTableName"},
		{env: envConversationsTable, fallback: "qdn-sms-conversations", help: "the stack's ConversationsTableName"},
		{env: envQueue, fallback: "qdn-sms", help: "the stack's QueueName"},
		{env: envAuditLogGroup, fallback: "/qdn-sms/audit", help: "the stack's AuditLogGroupName"},
		{env: envRetention, fallback: written(ledger.DefaultRetention), help: "the stack's LedgerRetention: lists look no further back"},
	}
}

// addDesk makes flags of the settings that say which relay a command works on.
func addDesk(flags *pflag.FlagSet) {
	addFlags(flags, deskSettings())
}

// openDesk opens the relay that the flags and the environment say.
func (p program) openDesk(ctx context.Context, flags *pflag.FlagSet) (*desk.Desk, error) {
	r := env.New(lookupOf(deskSettings(), flags, p.lookup))
	config := desk.Config{
		AWS: env.Parsed(r, envAWS, "false", parseBool), Data: r.String(envData, ""),
		Profile:      awsprofile.Config{Profile: r.String(envProfile, ""), Region: r.String(envRegion, "")},
		RoutingTable: r.String(envRoutingTable, ""), LedgerTable: r.String(envLedgerTable, ""), ConversationsTable: r.String(envConversationsTable, ""),
		Queue: r.String(envQueue, ""), AuditLogGroup: r.String(envAuditLogGroup, ""),
		Retention: r.DurationWithin(envRetention, 0, ledger.MinRetention, ledger.MaxRetention),
	}
	if err := r.Err(); err != nil {
		return nil, settingError(err)
	}
	opened, err := desk.Open(ctx, config)
	if err != nil {
		return nil, withDeskHint(err, config.AWS)
	}
	return opened, nil
}

// operator names who is at work, for the record: who is named, else RELAY_OPERATOR, else the user of this host.
func (p program) operator(named string) string {
	if named != "" {
		return named
	}
	for _, name := range []string{envOperator, "USER", "LOGNAME", "USERNAME"} {
		if value, ok := p.lookup(name); ok && value != "" {
			return value
		}
	}
	if current, err := user.Current(); err == nil && current.Username != "" {
		return current.Username
	}
	return "operator"
}

// parseBool reads a switch.
func parseBool(text string) (bool, error) {
	switch text {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	default:
		return false, errors.New("want true or false")
	}
}

// withDeskHint adds advice to what goes wrong when a relay is opened or read.
func withDeskHint(err error, onAWS bool) error {
	if !onAWS {
		return withReadHint(err)
	}
	if errors.Is(err, awsprofile.ErrNoRegion) {
		return hintedError{err, "name it with --aws-region, AWS_REGION or in the profile"}
	}
	if refused, ok := errors.AsType[*fault.Error](err); ok && refused.Kind == fault.Fatal {
		return hintedError{err, "see that --aws-profile and --aws-region are those of the stack, and the names those of its parameters"}
	}
	return err
}
