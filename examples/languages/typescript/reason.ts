// Reads a persona that does not exist, and prints why that failed.
import { credentials, loadPackageDefinition, Metadata, type ServiceError } from "@grpc/grpc-js";
import { loadSync, type MessageTypeDefinition } from "@grpc/proto-loader";
import { getProtoPath } from "google-proto-files";

const google = getProtoPath("..");
const files = ["persona/v1/persona_service.proto", "google/rpc/status.proto", "google/rpc/error_details.proto"];
const definition = loadSync(files, { includeDirs: [process.env.PROTOS!, google], keepCase: true });
const message = (name: string) => definition[name] as unknown as MessageTypeDefinition<any, any>;

/** The reason of an error of the service, such as PERSONA_NOT_FOUND. */
function reasonOf(error: ServiceError): string | undefined {
  const [raw] = error.metadata.get("grpc-status-details-bin") as Buffer[];
  if (!raw) return undefined;
  const status = message("google.rpc.Status").deserialize(raw);
  const found = status.details.find((any: any) => any.type_url.endsWith("/google.rpc.ErrorInfo"));
  return found && message("google.rpc.ErrorInfo").deserialize(found.value).reason;
}

const { persona } = loadPackageDefinition(definition) as any;
const client = new persona.v1.PersonaService(process.env.PERSONA_ADDRESS, credentials.createInsecure());
const headers = new Metadata();
headers.set("authorization", `Bearer ${process.env.PERSONA_TOKEN}`);
const [project_id, group_id, persona_id] = process.argv.slice(2);
client.GetPersona({ project_id, group_id, persona_id }, headers, (error: ServiceError | null) => {
  console.log(error ? reasonOf(error) : "found");
});
