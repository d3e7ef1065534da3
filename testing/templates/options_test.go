package templates

import (
	cfn "quickdumpnow.com/smsrelay/testing/lambdahost/template"
)

// filled carries out the functions around references, which stay as they are: "https://sms.example.com,${Api.ApiEndpoint}".
func filled(v any) string {
	resolved, err := new(cfn.Template).Resolve(v, func(id, attribute string) (string, bool) {
		if attribute != "" {
			id += "." + attribute
		}
		return "${" + id + "}", true
	})
	if err != nil {
		return err.Error()
	}
	return expression(resolved)
}

// domain is the variant with a domain name of one's own, and a proxy besides.
func domain() object {
	return object{
		"DomainName":                "sms.example.com",
		"DomainCertificateArn":      "arn:aws:acm:us-east-1:000000000000:certificate/00000000-0000-0000-0000-000000000000",
		"HostedZoneId":              "Z00000000000000000000",
		"DisableExecuteApiEndpoint": "true",
		"PublicBaseUrl":             "https://proxy.example.com/relay,https://old.example.com",
	}
}

// domainChecks are about the name of the API.
func domainChecks() []check {
	return []check{
		{"a domain leads to the API, under the routes' own paths", findDomain, []mutation{
			{"to another API", set("DomainMapping", "ApiId", "other")},
			{"to another stage", set("DomainMapping", "Stage", "prod")},
			{"below a key that the signed URL would need", set("DomainMapping", "ApiMappingKey", "relay")},
			{"under another name", set("Domain", "DomainName", "example.com")},
			{"with another name's certificate", func(t template) {
				mapping(items(t.resource("Domain")["DomainNameConfigurations"])[0])["CertificateArn"] = "other"
			}},
			{"with an old TLS", func(t template) {
				mapping(items(t.resource("Domain")["DomainNameConfigurations"])[0])["SecurityPolicy"] = "TLS_1_0"
			}},
			{"with no record", removeResource("DomainRecord")},
			{"with a record of another name", set("DomainRecord", "Name", "example.com")},
			{"with a record that leads elsewhere", set("DomainRecord", "AliasTarget.DNSName", object{"Fn::GetAtt": "Api.ApiEndpoint"})},
			{"with a record in another zone", set("DomainRecord", "HostedZoneId", "Z1")},
			{"with the API's own name next to it, though it was switched off", set("Api", "DisableExecuteApiEndpoint", false)},
			{"without saying so", func(t template) { mapping(t["Values"])["DomainName"] = "" }},
		}},
		{"the domain comes first of the base URLs", findCircle, []mutation{
			{"after the others", set("SenderFunction", "Environment.Variables.PUBLIC_BASE_URL",
				"https://proxy.example.com/relay,https://old.example.com,https://sms.example.com")},
			{"not at all", set("IngestFunction", "Environment.Variables.PUBLIC_BASE_URL", object{"Fn::GetAtt": "Api.ApiEndpoint"})},
		}},
		{"the outputs begin with the base URL that is in use", findBases, []mutation{
			{"the webhook under the API's own", putBase("WebhookUrl", object{"Fn::GetAtt": "Api.ApiEndpoint"})},
			{"receipts elsewhere", putBase("StatusCallbackUrl", "https://old.example.com")},
			{"operators under the API's own", func(t template) {
				mapping(at(t, "Outputs.OperatorUrl"))["Value"] = object{"Fn::GetAtt": "Api.ApiEndpoint"}
			}},
		}},
		{"a domain does not come without its certificate", findRule, []mutation{
			{"no rule", func(t template) { delete(t, "Rules") }},
			{"a rule without words", func(t template) {
				delete(mapping(items(at(t, "Rules.DomainHasCertificate.Assertions"))[0]), "AssertDescription")
			}},
		}},
	}
}

