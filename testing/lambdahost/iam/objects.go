package iam

import (
	"net/http"
	"slices"
	"strings"
)

// objectInquiry reads a call of S3, in the path style. Listing is asked of the bucket, the rest of the object. A call that is
// about something else, such as an object's tags or a copy of another object, has no question, and is not allowed.
func objectInquiry(request *http.Request) inquiry {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(request.URL.Path, "/"), "/")
	operation, action := objectAction(request, key != "")
	c := inquiry{operation: "s3:" + operation}
	resource := bucket
	if key != "" {
		resource += "/" + key
	}
	if action != "" && bucket != "" && !asksForMore(request) {
		c.questions = []question{{operation: c.operation, action: "s3:" + action, resource: "arn:aws:s3:::" + resource}}
	}
	return c
}

// objectAction returns the service's name and IAM's for what is done with an object or its bucket; no name of IAM's if that
// is not known.
func objectAction(request *http.Request, isObject bool) (operation, action string) {
	switch method := request.Method; {
	case !isObject && method == http.MethodGet:
		return "ListObjects", "ListBucket"
	case !isObject && method == http.MethodHead:
		return "HeadBucket", "ListBucket"
	case !isObject:
		return method, ""
	case method == http.MethodPut:
		return "PutObject", "PutObject"
	case method != http.MethodGet && method != http.MethodHead:
		return method, ""
	}
	operation, action = "GetObject", "GetObject"
	if request.Method == http.MethodHead {
		operation = "HeadObject"
	}
	if request.URL.Query().Has("versionId") {
		action = "GetObjectVersion"
	}
	return operation, action
}

// asksForMore reports whether a call goes beyond a plain read, write or list. S3 tells such calls by further parameters,
// each with a permission of its own, and copies by a header.
func asksForMore(request *http.Request) bool {
	plain := strings.Fields(`x-id versionId partNumber list-type prefix delimiter max-keys start-after continuation-token
		marker encoding-type fetch-owner`)
	for name := range request.URL.Query() {
		if !slices.Contains(plain, name) && !strings.HasPrefix(name, "response-") {
			return true
		}
	}
	for _, header := range []string{"X-Amz-Copy-Source", "X-Amz-Acl", "X-Amz-Tagging"} {
		if request.Header.Get(header) != "" {
			return true
		}
	}
	return false
}
