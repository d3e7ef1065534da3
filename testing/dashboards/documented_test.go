package dashboards

import (
	"fmt"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/testing/dashboards/drawing"
)

// documented are AWS's own metrics, as its pages on the metrics of each service name them: the namespace, the dimension under
// which they are asked for here, and their names.
func documented() []struct {
	namespace, dimension string
	names                []string
} {
	return []struct {
		namespace, dimension string
		names                []string
	}{
		// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
		{"AWS/SQS", "QueueName", []string{
			"ApproximateAgeOfOldestMessage", "ApproximateNumberOfMessagesDelayed", "ApproximateNumberOfMessagesNotVisible",
			"ApproximateNumberOfMessagesVisible", "NumberOfEmptyReceives", "NumberOfMessagesDeleted", "NumberOfMessagesReceived",
			"NumberOfMessagesSent", "SentMessageSize",
		}},
		// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
		{"AWS/Lambda", "FunctionName", []string{
			"Invocations", "Errors", "Throttles", "Duration", "IteratorAge", "ConcurrentExecutions", "DestinationDeliveryFailures",
		}},
		// The same page; a mapping measures them if its MetricsConfig says so.
		{"AWS/Lambda", "EventSourceMappingUUID", []string{
			"PolledEventCount", "FilteredOutEventCount", "InvokedEventCount", "FailedInvokeEventCount", "DroppedEventCount",
			"OnFailureDestinationDeliveredEventCount", "DeletedEventCount",
		}},
		// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
		{"AWS/ApiGateway", "ApiId", []string{"4xx", "5xx", "Count", "DataProcessed", "IntegrationLatency", "Latency"}},
		// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/metrics-dimensions.html
		{"AWS/DynamoDB", "TableName", []string{
			"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents", "TimeToLiveDeletedItemCount",
		}},
	}
}

// resources are what the dimensions of AWS's metrics may be, by the names that the template gives them.
func resources() map[string][]string {
	return map[string][]string{
		"QueueName":    {"qdn-sms.fifo", "qdn-sms-dead.fifo", "qdn-sms-timers", "qdn-sms-timers-dead"},
		"FunctionName": {"IngestFunction", "SenderFunction", "StreamAuditFunction", "OperatorFunction", "MediaFunction"},
		"ApiId":        {"Api"},
		// SAM names the resource of an event source by the function's name and the event's.
		"EventSourceMappingUUID": {"StreamAuditFunctionLedger", "StreamAuditFunctionRoutes", "StreamAuditFunctionConversations"},
		"TableName":              {"qdn-sms-audit", "qdn-sms-routing", "qdn-sms-pace", "qdn-sms-conversations"},
	}
}

// undocumented says what is wrong with a metric of AWS's.
func undocumented(key drawing.Key, where []string) []string {
	name, value, _ := strings.Cut(key.Dimensions, "=")
	for _, service := range documented() {
		if service.namespace == key.Namespace && service.dimension == name && slices.Contains(service.names, key.Name) &&
			slices.Contains(resources()[name], value) {
			return nil
		}
	}
	return []string{fmt.Sprintf("%s: AWS does not measure %s", where, key)}
}
