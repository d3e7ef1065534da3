package templates

import (
	"reflect"
	"slices"
	"strings"

	"quickdumpnow.com/smsrelay/functions/ingest/webhook"
	"quickdumpnow.com/smsrelay/functions/media/offering"
	"quickdumpnow.com/smsrelay/functions/operator/operations"
)

// route is what is behind one method and path.
type route struct {
	function string
	// operator routes are for callers that IAM lets in, the others for everyone.
	operator bool
}

// routes are the design's, by their route keys. Only this list has the methods and who may come; that each path of the
// code has a route is checked apart.
func routes() map[string]route {
	return map[string]route{
		"POST " + webhook.PathInbound:         {function: "IngestFunction"},
		"GET " + webhook.PathInbound:          {function: "IngestFunction"},
		"POST " + webhook.PathStatusCallback:  {function: "IngestFunction"},
		"GET " + webhook.PathHealth:           {function: "IngestFunction"},
		"POST " + operations.PathRelay:        {function: "OperatorFunction", operator: true},
		"POST " + operations.PathReply:        {function: "OperatorFunction", operator: true},
		"GET " + operations.PathStatus:        {function: "OperatorFunction", operator: true},
		"GET " + operations.PathText:          {function: "OperatorFunction", operator: true},
		"GET " + operations.PathSearch:        {function: "OperatorFunction", operator: true},
		"GET " + operations.PathContacts:      {function: "OperatorFunction", operator: true},
		"PUT " + operations.PathContacts:      {function: "OperatorFunction", operator: true},
		"DELETE " + operations.PathContacts:   {function: "OperatorFunction", operator: true},
		"GET " + operations.PathBlocks:        {function: "OperatorFunction", operator: true},
		"PUT " + operations.PathBlocks:        {function: "OperatorFunction", operator: true},
		"DELETE " + operations.PathBlocks:     {function: "OperatorFunction", operator: true},
		"GET " + operations.PathConversations: {function: "OperatorFunction", operator: true},
		"GET " + operations.PathWords:         {function: "OperatorFunction", operator: true},
		"POST " + operations.PathGive:         {function: "OperatorFunction", operator: true},
		"POST " + operations.PathDone:         {function: "OperatorFunction", operator: true},
		"POST " + operations.PathResume:       {function: "OperatorFunction", operator: true},
		"GET " + operations.PathOpenAPI:       {function: "OperatorFunction", operator: true},
		"HEAD " + offering.PathMedia:          {function: "MediaFunction"},
		"GET " + offering.PathMedia:           {function: "MediaFunction"},
	}
}

