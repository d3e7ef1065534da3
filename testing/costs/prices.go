package costs

import "slices"

// price is what a service asks for one unit, in dollars.
type price struct {
	key     string
	dollars float64
	unit    string
	// service and page say whose price it is, and where it is listed.
	service, page string
}

const (
	pageTwilio     = "https://www.twilio.com/en-us/sms/pricing/us"
	pageCloudWatch = "https://aws.amazon.com/cloudwatch/pricing/"
	pageS3         = "https://aws.amazon.com/s3/pricing/"
	pageDynamoDB   = "https://aws.amazon.com/dynamodb/pricing/on-demand/"
	million        = 1e6
	gigabyte       = 1e9
	// hours are those of a month.
	hours = 730.0
)

// prices are those of us-east-1 on demand, and Twilio's for US long codes, in November 2026. No free tier is taken off.
func prices() []price {
	return []price{
		{"request", 1.00, "million requests", "API Gateway, HTTP API", "https://aws.amazon.com/api-gateway/pricing/"},
		{"invocation", 0.20, "million invocations", "Lambda", "https://aws.amazon.com/lambda/pricing/"},
		{"gigabyte second", 0.0000133334, "GB-second, arm64", "Lambda", "https://aws.amazon.com/lambda/pricing/"},
		{"fifo", 0.50, "million calls", "SQS, FIFO", "https://aws.amazon.com/sqs/pricing/"},
		{"standard", 0.40, "million calls", "SQS, standard", "https://aws.amazon.com/sqs/pricing/"},
		{"write", 0.625, "million write units", "DynamoDB", pageDynamoDB},
		{"read", 0.125, "million read units", "DynamoDB", pageDynamoDB},
		{"stored", 0.25, "GB and month", "DynamoDB, storage", pageDynamoDB},
		{"recovery", 0.20, "GB and month", "DynamoDB, point-in-time recovery", pageDynamoDB},
		{"logged", 0.50, "GB taken in", "CloudWatch Logs", pageCloudWatch},
		{"kept", 0.03, "GB and month, compressed", "CloudWatch Logs", pageCloudWatch},
		{"metric", 0.30, "metric and month", "CloudWatch", pageCloudWatch},
		{"alarm", 0.10, "alarm and month", "CloudWatch", pageCloudWatch},
		{"dashboard", 3.00, "dashboard and month", "CloudWatch", pageCloudWatch},
		{"secret", 0.40, "secret and month", "Secrets Manager", "https://aws.amazon.com/secrets-manager/pricing/"},
		{"secret read", 5.00, "million calls", "Secrets Manager", "https://aws.amazon.com/secrets-manager/pricing/"},
		{"object put", 5.00, "million objects written", "S3", pageS3},
		{"object read", 0.40, "million objects read", "S3", pageS3},
		{"object stored", 0.023, "GB and month", "S3, storage", pageS3},
		{"out", 0.09, "GB out to the internet", "data transfer", "https://aws.amazon.com/ec2/pricing/on-demand/"},
		{"key", 1.00, "key of your own and month", "KMS", "https://aws.amazon.com/kms/pricing/"},
		{"zone", 0.50, "hosted zone and month", "Route 53", "https://aws.amazon.com/route53/pricing/"},
		{"segment out", 0.0083, "segment sent", "Twilio", pageTwilio},
		{"carrier out", 0.0045, "segment sent, at most", "the carrier, through Twilio", pageTwilio},
		{"segment in", 0.0083, "segment received", "Twilio", pageTwilio},
		{"carrier in", 0.0025, "segment received, at most", "the carrier, through Twilio", pageTwilio},
		{"picture out", 0.022, "message with pictures sent, without the carrier's fee", "Twilio, MMS", pageTwilio},
		{"picture in", 0.0165, "message with pictures received, without the carrier's fee", "Twilio, MMS", pageTwilio},
		{"number", 1.15, "number and month", "Twilio, long code", pageTwilio},
	}
}

// of returns a price by its key.
func of(key string) float64 {
	all := prices()
	return all[slices.IndexFunc(all, func(p price) bool { return p.key == key })].dollars
}

// assumption is what the run on one machine cannot measure.
type assumption struct {
	key    string
	value  float64
	unit   string
	reason string
}

func assumptions() []assumption {
	return []assumption{
		{"invocation", 25, "ms an invocation", "not measured: the run's processor is emulated"},
		{"twilio", 250, "ms more for each call of Twilio's API", "not measured; the sender waits for the answer and is billed for it"},
		{"platform", 600, "bytes an invocation", "the lines that Lambda itself logs: its start and its report"},
		{"event", 26, "bytes a log event", "what CloudWatch adds to each"},
		{"compressed", 0.2, "of its size", "what a log is kept as"},
		{"answer", 3000, "bytes out for each request and each call of Twilio", "with their headers and TLS"},
		{"picture", 500_000, "bytes a picture", "as phones send them; 5 MB is the most"},
		{"index", 200, "bytes for each of the ledger's three indexes", "keys, and 100 that DynamoDB adds to each entry"},
		{"pollers", 5, "polls at once of each queue, of 20 s", "what Lambda keeps up when there is nothing to do"},
	}
}

// assumed returns an assumption by its key.
func assumed(key string) float64 {
	all := assumptions()
	return all[slices.IndexFunc(all, func(a assumption) bool { return a.key == key })].value
}
