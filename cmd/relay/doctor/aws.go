package doctor

// AWS is what is asked of the relay on AWS.
type AWS struct{}