func apiChecks() []check {
	return []check{
		{"the routes are those of the code", findRoutes, []mutation{
			{"one too few", removeResource("PostRelayRoute")},
			{"one too many", add("CatchAll", "AWS::ApiGatewayV2::Route", object{"RouteKey": "$default", "AuthorizationType": "NONE"})},
			{"another path", set("GetHealthRoute", "RouteKey", "GET /health")},
			{"no description", removeResource("GetOpenAPIRoute")},
			{"attachments that cannot be asked about first", removeResource("HeadMediaRoute")},
			{"attachments for operators alone", set("GetMediaRoute", "AuthorizationType", "AWS_IAM")},
			{"an open description", set("GetOpenAPIRoute", "AuthorizationType", "NONE")},
			{"an open operator route", set("PostRelayRoute", "AuthorizationType", "NONE")},
			{"words for everyone", set("GetStatusTextRoute", "AuthorizationType", "NONE")},
			{"no words", removeResource("GetStatusTextRoute")},
			{"names for everyone", set("PutContactsRoute", "AuthorizationType", "NONE")},
			{"names that nobody can take away", removeResource("DeleteContactsRoute")},
			{"an operator route that says nothing", remove("GetStatusRoute", "AuthorizationType")},
			{"a webhook that Twilio cannot sign for", set("PostInboundRoute", "AuthorizationType", "AWS_IAM")},
			{"the wrong function", set("PostRelayRoute", "Target", object{"Fn::Sub": "integrations/${IngestIntegration}"})},
			{"another API", set("PostRelayRoute", "ApiId", "other")},
		}},
		{"the gateway may call each function for its routes alone", findPermissions, []mutation{
			{"a route that cannot be answered", removeResource("GetStatusPermission")},
			{"the permission of another function", set("PostInboundPermission", "FunctionName", object{"Ref": "OperatorFunction"})},
			{"for any path", set("PostInboundPermission", "SourceArn",
				object{"Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/*"})},
			{"for anyone's API", remove("PostInboundPermission", "SourceArn")},
			{"for another service", set("PostInboundPermission", "Principal", "*")},
		}},
		{"the gateway speaks to the functions in their form, and gives up just before they do", findIntegrations, []mutation{
			{"the older payload", set("IngestIntegration", "PayloadFormatVersion", "1.0")},
			{"longer than the function runs", set("IngestIntegration", "TimeoutInMillis", 10000)},
			{"the gateway's longest", remove("OperatorIntegration", "TimeoutInMillis")},
			{"half the function's time", set("OperatorIntegration", "TimeoutInMillis", 7000)},
			{"not whole requests", set("OperatorIntegration", "IntegrationType", "AWS")},
		}},
		{"the stage deploys itself and holds floods back", findStage, stageMutations()},
		{"the gateway answers browsers by itself", findCors, []mutation{
			{"not at all", remove("Api", "CorsConfiguration")},
			{"not to change a name", set("Api", "CorsConfiguration.AllowMethods", []any{"GET", "POST"})},
			{"with cookies", set("Api", "CorsConfiguration.AllowCredentials", true)},
			{"for unsigned calls only", set("Api", "CorsConfiguration.AllowHeaders", []any{"content-type"})},
			{"by a function", add("OptionsRoute", "AWS::ApiGatewayV2::Route", object{"RouteKey": "OPTIONS /sms/{proxy+}"})},
		}},
		{"the functions know the API's address, and the API knows no function", findCircle, []mutation{
			{"SAM's API", add("HttpApi", "AWS::Serverless::HttpApi", object{})},
			{"an address by hand", set("IngestFunction", "Environment.Variables.PUBLIC_BASE_URL", "https://sms.example.com")},
			{
				"the API's address first",
				set("SenderFunction", "Environment.Variables.PUBLIC_BASE_URL", object{"Fn::Sub": "${Api.ApiEndpoint},https://sms.example.com"}),
			},
		}},
	}
}

// stageMutations spoil the stage.
func stageMutations() []mutation {
	return []mutation{
		{"by hand", set("ApiStage", "AutoDeploy", false)},
		{"under a name that Twilio's URL would need", set("ApiStage", "StageName", "prod")},
		{"without a limit", remove("ApiStage", "DefaultRouteSettings")},
		{"one limit for all", remove("ApiStage", "RouteSettings")},
		{"a public route without its own", func(t template) {
			delete(mapping(t.resource("ApiStage")["RouteSettings"]), "GET /sms/health")
		}},
		{"a public limit above the others", func(t template) {
			put(mapping(t.resource("ApiStage")["RouteSettings"]), "POST /sms/inbound.ThrottlingRateLimit", 501)
		}},
		{"texts by GET under the limit of health checks", func(t template) {
			put(mapping(t.resource("ApiStage")["RouteSettings"]), "GET /sms/inbound.ThrottlingRateLimit", 5)
		}},
		{"more at once than some regions allow", set("ApiStage", "DefaultRouteSettings.ThrottlingBurstLimit", 2000)},
		{"a limit for no route", func(t template) {
			put(mapping(t.resource("ApiStage")["RouteSettings"]), "GET /sms/inboud", object{"ThrottlingRateLimit": 1, "ThrottlingBurstLimit": 1})
		}},
		{"before its routes are there", func(t template) {
			stage := mapping(at(t, "Resources.ApiStage"))
			stage["DependsOn"] = items(stage["DependsOn"])[1:]
		}},
	}
}

