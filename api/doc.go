// Package api is the REST service: OpenAI's routes under /v1, grounded's own under /api, and Dify's external
// knowledge. Requests come in over HTTP and are checked against openapi.yaml, which is the contract; what goes out
// are the objects of package corpus, in the same form as the command line's --json.
//
// Who asks is known by a key (Key), and what a key may not see does not exist for it: every read of the store
// carries the groups of its caller.
package api
