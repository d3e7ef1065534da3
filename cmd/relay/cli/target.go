package cli

import (
	"context"
	"errors"
	"os/user"

	"github.com/spf13/pflag"

	"quickdumpnow.com/smsrelay/cmd/relay/awsprofile"
	"quickdumpnow.com/smsrelay/cmd/relay/target"
	"quickdumpnow.com/smsrelay/shared/duration"
	"quickdumpnow.com/smsrelay/shared/env"
	"quickdumpnow.com/smsrelay/shared/ledger"
)

// The names of the settings that say which relay a command works on.
const (
	EnvAWS                = "RELAY_AWS"
	EnvProfile            = "AWS_PROFILE"
	EnvRegion             = "AWS_REGION"
	EnvRoutingTable       = "RELAY_ROUTING_TABLE"
	EnvLedgerTable        = "RELAY_LEDGER_TABLE"
	EnvConversationsTable = "RELAY_CONVERSATIONS_TABLE"
	EnvQueue              = "RELAY_QUEUE"
	EnvAuditLogGroup      = "RELAY_AUDIT_LOG_GROUP"
)

// EnvOperator names the operator if the user name on this host does not.
const EnvOperator = "RELAY_OPERATOR"

// TargetSettings lists them. Their fallbacks are the template's defaults.
func TargetSettings() []Setting {
	return []Setting{
		{Env: EnvData, Fallback: "./relay-data", Help: "folder of relay serve on this host; it may be running"},
		{Env: EnvAWS, Fallback: "false", Help: "work on the relay on AWS instead, with the AWS command line's credentials"},
		{Env: EnvProfile, Help: "the AWS profile"},
		{Env: EnvRegion, Help: "the AWS region (default: that of the profile)"},
		{Env: EnvRoutingTable, Fallback: "qdn-sms-routing", Help: "the stack's RoutingTableName"},
		{Env: EnvLedgerTable, Fallback: "qdn-sms-audit", Help: "the stack's LedgerTableName"},
		{Env: EnvConversationsTable, Fallback: "qdn-sms-conversations", Help: "the stack's ConversationsTableName"},
		{Env: EnvQueue, Fallback: "qdn-sms", Help: "the stack's QueueName"},
		{Env: EnvAuditLogGroup, Fallback: "/qdn-sms/audit", Help: "the stack's AuditLogGroupName"},
		{
			Env: EnvRetention, Fallback: duration.Text(ledger.DefaultRetention),
			Help: "the stack's LedgerRetention: lists go back no further",
		},
	}
}

// AddTarget makes flags of the settings that say which relay a command works on.
func AddTarget(flags *pflag.FlagSet) {
	AddTargetFlags(flags, TargetSettings())
}

// AddTargetFlags makes flags of some of those settings. The root's help describes them.
func AddTargetFlags(flags *pflag.FlagSet, some []Setting) {
	AddFlags(flags, some)
	for _, s := range some {
		markGlobal(flags, s.Flag(), whichTarget)
	}
}

// OpenTarget opens the relay that the flags and the environment name.
func (p Program) OpenTarget(ctx context.Context, flags *pflag.FlagSet) (*target.Target, error) {
	r := env.New(LookupOf(TargetSettings(), flags, p.Lookup))
	config := target.Config{
		AWS: env.Parsed(r, EnvAWS, "false", ParseBool), Data: r.String(EnvData, ""),
		Profile:      awsprofile.Config{Profile: r.String(EnvProfile, ""), Region: r.String(EnvRegion, "")},
		RoutingTable: r.String(EnvRoutingTable, ""), LedgerTable: r.String(EnvLedgerTable, ""),
		ConversationsTable: r.String(EnvConversationsTable, ""),
		Queue:              r.String(EnvQueue, ""), AuditLogGroup: r.String(EnvAuditLogGroup, ""),
		Retention: r.DurationWithin(EnvRetention, 0, ledger.MinRetention, ledger.MaxRetention),
	}
	if err := r.Err(); err != nil {
		return nil, SettingsError(err)
	}
	opened, err := target.Open(ctx, config)
	if err != nil {
		return nil, WithTargetHint(err, config.AWS)
	}
	return opened, nil
}

// Operator returns the operator's name for the record: the given name, or else RELAY_OPERATOR, or else the user name on this host.
func (p Program) Operator(named string) string {
	if named != "" {
		return named
	}
	for _, name := range []string{EnvOperator, "USER", "LOGNAME", "USERNAME"} {
		if value, ok := p.Lookup(name); ok && value != "" {
			return value
		}
	}
	if current, err := user.Current(); err == nil && current.Username != "" {
		return current.Username
	}
	return "operator"
}

// ParseBool reads a switch.
func ParseBool(text string) (bool, error) {
	switch text {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	default:
		return false, errors.New("want true or false")
	}
}

// WithTarget opens the relay, calls do with it and closes it.
func (p Program) WithTarget(ctx context.Context, flags *pflag.FlagSet, do func(d *target.Target) error) (err error) {
	var d *target.Target
	if d, err = p.OpenTarget(ctx, flags); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return do(d)
}
