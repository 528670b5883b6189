// Reads a persona that does not exist, and prints why that failed.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	personav1 "persona.example/persona-service/generated/go/persona/v1"
)

// reasonOf returns the reason of an error of the service, such as PERSONA_NOT_FOUND.
func reasonOf(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetReason()
		}
	}
	return ""
}

func main() {
	connection, err := grpc.NewClient(os.Getenv("PERSONA_ADDRESS"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+os.Getenv("PERSONA_TOKEN"))
	_, err = personav1.NewPersonaServiceClient(connection).GetPersona(ctx, &personav1.GetPersonaRequest{
		ProjectId: os.Args[1], GroupId: os.Args[2], PersonaId: os.Args[3],
	})
	if err == nil {
		fmt.Println("found")
	} else {
		fmt.Println(reasonOf(err))
	}
}
