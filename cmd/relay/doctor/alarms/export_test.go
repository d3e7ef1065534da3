package alarms

import (
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/sns"
)

// Over returns a Watch that asks through those clients.
func Over(metrics *cloudwatch.Client, topics *sns.Client) Watch {
	return Watch{metrics: metrics, topics: topics}
}
