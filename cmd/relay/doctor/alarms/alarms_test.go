package alarms_test

import (
	"crypto/rand"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/schemas"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/sns"
	"github.com/aws/smithy-go/transport/http/protocol/awsquery"

	"quickdumpnow.com/smsrelay/cmd/relay/doctor/alarms"
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/testing/relaytest"
)

// asMotoSpeaks has a client of CloudWatch speak the service's older protocol: moto does not know CBOR, the SDK's own choice.
func asMotoSpeaks(o *cloudwatch.Options) {
	o.Protocol = awsquery.New(schemas.GraniteServiceVersion20100801)
}

// TestOnEmulator reads alarms, topics and a metric off moto.
func TestOnEmulator(t *testing.T) {
	t.Parallel()
	cfg := awsclient.New(relaytest.Emulator(t, relaytest.EmulatorMoto))
	metrics, topics := cloudwatch.NewFromConfig(cfg, asMotoSpeaks), sns.NewFromConfig(cfg)
	watch := alarms.Over(metrics, topics)
	queue, function := "test-"+rand.Text(), "test-"+rand.Text()
	if got, err := watch.OfQueue(t.Context(), queue); err != nil || len(got) != 0 {
		t.Errorf("before there is an alarm: %+v, %v", got, err)
	}
	topic, err := topics.CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &queue})
	if err != nil {
		t.Fatal(err)
	}
	_, err = metrics.PutMetricAlarm(t.Context(), &cloudwatch.PutMetricAlarmInput{
		AlarmName: &queue, Namespace: aws.String("AWS/SQS"), MetricName: aws.String("ApproximateNumberOfMessagesVisible"),
		Dimensions: []types.Dimension{{Name: aws.String("QueueName"), Value: &queue}}, AlarmActions: []string{*topic.TopicArn},
		ActionsEnabled: aws.Bool(true), ComparisonOperator: types.ComparisonOperatorGreaterThanThreshold, EvaluationPeriods: aws.Int32(1),
		Period: aws.Int32(60), Statistic: types.StatisticMaximum, Threshold: aws.Float64(0),
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := watch.OfQueue(t.Context(), queue)
	if err != nil || len(got) != 1 || got[0].Ringing || len(got[0].Topics) != 1 || got[0].Topics[0] != *topic.TopicArn {
		t.Errorf("alarms %+v, %v", got, err)
	}
	if got, err := watch.OfQueue(t.Context(), queue+"-other"); err != nil || len(got) != 0 {
		t.Errorf("alarms of another queue: %+v, %v", got, err)
	}
	if confirmed, unconfirmed, err := watch.Subscribers(t.Context(), *topic.TopicArn); err != nil || confirmed+unconfirmed != 0 {
		t.Errorf("subscribers %d and %d, %v", confirmed, unconfirmed, err)
	}
	if _, err := topics.Subscribe(t.Context(), &sns.SubscribeInput{
		TopicArn: topic.TopicArn, Protocol: aws.String("email"),
		Endpoint: aws.String("ops@example.com"),
	}); err != nil {
		t.Fatal(err)
	}
	if confirmed, unconfirmed, err := watch.Subscribers(t.Context(), *topic.TopicArn); err != nil || confirmed+unconfirmed != 1 {
		t.Errorf("subscribers %d and %d, %v", confirmed, unconfirmed, err)
	}
	now := time.Now()
	if _, known, err := watch.IteratorAge(t.Context(), function, now.Add(-time.Hour), now); err != nil || known {
		t.Errorf("an age of what never ran: %v, %v", known, err)
	}
	_, err = metrics.PutMetricData(t.Context(), &cloudwatch.PutMetricDataInput{
		Namespace: aws.String("AWS/Lambda"),
		MetricData: []types.MetricDatum{{
			MetricName: aws.String("IteratorAge"), Value: aws.Float64(90_000), Timestamp: aws.Time(now.Add(-5 * time.Minute)),
			Dimensions: []types.Dimension{{Name: aws.String("FunctionName"), Value: &function}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if age, known, err := watch.IteratorAge(t.Context(), function, now.Add(-time.Hour), now); err != nil || !known || age != 90*time.Second {
		t.Errorf("age %s (%v), %v; want 1m30s", age, known, err)
	}
}
