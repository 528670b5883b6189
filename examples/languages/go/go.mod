module persona.example/reason

go 1.21

require (
	google.golang.org/genproto/googleapis/rpc v0.0.0-20240318140521-94a12d6c2237
	google.golang.org/grpc v1.64.0
	persona.example/persona-service/generated/go v0.0.0
)

require (
	golang.org/x/net v0.22.0 // indirect
	golang.org/x/sys v0.18.0 // indirect
	golang.org/x/text v0.14.0 // indirect
	google.golang.org/protobuf v1.36.0 // indirect
)

// Where the checkout is: the module has no address of its own.
replace persona.example/persona-service/generated/go => ../../../generated/go
