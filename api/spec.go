package api

import (
	_ "embed"
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"grounded/corpus"
)

//go:embed openapi.yaml
var contract []byte

// spec is the contract, and as what it is given out.
type spec struct {
	document *openapi3.T
	json     []byte
}

func loadSpec() (*spec, error) {
	document, err := openapi3.NewLoader().LoadFromData(contract)
	if err != nil {
		return nil, corpus.Errorf(corpus.ErrInvalid, "read openapi.yaml: %w", err)
	}
	text, err := document.MarshalJSON()
	return &spec{document, text}, err
}

// operation is what the contract says of one route.
type operation struct {
	route        *routers.Route
	body         *openapi3.Schema // nil when it takes none of JSON
	bodyRequired bool
	multipart    bool // takes multipart/form-data too, which the handler reads
}

// operation finds a route in the contract. One that is not there is a fault of the program.
func (s *spec) operation(method, path string) *operation {
	item := s.document.Paths.Value(path)
	if item == nil || item.GetOperation(method) == nil {
		panic("openapi.yaml has no " + method + " " + path)
	}
	o := &operation{route: &routers.Route{Spec: s.document, Path: path, PathItem: item, Method: method, Operation: item.GetOperation(method)}}
	if b := o.route.Operation.RequestBody; b != nil {
		o.multipart = b.Value.Content["multipart/form-data"] != nil
		if media := b.Value.Content["application/json"]; media != nil {
			o.body, o.bodyRequired = media.Schema.Value, b.Value.Required
		}
	}
	return o
}

// checkBody tells the first field that is against the contract.
func (o *operation) checkBody(body []byte) error {
	var value any
	if err := json.Unmarshal(body, &value); err != nil {
		return invalid("", "the request is not JSON: %s", err)
	}
	err := o.body.VisitJSON(value, openapi3.VisitAsRequest(), openapi3.SetSchemaErrorMessageCustomizer(brief))
	if err == nil {
		return nil
	}
	field, reason := reasonOf(err)
	if field == "" {
		return invalid("", "the request is not valid: %s", reason)
	}
	return invalid(field, "%s is not valid: %s", field, reason)
}

// brief has the validator not write the whole value out, which may be large.
func brief(e *openapi3.SchemaError) string { return e.Reason }

// reasonOf finds the field and the reason in an error of the validator. Values are not repeated.
func reasonOf(err error) (field, reason string) {
	var schema *openapi3.SchemaError
	if !errors.As(err, &schema) {
		return "", err.Error()
	}
	if what := schema.Schema.Description; schema.SchemaField == "oneOf" && what != "" {
		return strings.Join(schema.JSONPointer(), "."), "it is not " + what
	}
	return strings.Join(schema.JSONPointer(), "."), schema.Reason
}

// checkParameters checks what stands in the path and in the query.
func (o *operation) checkParameters(k *call) error {
	if len(o.route.Operation.Parameters) == 0 {
		return nil
	}
	params := map[string]string{}
	for _, p := range o.route.Operation.Parameters {
		if p.Value.In == openapi3.ParameterInPath {
			params[p.Value.Name] = k.pathParameter(p.Value.Name)
		}
	}
	input := &openapi3filter.RequestValidationInput{
		Request: k.echo.Request(), PathParams: params, Route: o.route,
		Options: &openapi3filter.Options{ExcludeRequestBody: true, AuthenticationFunc: openapi3filter.NoopAuthenticationFunc},
	}
	for _, p := range o.route.Operation.Parameters {
		if err := openapi3filter.ValidateParameter(k.ctx, input, p.Value); err != nil {
			_, reason := reasonOf(err)
			return invalid(p.Value.Name, "%s is not valid: %s", p.Value.Name, reason)
		}
	}
	return nil
}

// pathParameter is an element of the path by its name in the contract.
func (k *call) pathParameter(name string) string {
	if strings.HasSuffix(k.echo.Path(), "*") {
		name = "*"
	}
	return k.param(name)
}

func (s *Server) openapi(k *call) error {
	return k.echo.Blob(http.StatusOK, "application/json", s.spec.json)
}