func findRoutes(t template, c code, report reporter) {
	declared := map[string]bool{}
	for id, resource := range t.resources("AWS::ApiGatewayV2::Route") {
		r := mapping(resource["Properties"])
		key := text(r, "RouteKey")
		want, ok := routes()[key]
		if !ok {
			report("%s: %q is no route of the code's", id, key)
			continue
		}
		declared[key] = true
		authorization := map[bool]string{true: "AWS_IAM", false: "NONE"}[want.operator]
		if text(r, "AuthorizationType") != authorization {
			report("%s: AuthorizationType is %q, should be %s", id, text(r, "AuthorizationType"), authorization)
		}
		if called(t, r) != want.function || text(r, "ApiId") != "${Api}" {
			report("%s: %s should lead from Api to %s", id, key, want.function)
		}
	}
	for key := range routes() {
		if !declared[key] {
			report("%s: the template has no such route", key)
		}
	}
	// Only a relay on one host has users, a rota, and a desk where texts are seen to.
	onOneHost := []string{
		operations.PathUsers, operations.PathSignOut, operations.PathDuty, operations.PathOff, operations.PathHours, operations.PathWhere,
		operations.PathResend, operations.PathUncertain, operations.PathDeadLetters,
	}
	for _, path := range c.paths {
		if slices.Contains(onOneHost, path) {
			continue
		}
		if !slices.ContainsFunc(sorted(declared), func(key string) bool { return strings.HasSuffix(key, " "+path) }) {
			report("%s: a handler names this path, and no route leads there", path)
		}
	}
}

// called returns the function behind a route.
func called(t template, r object) string {
	integration := t.resource(referenced(strings.TrimPrefix(text(r, "Target"), "integrations/")))
	return referenced(text(integration, "IntegrationUri"))
}

func findPermissions(t template, _ code, report reporter) {
	given := map[string]bool{}
	for id, resource := range t.resources("AWS::Lambda::Permission") {
		p := mapping(resource["Properties"])
		if text(p, "Principal") != "apigateway.amazonaws.com" || text(p, "Action") != "lambda:InvokeFunction" {
			report("%s: should let API Gateway invoke, and nobody else", id)
		}
		given[text(p, "FunctionName")+" "+text(p, "SourceArn")] = true
	}
	needed := map[string]bool{}
	for key, r := range routes() {
		method, path, _ := strings.Cut(key, " ")
		// An open end of a path is any last part in IAM's words.
		if before, _, open := strings.Cut(path, "{"); open {
			path = before + "*"
		}
		source := "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/" + method + path
		needed["${"+r.function+"} "+source] = true
	}
	if !sameSet(sorted(given), sorted(needed)) {
		report("permissions are %q, should be %q", sorted(given), sorted(needed))
	}
}

// lastWords is the least and the most time, in milliseconds, between the gateway's timeout and the function's.
const lastWords, longLastWords = 500, 2000

func findIntegrations(t template, _ code, report reporter) {
	for id, resource := range t.resources("AWS::ApiGatewayV2::Integration") {
		i := mapping(resource["Properties"])
		if text(i, "IntegrationType") != "AWS_PROXY" || text(i, "PayloadFormatVersion") != "2.0" {
			report("%s: functions should get whole requests in payload format 2.0", id)
		}
		timeout := 1000 * number(t.functions()[referenced(text(i, "IntegrationUri"))], "Timeout")
		if left := timeout - number(i, "TimeoutInMillis"); left < lastWords || left > longLastWords {
			report("%s: gives up at %s ms, the function at %d ms", id, text(i, "TimeoutInMillis"), timeout)
		}
	}
}

// The quotas that API Gateway begins with where they are smallest, such as in Cape Town and Milan: what an account may accept in a
// second, and at once, of all its APIs. https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
const (
	smallestRateQuota  = 2500
	smallestBurstQuota = 1250
)

