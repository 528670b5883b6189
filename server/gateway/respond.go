// Status and headers of a successful unary call.

package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/protobuf/proto"

	personav1 "persona.example/persona-service/generated/go/persona/v1"
)

// successStatus has every RPC with a path: creates are 201 (a promotion is one), deletes 204.
var successStatus = map[string]int{
	personav1.ProjectService_CreateProject_FullMethodName:      http.StatusCreated,
	personav1.ProjectService_ListProjects_FullMethodName:       http.StatusOK,
	personav1.ProjectService_GetProject_FullMethodName:         http.StatusOK,
	personav1.ProjectService_UpdateProject_FullMethodName:      http.StatusOK,
	personav1.ProjectService_DeleteProject_FullMethodName:      http.StatusNoContent,
	personav1.ProjectService_CreatePersonaGroup_FullMethodName: http.StatusCreated,
	personav1.ProjectService_ListPersonaGroups_FullMethodName:  http.StatusOK,
	personav1.ProjectService_GetPersonaGroup_FullMethodName:    http.StatusOK,
	personav1.ProjectService_UpdatePersonaGroup_FullMethodName: http.StatusOK,
	personav1.ProjectService_DeletePersonaGroup_FullMethodName: http.StatusNoContent,

	personav1.PersonaService_ListPersonas_FullMethodName:        http.StatusOK,
	personav1.PersonaService_GetPersona_FullMethodName:          http.StatusOK,
	personav1.PersonaService_BatchGetPersonas_FullMethodName:    http.StatusOK,
	personav1.PersonaService_CountPersonas_FullMethodName:       http.StatusOK,
	personav1.PersonaService_DeletePersona_FullMethodName:       http.StatusNoContent,
	personav1.PersonaService_DeleteAllPersonas_FullMethodName:   http.StatusNoContent,
	personav1.PersonaService_CreatePersona_FullMethodName:       http.StatusCreated,
	personav1.PersonaService_BatchCreatePersonas_FullMethodName: http.StatusOK,
	personav1.PersonaService_CopyPersonas_FullMethodName:        http.StatusOK,
	personav1.PersonaService_ExportPersonas_FullMethodName:      http.StatusOK,

	personav1.ResponseService_RecordResponses_FullMethodName:    http.StatusOK,
	personav1.ResponseService_ListResponses_FullMethodName:      http.StatusOK,
	personav1.ResponseService_GetResponse_FullMethodName:        http.StatusOK,
	personav1.ResponseService_GetResponsePersona_FullMethodName: http.StatusOK,
	personav1.ResponseService_VoidResponses_FullMethodName:      http.StatusOK,

	personav1.SimulationService_CreateSimulation_FullMethodName: http.StatusCreated,
	personav1.SimulationService_ListSimulations_FullMethodName:  http.StatusOK,
	personav1.SimulationService_GetSimulation_FullMethodName:    http.StatusOK,
	personav1.SimulationService_UpdateSimulation_FullMethodName: http.StatusOK,
	personav1.SimulationService_ListQuestions_FullMethodName:    http.StatusOK,

	personav1.PersonaService_GetPersonaLineage_FullMethodName:                 http.StatusOK,
	personav1.LibraryService_ListLibraryPersonaProjects_FullMethodName:        http.StatusOK,
	personav1.LibraryService_GetReliability_FullMethodName:                    http.StatusOK,
	personav1.LibraryService_GetLibraryPersonaReliability_FullMethodName:      http.StatusOK,
	personav1.LibraryService_ListReliabilities_FullMethodName:                 http.StatusOK,
	personav1.LibraryService_PromotePersona_FullMethodName:                    http.StatusCreated,
	personav1.LibraryService_PromotePersonas_FullMethodName:                   http.StatusOK,
	personav1.LibraryService_ListLibraryPersonas_FullMethodName:               http.StatusOK,
	personav1.LibraryService_GetLibraryPersona_FullMethodName:                 http.StatusOK,
	personav1.LibraryService_RetireLibraryPersona_FullMethodName:              http.StatusOK,
	personav1.LibraryService_MatchLibraryPersonas_FullMethodName:              http.StatusOK,
	personav1.LibraryService_ReuseLibraryPersonas_FullMethodName:              http.StatusOK,
	personav1.LibraryService_GetAttitudeTimeline_FullMethodName:               http.StatusOK,
	personav1.LibraryService_GetLibraryPersonaAttitudeTimeline_FullMethodName: http.StatusOK,

	personav1.ComparisonService_SummarizeResponses_FullMethodName:     http.StatusOK,
	personav1.ComparisonService_CompareResponses_FullMethodName:       http.StatusOK,
	personav1.ComparisonService_RecordReferenceAnswers_FullMethodName: http.StatusOK,
	personav1.ComparisonService_MeasureFidelity_FullMethodName:        http.StatusOK,
	personav1.ComparisonService_MeasureGroupFidelity_FullMethodName:   http.StatusOK,
}

// respond is called before the body is written: the status is the RPC's, and a page says where the
// next one is.
func respond(ctx context.Context, w http.ResponseWriter, reply proto.Message) error {
	c := callOf(ctx)
	if token := tokenAfter(reply); token != "" {
		linkNext(w.Header(), c, token)
	}
	if all, ok := reply.(*personav1.DeleteAllPersonasResponse); ok {
		w.Header().Set("X-Deleted-Count", strconv.Itoa(int(all.GetDeletedCount())))
	}
	if path := locationOf(reply, c.params); path != "" && !c.tried {
		w.Header().Set("Location", path)
	}
	method, _ := runtime.RPCMethod(ctx)
	status, known := successStatus[method]
	switch {
	case !known:
		return fmt.Errorf("no status for %s", method)
	case status == http.StatusNoContent:
		w.Header().Del("Content-Type")
		w.WriteHeader(status)
	case status != http.StatusOK: // which is written with the body, and its length
		w.WriteHeader(status)
	}
	return nil
}

// locationOf is the path of the one resource that a call has created, "" for calls that create none or
// several. params are of the call's own path, without the id of what it created.
func locationOf(reply proto.Message, params map[string]string) string {
	project := "/api/v1/projects/" + strings.ToLower(params["project_id"])
	group := project + "/persona-groups/" + strings.ToLower(params["group_id"])
	switch r := reply.ProtoReflect().Interface().(type) { // as it came: generated code wraps what it unwraps
	case *personav1.CreateProjectResponse:
		return project + r.GetProject().GetId()
	case *personav1.CreatePersonaGroupResponse:
		return group + r.GetPersonaGroup().GetId()
	case *personav1.CreatePersonaResponse:
		return group + "/personas/" + r.GetPersona().GetId()
	case *personav1.CreateSimulationResponse:
		return project + "/simulations/" + r.GetSimulation().GetId()
	case *personav1.PromotePersonaResponse:
		return "/api/v1/library/personas/" + r.GetLibraryPersona().GetId()
	}
	return ""
}

// linkNext names the next page: the same request with another token, relative to this host. A request that
// is a body has no such link: its token is a member of the next body.
func linkNext(h http.Header, c *call, token string) {
	h.Set("X-Next-Page-Token", token)
	if c.body.whole {
		return
	}
	next := *c.r.URL
	query := next.Query()
	query.Set(string(pageToken), token)
	next.RawQuery = query.Encode()
	h.Set("Link", fmt.Sprintf("<%s>; rel=\"next\"", next.RequestURI()))
}