func findDomain(t template, _ code, report reporter) {
	name, zone := text(t, "Values.DomainName"), text(t, "Values.HostedZoneId")
	for id, wanted := range map[string]bool{"Domain": name != "", "DomainMapping": name != "", "DomainRecord": name != "" && zone != ""} {
		if made := t.resource(id) != nil; made != wanted {
			report("%s: is made: %v, asked for: %v", id, made, wanted)
		}
	}
	if off := isTrue(t.resource("Api"), "DisableExecuteApiEndpoint"); off != (name != "" &&
		text(t, "Values.DisableExecuteApiEndpoint") == "true") {
		report("Api: its own name is off: %v", off)
	}
	findFields(t.resource("Domain"), report, "Domain", map[string]string{"DomainName": name})
	for _, configuration := range items(t.resource("Domain")["DomainNameConfigurations"]) {
		findFields(mapping(configuration), report, "Domain", map[string]string{
			"CertificateArn": text(t, "Values.DomainCertificateArn"), "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2",
		})
	}
	findFields(t.resource("DomainMapping"), report, "DomainMapping", map[string]string{
		"ApiId": "${Api}", "DomainName": "${Domain}", "Stage": "${ApiStage}", "ApiMappingKey": "",
	})
	findFields(t.resource("DomainRecord"), report, "DomainRecord", map[string]string{
		"HostedZoneId": zone, "Name": name, "Type": "A",
		"AliasTarget.DNSName": "${Domain.RegionalDomainName}", "AliasTarget.HostedZoneId": "${Domain.RegionalHostedZoneId}",
	})
}

// findFields compares the properties of a resource that is there.
func findFields(properties object, report reporter, id string, want map[string]string) {
	for path, value := range want {
		if got := text(properties, path); properties != nil && got != value {
			report("%s: %s is %q, should be %q", id, path, got, value)
		}
	}
}

func findRule(t template, _ code, report reporter) {
	rule := at(t, "Rules.DomainHasCertificate")
	assertions := items(at(rule, "Assertions"))
	if len(assertions) != 1 || text(assertions[0], "AssertDescription") == "" || at(rule, "RuleCondition") == nil {
		report("Rules: should say that DomainName needs DomainCertificateArn, before anything is deployed")
	}
}

// receiptsOff is the variant of a second region's stack that asks for no receipts.
func receiptsOff() object {
	return object{"Receipts": "off", "FallbackBaseUrl": "https://sms-west.example.com"}
}

// optionChecks are about receipts and the second region.
func optionChecks() []check {
	return []check{
		{"the sender asks for receipts if it should", findReceipts, []mutation{
			{"asks all the same", set("SenderFunction", "Environment.Variables.PUBLIC_BASE_URL", object{"Fn::GetAtt": "Api.ApiEndpoint"})},
			{"cannot check a webhook", remove("IngestFunction", "Environment.Variables.PUBLIC_BASE_URL")},
			{"does not ask", func(t template) { mapping(t["Values"])["Receipts"] = "on" }},
		}},
		{"a number falls back on the second region", findBases, []mutation{
			{"on this one", putBase("FallbackUrl", object{"Fn::GetAtt": "Api.ApiEndpoint"})},
			{"though there is none", func(t template) { mapping(t["Values"])["FallbackBaseUrl"] = "" }},
			{"from the beginning", putBase("WebhookUrl", "https://sms-west.example.com")},
		}},
	}
}

func findReceipts(t template, _ code, report reporter) {
	asks := at(t.functions()["SenderFunction"], "Environment.Variables.PUBLIC_BASE_URL") != nil
	if wanted := text(t, "Values.Receipts") == "on"; asks != wanted {
		report("SenderFunction: asks for receipts: %v, should: %v", asks, wanted)
	}
	if at(t.functions()["IngestFunction"], "Environment.Variables.PUBLIC_BASE_URL") == nil {
		report("IngestFunction: knows no URL that a signature could cover")
	}
}

// firstBase is the base URL in use: what comes first of PUBLIC_BASE_URL.
func firstBase(t template) string {
	if bases := baseURLs(t); len(bases) > 0 {
		return bases[0]
	}
	return ""
}

func findBases(t template, _ code, report reporter) {
	own := firstBase(t)
	fallback := text(t, "Values.FallbackBaseUrl")
	if fallback == "" {
		fallback = own
	}
	for name, want := range map[string]string{"WebhookUrl": own, "StatusCallbackUrl": own, "FallbackUrl": fallback} {
		if base := filled(at(mapping(items(at(t, "Outputs."+name+".Value.Fn::Sub"))[1]), "Base")); base != want {
			report("%s: begins with %s, should with %s", name, base, want)
		}
	}
	if base := filled(at(t, "Outputs.OperatorUrl.Value")); base != own && text(t, "Values.DomainName") != "" {
		report("OperatorUrl: is %s, should be %s", base, own)
	}
}

// putBase gives an output another base URL.
func putBase(output string, base any) func(template) {
	return func(t template) { mapping(items(at(t, "Outputs."+output+".Value.Fn::Sub"))[1])["Base"] = base }
}
