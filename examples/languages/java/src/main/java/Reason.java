import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.rpc.ErrorInfo;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.protobuf.StatusProto;
import io.grpc.stub.MetadataUtils;
import persona.v1.GetPersonaRequest;
import persona.v1.PersonaServiceGrpc;

/** Reads a persona that does not exist, and prints why that failed. */
class Reason {
  /** The reason of an error of the service, such as PERSONA_NOT_FOUND. */
  static String reasonOf(Throwable error) throws InvalidProtocolBufferException {
    for (Any detail : StatusProto.fromThrowable(error).getDetailsList()) {
      if (detail.is(ErrorInfo.class)) {
        return detail.unpack(ErrorInfo.class).getReason();
      }
    }
    return "";
  }

  public static void main(String[] ids) throws Exception {
    Metadata headers = new Metadata();
    headers.put(
        Metadata.Key.of("authorization", Metadata.ASCII_STRING_MARSHALLER),
        "Bearer " + System.getenv("PERSONA_TOKEN"));
    ManagedChannel channel =
        Grpc.newChannelBuilder(System.getenv("PERSONA_ADDRESS"), InsecureChannelCredentials.create())
            .intercept(MetadataUtils.newAttachHeadersInterceptor(headers))
            .build();
    GetPersonaRequest request =
        GetPersonaRequest.newBuilder()
            .setProjectId(ids[0])
            .setGroupId(ids[1])
            .setPersonaId(ids[2])
            .build();
    try {
      PersonaServiceGrpc.newBlockingStub(channel).getPersona(request);
      System.out.println("found");
    } catch (StatusRuntimeException error) {
      System.out.println(reasonOf(error));
    } finally {
      channel.shutdownNow();
    }
  }
}
