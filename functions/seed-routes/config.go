package main

import (
	"quickdumpnow.com/smsrelay/shared/aws/awsclient"
	"quickdumpnow.com/smsrelay/shared/env"
)

// config is what the function reads from its environment. All fields are needed. The request says where the file is, with the
// version that makes CloudFormation ask again.
type config struct {
	// aws says how to reach AWS.
	aws awsclient.Config
	// routingTable is the table's name.
	routingTable string
}

// readConfig reads the environment and returns everything that is wrong with it at once.
func readConfig(lookup func(string) (string, bool)) (config, error) {
	r := env.New(lookup)
	c := config{aws: awsclient.Read(r), routingTable: r.Required("RELAY_ROUTING_TABLE")}
	return c, r.Err()
}
