// Errors: google.rpc statuses on the way in, application/problem+json (RFC 9457) on the way out.

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	codepb "google.golang.org/genproto/googleapis/rpc/code"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/protoadapt"

	personav1 "persona.example/persona-service/generated/go/persona/v1"
)

// errorDomain marks the errors of the service; others are gRPC's own, whose texts stay inside.
const errorDomain = "persona-service"

// statusClientClosed is what the runtime answers for CANCELLED; it has no standard text.
const statusClientClosed = 499

// Reasons that the gateway gives itself.
const (
	invalidFieldReason = personav1.ErrorReason_ERROR_REASON_INVALID_FIELD
	messageTooLarge    = personav1.ErrorReason_ERROR_REASON_MESSAGE_TOO_LARGE
	unauthenticated    = personav1.ErrorReason_ERROR_REASON_UNAUTHENTICATED
	internalReason     = personav1.ErrorReason_ERROR_REASON_INTERNAL
	deadlineReason     = personav1.ErrorReason_ERROR_REASON_DEADLINE_EXCEEDED
	unknownPath        = personav1.ErrorReason_ERROR_REASON_UNKNOWN_PATH
	methodNotAllowed   = personav1.ErrorReason_ERROR_REASON_METHOD_NOT_ALLOWED
)

// problem is the body of every error. Type stays about:blank: reason says what it is, to programs.
type problem struct {
	Type       string            `json:"type"`
	Title      string            `json:"title"`
	Status     int               `json:"status"`
	Detail     string            `json:"detail"`
	Code       string            `json:"code"`
	Reason     string            `json:"reason"`
	Metadata   map[string]string `json:"metadata"`
	Violations []violation       `json:"violations"`
}

// violation is one bad field, named as in the RPC's request: "personas[12].age".
type violation struct {
	Field       string `json:"field"`
	Reason      string `json:"reason,omitempty"`
	Description string `json:"description"`
}

// refuse is an error of the gateway in the service's form.
func refuse(code codes.Code, reason personav1.ErrorReason, text string) error {
	return detailed(code, reason, text, nil)
}

// invalidField is INVALID_FIELD for one field, worded as the service words it.
func invalidField(field, description string) error {
	field = strings.ToValidUTF8(field, "\uFFFD") // it may come from the client
	return detailed(codes.InvalidArgument, invalidFieldReason, field+": "+description, map[string]string{"field": field},
		&errdetails.BadRequest_FieldViolation{Field: field, Description: description})
}

func detailed(code codes.Code, reason personav1.ErrorReason, text string, metadata map[string]string, violations ...*errdetails.BadRequest_FieldViolation) error {
	info := &errdetails.ErrorInfo{Domain: errorDomain, Metadata: metadata, Reason: reasonText(reason)}
	return withDetails(status.New(code, text), info, &errdetails.BadRequest{FieldViolations: violations})
}

// reasonText is a reason as it stands in an error, "" for none.
func reasonText(reason personav1.ErrorReason) string {
	if reason == personav1.ErrorReason_ERROR_REASON_UNSPECIFIED {
		return ""
	}
	return strings.TrimPrefix(reason.String(), "ERROR_REASON_")
}

func withDetails(st *status.Status, details ...protoadapt.MessageV1) error {
	detailed, err := st.WithDetails(details...)
	if err != nil {
		panic(err) // only a status OK takes no details
	}
	return detailed.Err()
}

// fail answers with what went wrong, unless a streamed form has answered already.
func (g *gateway) fail(ctx context.Context, _ *runtime.ServeMux, _ runtime.Marshaler, w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errAnswered) {
		return
	}
	httpStatus := 0
	var chosen *runtime.HTTPStatusError
	if errors.As(err, &chosen) {
		httpStatus, err = chosen.HTTPStatus, chosen.Err
	}
	if st := status.Convert(err); errorInfo(st) == nil {
		err = g.publicForm(callOf(r.Context()), st)
	}
	writeProblem(w, httpStatus, err)
}

