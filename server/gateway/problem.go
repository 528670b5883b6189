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

// Reasons that the gateway gives itself.
const (
	invalidFieldReason = personav1.ErrorReason_ERROR_REASON_INVALID_FIELD
	messageTooLarge    = personav1.ErrorReason_ERROR_REASON_MESSAGE_TOO_LARGE
	unauthenticated    = personav1.ErrorReason_ERROR_REASON_UNAUTHENTICATED
	permissionDenied   = personav1.ErrorReason_ERROR_REASON_PERMISSION_DENIED
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
	// Of NOT_ELIGIBLE alone: what was measured, as GetReliability has it.
	Reliability json.RawMessage `json:"reliability,omitempty"`
}

// violation is one bad field, named as in the body or query: "personas[12].age".
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

// reasonText is a reason as it stands in an error.
func reasonText(reason personav1.ErrorReason) string {
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
	c := callOf(r.Context())
	if st := status.Convert(err); errorInfo(st) == nil {
		err = g.publicForm(c, st)
	}
	c.writeProblem(httpStatus, err)
}

// gone is said where the connection to the service is not there, or ends a call.
var gone = tryLater(unreachable, "The service can't be reached. Retry with the same Idempotency-Key.")

// shut is said to who has left, for one who has shut only the side on which he sends.
var shut = tryLater(unreachable, "The caller shut its side of the connection before the answer. Leave it open; retry with the same Idempotency-Key.")

// publicForms is what is said of errors that gRPC makes itself, by their codes.
var publicForms = map[codes.Code]error{
	codes.Unavailable:       gone,
	codes.Canceled:          gone, // by the service, as it stops; a client that cancels reads no answer
	codes.ResourceExhausted: gone,
	codes.DeadlineExceeded: refuse(codes.DeadlineExceeded, deadlineReason,
		"No answer came in time. Whether the work was done is not known; retry with the same Idempotency-Key."),
	codes.PermissionDenied: refuse(codes.PermissionDenied, permissionDenied, "The call is not permitted."),
	codes.Unauthenticated:  refuse(codes.Unauthenticated, unauthenticated, "The call carries no valid token."),
	codes.Unimplemented:    refuse(codes.NotFound, unknownPath, "The service behind this gateway does not have this path."),
}

// publicForm replaces an error without the service's details, whose text may hold addresses or types.
func (g *gateway) publicForm(c *call, st *status.Status) error {
	if known := publicForms[st.Code()]; known != nil {
		return known
	}
	return g.internalError(c, st.String())
}

// internalError logs what went wrong under an id, and makes the error that carries only that id.
func (g *gateway) internalError(c *call, cause string) error {
	id := newUUID()
	g.log.Error("internal error", append(c.named(), "error_id", id, "cause", cause)...)
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
		c.cut = true
		panic(http.ErrAbortHandler)
	}
	c.writeProblem(0, g.internalError(c, fmt.Sprintf("%v\n%s", cause, debug.Stack())))
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
func (c *call) writeProblem(httpStatus int, err error) {
	st := status.Convert(err)
	if httpStatus == 0 {
		httpStatus = runtime.HTTPStatusFromCode(st.Code())
	}
	switch {
	case err == c.theirs:
	case c.left() && errorInfo(st).GetReason() == reasonText(unreachable):
		c.cut, st = true, status.Convert(shut) // it was not the service that could not be reached
	default:
		c.watcher.refused(c, httpStatus, err)
	}
	p := newProblem(httpStatus, st)
	p.nameAsSent(c.member)
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // nobody renders it as HTML, and people read it
	if err := encoder.Encode(p); err != nil {
		panic(err) // texts, numbers, maps of texts: it can't be
	}
	h := c.w.Header()
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
	c.w.WriteHeader(httpStatus)
	_, _ = c.w.Write(body.Bytes()) // a client that has gone away needs no answer
}

func newProblem(httpStatus int, st *status.Status) problem {
	p := problem{
		Type: "about:blank", Title: http.StatusText(httpStatus), Status: httpStatus,
		Detail: st.Message(), Code: codepb.Code(st.Code()).String(),
		Metadata: map[string]string{}, Violations: []violation{},
	}
	if info := errorInfo(st); info != nil {
		p.Reason = info.GetReason()
		maps.Copy(p.Metadata, info.GetMetadata())
	}
	for _, detail := range st.Details() {
		switch detail := detail.(type) {
		case *errdetails.BadRequest:
			for _, v := range detail.GetFieldViolations() {
				p.Violations = append(p.Violations, violation{v.GetField(), v.GetReason(), v.GetDescription()})
			}
		case *personav1.Reliability:
			p.Reliability, _ = appendJSON(nil, detail) // it came decoded, so its texts are UTF-8
		}
	}
	return p
}

// nameAsSent names fields as the body does that is this member of the RPC's request: name, where the
// service says project.name.
func (p *problem) nameAsSent(member string) {
	for i := range p.Violations {
		p.Violations[i].Field = asSent(member, p.Violations[i].Field)
	}
	if field, named := p.Metadata["field"]; named {
		p.Metadata["field"] = asSent(member, field)
		if text, begins := strings.CutPrefix(p.Detail, field+":"); begins {
			p.Detail = p.Metadata["field"] + ":" + text
		}
	}
}

func asSent(member, field string) string {
	if member == "" {
		return field
	}
	if field == member {
		return wholeBody
	}
	return strings.TrimPrefix(field, member+".")
}
