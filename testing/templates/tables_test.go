package templates

import (
	"fmt"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/shared/aws/dynamo"
)

// schemas are the tables' by their logical ids, as the code needs them.
func schemas() map[string]dynamo.TableSchema {
	return map[string]dynamo.TableSchema{
		"RoutingTable": dynamo.RoutesSchema(), "LedgerTable": dynamo.LedgerSchema(), "PaceTable": dynamo.PaceSchema(),
		"ConversationsTable": dynamo.ConversationsSchema(),
	}
}

func tableChecks() []check {
	return []check{
		{"tables have the keys and indexes that shared/aws/dynamo reads", findSchemas, []mutation{
			{"another key", set("RoutingTable", "KeySchema", []any{object{"AttributeName": "Number", "KeyType": "HASH"}})},
			{"a sort key more", set("RoutingTable", "KeySchema", []any{
				object{"AttributeName": "TwilioNumber", "KeyType": "HASH"}, object{"AttributeName": "LastUpdated", "KeyType": "RANGE"},
			})},
			{"an index too few", dropIndex},
			{"another index", changeIndex("IndexName", "ByNumber")},
			{"an index of whole items", changeIndex("Projection", object{"ProjectionType": "ALL"})},
			{"an index in no order", changeIndex("KeySchema", []any{object{"AttributeName": "Customer", "KeyType": "HASH"}})},
			{
				"keys that are numbers",
				set("LedgerTable", "AttributeDefinitions", []any{object{"AttributeName": "MessageSid", "AttributeType": "N"}}),
			},
			{"half of each change", set("LedgerTable", "StreamSpecification.StreamViewType", "NEW_IMAGE")},
			{"no changes", remove("RoutingTable", "StreamSpecification")},
			{"no expiry", remove("LedgerTable", "TimeToLiveSpecification")},
			{"expiry that is off", set("LedgerTable", "TimeToLiveSpecification.Enabled", false)},
			{"expiry by another attribute", set("LedgerTable", "TimeToLiveSpecification.AttributeName", "Expires")},
			{"routes that expire", set("RoutingTable", "TimeToLiveSpecification", object{"AttributeName": "ExpiresAt", "Enabled": true})},
			{"a pace of another key", set("PaceTable", "KeySchema", []any{object{"AttributeName": "Number", "KeyType": "HASH"}})},
			{"a pace in order of something", set("PaceTable", "KeySchema", []any{
				object{"AttributeName": "TwilioNumber", "KeyType": "HASH"}, object{"AttributeName": "To", "KeyType": "RANGE"},
			})},
			{
				"a pace for numbers that are numbers",
				set("PaceTable", "AttributeDefinitions", []any{object{"AttributeName": "TwilioNumber", "AttributeType": "N"}}),
			},
			{"a pace that is kept for ever", remove("PaceTable", "TimeToLiveSpecification")},
			{"a pace whose expiry is off", set("PaceTable", "TimeToLiveSpecification.Enabled", false)},
			{"a pace that expires by another attribute", set("PaceTable", "TimeToLiveSpecification.AttributeName", "Next")},
			{"a pace that someone follows", set("PaceTable", "StreamSpecification", object{"StreamViewType": "NEW_IMAGE"})},
			{"no pace", removeResource("PaceTable")},
			{"one conversation a number", set("ConversationsTable", "KeySchema", []any{object{"AttributeName": "TwilioNumber", "KeyType": "HASH"}})},
			{
				"conversations that expire",
				set("ConversationsTable", "TimeToLiveSpecification", object{"AttributeName": "ExpiresAt", "Enabled": true}),
			},
			{"half of each change of a conversation", set("ConversationsTable", "StreamSpecification", object{"StreamViewType": "NEW_IMAGE"})},
			{"no changes of conversations", remove("ConversationsTable", "StreamSpecification")},
			{"no conversations", removeResource("ConversationsTable")},
			{"a table that nothing uses", add("OtherTable", "AWS::DynamoDB::Table", object{})},
		}},
		{"tables are encrypted, and paid by the request", findTableForm, []mutation{
			{"routes in plain", remove("RoutingTable", "SSESpecification")},
			{"the pace in plain", set("PaceTable", "SSESpecification.SSEEnabled", false)},
			{"routes up to a capacity", set("RoutingTable", "BillingMode", "PROVISIONED")},
			{"the pace up to a capacity", remove("PaceTable", "BillingMode")},
		}},
		{"what is worth nothing tomorrow goes with the stack", findTableWaste, []mutation{
			{"the pace is left behind", func(t template) { mapping(at(t, "Resources.PaceTable"))["DeletionPolicy"] = "Retain" }},
			{"the pace is left behind by a change", func(t template) { mapping(at(t, "Resources.PaceTable"))["UpdateReplacePolicy"] = "Retain" }},
			{"the pace stays", set("PaceTable", "DeletionProtectionEnabled", true)},
			{"the pace has backups", set("PaceTable", "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled", true)},
		}},
		{"tables keep what was entrusted to them", findTableSafety, []mutation{
			{"no point in time", remove("LedgerTable", "PointInTimeRecoverySpecification")},
			{"no point in time of the conversations", remove("ConversationsTable", "PointInTimeRecoverySpecification")},
			{"deleted by a slip", set("LedgerTable", "DeletionProtectionEnabled", false)},
			{"deleted with the stack", func(t template) { mapping(at(t, "Resources.LedgerTable"))["DeletionPolicy"] = "Delete" }},
			{"deleted by a change", func(t template) { delete(mapping(at(t, "Resources.RoutingTable")), "UpdateReplacePolicy") }},
		}},
	}
}

