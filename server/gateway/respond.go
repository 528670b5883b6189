// Status and headers of a successful unary call.

package main

import (
	"context"
	"fmt"
	"net/http"
	"path"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"
)

// respond is called before the body is written: creates are 201 (a promotion is one), deletes 204, and a page says where
// the next one is.
func respond(ctx context.Context, w http.ResponseWriter, reply proto.Message) error {
	if token := tokenAfter(reply); token != "" {
		linkNext(w.Header(), callOf(ctx), token)
	}
	method, _ := runtime.RPCMethod(ctx)
	switch rpc := path.Base(method); {
	case strings.HasPrefix(rpc, "Delete"):
		w.Header().Del("Content-Type")
		w.WriteHeader(http.StatusNoContent)
	case strings.HasPrefix(rpc, "Create"), rpc == "PromotePersona":
		w.WriteHeader(http.StatusCreated)
	}
	return nil
}

// linkNext names the next page: the same request with another token, relative to this host.
func linkNext(h http.Header, c *call, token string) {
	next := *c.r.URL
	query := next.Query()
	query.Set(string(pageToken), token)
	next.RawQuery = query.Encode()
	h.Set("X-Next-Page-Token", token)
	h.Set("Link", fmt.Sprintf("<%s>; rel=\"next\"", next.RequestURI()))
}
