// Package alarms is the door to what watches the stack: CloudWatch's alarms and metrics, and the SNS topics of the alarms. Only
// operators' tools use it, and it changes nothing; the functions write their metrics with shared/telemetry.
package alarms

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"

	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
)

// Alarm is one alarm.
type Alarm struct {
	Name string
	// Ringing is whether it is in the state ALARM.
	Ringing bool
	// Topics are the ARNs that it notifies; empty if its actions are switched off.
	Topics []string
}

// Watch reads alarms.
type Watch struct {
	metrics *cloudwatch.Client
	topics  *sns.Client
}

// New returns a Watch.
func New(cfg aws.Config) Watch {
	return Watch{metrics: cloudwatch.NewFromConfig(cfg), topics: sns.NewFromConfig(cfg)}
}

// OfQueue returns the alarms on a metric of a queue, by the queue's name. Errors are *fault.Error.
func (w Watch) OfQueue(ctx context.Context, queue string) ([]Alarm, error) {
	var found []Alarm
	for _, metric := range []string{"ApproximateNumberOfMessagesVisible", "ApproximateAgeOfOldestMessage"} {
		out, err := w.metrics.DescribeAlarmsForMetric(ctx, &cloudwatch.DescribeAlarmsForMetricInput{
			Namespace: aws.String("AWS/SQS"), MetricName: &metric,
			Dimensions: []types.Dimension{{Name: aws.String("QueueName"), Value: &queue}},
		})
		if err != nil {
			return nil, awsclient.Call{Name: "CloudWatch DescribeAlarmsForMetric"}.Fault(err)
		}
		for _, a := range out.MetricAlarms {
			// Emulators answer with all alarms.
			if aws.ToString(a.MetricName) != metric || !isOf(a, queue) {
				continue
			}
			alarm := Alarm{Name: aws.ToString(a.AlarmName), Ringing: a.StateValue == types.StateValueAlarm}
			if aws.ToBool(a.ActionsEnabled) {
				alarm.Topics = a.AlarmActions
			}
			found = append(found, alarm)
		}
	}
	return found, nil
}

// isOf reports whether an alarm is on a metric of the queue.
func isOf(a types.MetricAlarm, queue string) bool {
	return slices.ContainsFunc(a.Dimensions, func(d types.Dimension) bool { return aws.ToString(d.Value) == queue })
}

// pending is what SNS writes for the ARN of a subscription that nobody has confirmed yet.
const pending = "PendingConfirmation"

// Subscribers counts the confirmed and the unconfirmed subscriptions of a topic. Errors are *fault.Error.
func (w Watch) Subscribers(ctx context.Context, topic string) (confirmed, unconfirmed int, err error) {
	pages := sns.NewListSubscriptionsByTopicPaginator(w.topics, &sns.ListSubscriptionsByTopicInput{TopicArn: &topic})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return 0, 0, awsclient.Call{Name: "SNS ListSubscriptionsByTopic"}.Fault(err)
		}
		for _, s := range page.Subscriptions {
			if aws.ToString(s.SubscriptionArn) == pending {
				unconfirmed++
			} else {
				confirmed++
			}
		}
	}
	return confirmed, unconfirmed, nil
}

// IteratorAge returns how far a function was at most behind its stream in a period, and whether it read at all. Errors are
// *fault.Error.
func (w Watch) IteratorAge(ctx context.Context, function string, since, until time.Time) (age time.Duration, known bool, err error) {
	out, err := w.metrics.GetMetricStatistics(ctx, &cloudwatch.GetMetricStatisticsInput{
		Namespace: aws.String("AWS/Lambda"), MetricName: aws.String("IteratorAge"), StartTime: &since, EndTime: &until,
		Period: aws.Int32(60), Statistics: []types.Statistic{types.StatisticMaximum},
		Dimensions: []types.Dimension{{Name: aws.String("FunctionName"), Value: &function}},
	})
	if err != nil {
		return 0, false, awsclient.Call{Name: "CloudWatch GetMetricStatistics"}.Fault(err)
	}
	for _, point := range out.Datapoints {
		age = max(age, time.Duration(aws.ToFloat64(point.Maximum)*float64(time.Millisecond)))
	}
	return age, len(out.Datapoints) > 0, nil
}