func findStage(t template, _ code, report reporter) {
	stage := t.resource("ApiStage")
	if text(stage, "StageName") != "$default" || !isTrue(stage, "AutoDeploy") {
		report("ApiStage: should be $default, so that paths are the code's, and deploy itself")
	}
	rate, burst := number(stage, "DefaultRouteSettings.ThrottlingRateLimit"), number(stage, "DefaultRouteSettings.ThrottlingBurstLimit")
	if rate < 1 || burst < 1 {
		report("ApiStage: should have a limit")
	}
	if rate > smallestRateQuota || burst > smallestBurstQuota {
		report("ApiStage: %d a second and %d at once is more than the account may accept in some regions", rate, burst)
	}
	limits := mapping(stage["RouteSettings"])
	for key := range limits {
		if _, ok := routes()[key]; !ok {
			report("ApiStage: has a limit for %q, which is no route", key)
		}
	}
	for key, r := range routes() {
		own := mapping(limits[key])
		ownRate, ownBurst := number(own, "ThrottlingRateLimit"), number(own, "ThrottlingBurstLimit")
		if !r.operator && (ownRate < 1 || ownBurst < 1 || ownRate >= rate || ownBurst >= burst) {
			report("ApiStage: %s is public and should have a limit tighter than the stage's", key)
		}
	}
	for _, key := range []string{"POST " + webhook.PathStatusCallback, "GET " + webhook.PathInbound} {
		if own, texts := mapping(limits[key]), mapping(limits["POST "+webhook.PathInbound]); !reflect.DeepEqual(own, texts) {
			report("ApiStage: Twilio calls %s as often as it posts texts, and should have the same limit", key)
		}
	}
	if !sameSet(sorted(t.resources("AWS::ApiGatewayV2::Route")), expressions(at(t, "Resources.ApiStage.DependsOn"))) {
		report("ApiStage: should wait for all routes, whose limits it sets")
	}
}

func findCors(t template, _ code, report reporter) {
	cors := mapping(t.resource("Api")["CorsConfiguration"])
	if len(items(cors["AllowOrigins"])) == 0 || isTrue(cors, "AllowCredentials") {
		report("Api: should answer preflights, for pages that bring their own signature")
	}
	for _, header := range []string{"authorization", "content-type", "x-amz-date", "x-amz-security-token"} {
		if !slices.Contains(expressions(cors["AllowHeaders"]), header) {
			report("Api: browsers may not send %s", header)
		}
	}
	for key, r := range routes() {
		method, _, _ := strings.Cut(key, " ")
		if r.operator && !slices.Contains(expressions(cors["AllowMethods"]), method) {
			report("Api: browsers may not use %s, which %s needs", method, key)
		}
	}
	for id, resource := range t.resources("AWS::ApiGatewayV2::Route") {
		if strings.HasPrefix(text(resource, "Properties.RouteKey"), "OPTIONS") {
			report("%s: no function answers OPTIONS", id)
		}
	}
}

func findCircle(t template, _ code, report reporter) {
	for id := range t.resources("AWS::Serverless::HttpApi") {
		report("%s: would need the functions before they can have its address", id)
	}
	want := strings.Join(baseURLs(t), ",")
	for id, f := range t.functions() {
		if base := filled(at(f, "Environment.Variables.PUBLIC_BASE_URL")); base != "" && base != want {
			report("%s: PUBLIC_BASE_URL is %s, should be %s", id, base, want)
		}
	}
}

// baseURLs are what Twilio may have been given, the one in use first.
func baseURLs(t template) []string {
	var list []string
	if name := text(t, "Values.DomainName"); name != "" {
		list = append(list, "https://"+name)
	}
	if own := text(t, "Values.PublicBaseUrl"); own != "" {
		list = append(list, strings.Split(own, ",")...)
	}
	return append(list, "${Api.ApiEndpoint}")
}
