// Package openapi has the OpenAPI document of REST. Made by tools/update_openapi.py.
package openapi

import _ "embed" // for the document

// Document is the document, as JSON.
//
//go:embed openapi.json
var Document []byte