// What may be said of errors that gRPC makes itself, …
var bareTexts = map[codes.Code]string{
	codes.Canceled:          "The call was cancelled.",
	codes.DeadlineExceeded:  "No answer came in time. Whether the work was done is not known; retry with the same Idempotency-Key.",
	codes.PermissionDenied:  "The call is not permitted.",
	codes.ResourceExhausted: "The call is more than the service can take.",
	codes.Unauthenticated:   "The call carries no valid token.",
	codes.Unavailable:       "The service can't be reached. Retry with the same Idempotency-Key.",
	codes.Unimplemented:     "The service does not have this method.",
}

// … and their reasons. Where there is none the code says all there is.
var bareReasons = map[codes.Code]personav1.ErrorReason{
	codes.DeadlineExceeded: deadlineReason,
	codes.PermissionDenied: personav1.ErrorReason_ERROR_REASON_PERMISSION_DENIED,
	codes.Unauthenticated:  unauthenticated,
}

// publicForm replaces an error without the service's details, whose text may hold addresses or types.
func (g *gateway) publicForm(c *call, st *status.Status) error {
	if st.Code() == codes.Unavailable {
		return tryLater(unreachable, bareTexts[codes.Unavailable])
	}
	if reason, known := bareReasons[st.Code()]; known {
		return refuse(st.Code(), reason, bareTexts[st.Code()])
	}
	if text, known := bareTexts[st.Code()]; known {
		return status.Error(st.Code(), text)
	}
	return g.internalError(c, st.String())
}

// internalError logs what went wrong under an id, and makes the error that carries only that id.
func (g *gateway) internalError(c *call, cause string) error {
	id := newUUID()
	g.log.Error("internal error", "error_id", id, "request_id", c.requestID, "cause", cause)
	return detailed(codes.Internal, internalReason, "The call failed. The error id finds the cause in the gateway's log.",
		map[string]string{"error_id": id})
}

// recover answers for a panic, except one that means to cut the connection.
func (g *gateway) recover(c *call) {
	cause := recover()
	if cause == nil {
		return
	}
	if cause == http.ErrAbortHandler || c.w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	writeProblem(c.w, 0, g.internalError(c, fmt.Sprintf("%v\n%s", cause, debug.Stack())))
}

// errorInfo finds what says that an error is the service's own, or nil.
func errorInfo(st *status.Status) *errdetails.ErrorInfo {
	for _, detail := range st.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.GetDomain() == errorDomain {
			return info
		}
	}
	return nil
}

// writeProblem writes an error whose text is public. httpStatus 0 means the standard one of its code.
func writeProblem(w http.ResponseWriter, httpStatus int, err error) {
	st := status.Convert(err)
	if httpStatus == 0 {
		httpStatus = runtime.HTTPStatusFromCode(st.Code())
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // nobody renders it as HTML, and people read it
	if err := encoder.Encode(newProblem(httpStatus, st)); err != nil {
		panic(err) // texts, numbers, maps of texts: it can't be
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(body.Len()))
	if httpStatus == http.StatusUnauthorized {
		h.Set("Www-Authenticate", "Bearer")
	}
	for _, detail := range st.Details() {
		if retry, ok := detail.(*errdetails.RetryInfo); ok {
			h.Set("Retry-After", strconv.Itoa(int(math.Ceil(retry.GetRetryDelay().AsDuration().Seconds()))))
		}
	}
	w.WriteHeader(httpStatus)
	_, _ = w.Write(body.Bytes()) // a client that has gone away needs no answer
}

func newProblem(httpStatus int, st *status.Status) problem {
	p := problem{
		Type: "about:blank", Title: http.StatusText(httpStatus), Status: httpStatus,
		Detail: st.Message(), Code: codepb.Code(st.Code()).String(),
		Metadata: map[string]string{}, Violations: []violation{},
	}
	if httpStatus == statusClientClosed {
		p.Title = "Client Closed Request"
	}
	if info := errorInfo(st); info != nil {
		p.Reason = info.GetReason()
		maps.Copy(p.Metadata, info.GetMetadata())
	}
	for _, detail := range st.Details() {
		if bad, ok := detail.(*errdetails.BadRequest); ok {
			for _, v := range bad.GetFieldViolations() {
				p.Violations = append(p.Violations, violation{v.GetField(), v.GetReason(), v.GetDescription()})
			}
		}
	}
	return p
}