func findSchemas(t template, _ code, report reporter) {
	tables := t.resources("AWS::DynamoDB::Table")
	for id, want := range schemas() {
		if t.isExisting(id) {
			continue
		}
		table := mapping(tables[id]["Properties"])
		wantedKeys := want.Key + " HASH"
		if want.SortKey != "" {
			wantedKeys += ", " + want.SortKey + " RANGE"
		}
		if keys := keysOf(table); keys != wantedKeys {
			report("%s: keys are %q, should be %q", id, keys, wantedKeys)
		}
		if view := text(table, "StreamSpecification.StreamViewType"); view != want.StreamViewType {
			report("%s: the stream shows %q, should show %s", id, view, want.StreamViewType)
		}
		findIndexes(id, table, want, report)
		ttl := ""
		if isTrue(table, "TimeToLiveSpecification.Enabled") {
			ttl = text(table, "TimeToLiveSpecification.AttributeName")
		}
		if ttl != want.TTLAttribute {
			report("%s: items expire by %q, should by %q", id, ttl, want.TTLAttribute)
		}
	}
	for id := range tables {
		if _, ok := schemas()[id]; !ok {
			report("%s: nothing uses this table", id)
		}
	}
}

func findIndexes(id string, table object, want dynamo.TableSchema, report reporter) {
	found, wanted := []string{}, []string{}
	used := []string{want.Key + " S"}
	if want.SortKey != "" {
		used = append(used, want.SortKey+" S")
	}
	for _, index := range want.Indexes {
		wanted = append(wanted, fmt.Sprintf("%s: %s HASH, %s RANGE, %s", index.Name, index.PartitionKey, index.SortKey, index.Projection))
		used = append(used, index.PartitionKey+" S", index.SortKey+" S")
	}
	for _, index := range items(table["GlobalSecondaryIndexes"]) {
		found = append(found, fmt.Sprintf("%s: %s, %s", text(index, "IndexName"), keysOf(index), text(index, "Projection.ProjectionType")))
	}
	if !sameSet(found, wanted) {
		report("%s: indexes are %q, should be %q", id, found, wanted)
	}
	var attributes []string
	for _, attribute := range items(table["AttributeDefinitions"]) {
		attributes = append(attributes, text(attribute, "AttributeName")+" "+text(attribute, "AttributeType"))
	}
	if !sameSet(attributes, used) {
		report("%s: attributes are %q, the keys are %q", id, attributes, used)
	}
}

// keysOf writes a table's or an index's keys as "Customer HASH, ReceivedKey RANGE".
func keysOf(v any) string {
	var keys []string
	for _, key := range items(at(v, "KeySchema")) {
		keys = append(keys, text(key, "AttributeName")+" "+text(key, "KeyType"))
	}
	return strings.Join(keys, ", ")
}

// sameSet compares without regard to order and repetition.
func sameSet(a, b []string) bool {
	set := func(list []string) []string { return slices.Compact(slices.Sorted(slices.Values(list))) }
	return slices.Equal(set(a), set(b))
}

// isPassing reports whether a table holds nothing that is of use tomorrow.
func isPassing(id string) bool { return id == "PaceTable" }

func findTableForm(t template, _ code, report reporter) {
	for id, resource := range t.resources("AWS::DynamoDB::Table") {
		table := mapping(resource["Properties"])
		if !isTrue(table, "SSESpecification.SSEEnabled") || text(table, "BillingMode") != "PAY_PER_REQUEST" {
			report("%s: should be encrypted with a key of the account's, and paid per request", id)
		}
	}
}

func findTableWaste(t template, _ code, report reporter) {
	for id, resource := range t.resources("AWS::DynamoDB::Table") {
		table := mapping(resource["Properties"])
		if !isPassing(id) {
			continue
		}
		if text(resource, "DeletionPolicy") != "Delete" || text(resource, "UpdateReplacePolicy") != "Delete" ||
			isTrue(table, "DeletionProtectionEnabled") {
			report("%s: left behind, it would keep the next stack from making its own", id)
		}
		if isTrue(table, "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled") {
			report("%s: holds nothing to restore", id)
		}
	}
}

func findTableSafety(t template, _ code, report reporter) {
	for id, resource := range t.resources("AWS::DynamoDB::Table") {
		table := mapping(resource["Properties"])
		if isPassing(id) {
			continue
		}
		if !isTrue(table, "PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled") || !isTrue(table, "DeletionProtectionEnabled") {
			report("%s: should have point-in-time recovery and deletion protection", id)
		}
		if text(resource, "DeletionPolicy") != "Retain" || text(resource, "UpdateReplacePolicy") != "Retain" {
			report("%s: should outlive the stack", id)
		}
	}
}

func dropIndex(t template) {
	table := t.resource("LedgerTable")
	table["GlobalSecondaryIndexes"] = items(table["GlobalSecondaryIndexes"])[1:]
}

// changeIndex puts a value into the ledger's first index.
func changeIndex(key string, value any) func(template) {
	return func(t template) { mapping(items(t.resource("LedgerTable")["GlobalSecondaryIndexes"])[0])[key] = value }
}
