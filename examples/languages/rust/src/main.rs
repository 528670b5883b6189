//! Reads a persona that does not exist, and prints why that failed.

use std::env;

use tonic::{Request, Status};
use tonic_types::StatusExt;

#[allow(clippy::all, dead_code)]
mod v1 {
    tonic::include_proto!("persona.v1");
}

/// The reason of an error of the service, such as `PERSONA_NOT_FOUND`.
fn reason_of(status: &Status) -> Option<String> {
    Some(status.get_details_error_info()?.reason)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let address = format!("http://{}", env::var("PERSONA_ADDRESS")?);
    let mut client = v1::persona_service_client::PersonaServiceClient::connect(address).await?;
    let mut ids = env::args().skip(1);
    let mut next = || ids.next().expect("project, group and persona");
    let mut request = Request::new(v1::GetPersonaRequest {
        project_id: next(),
        group_id: next(),
        persona_id: next(),
    });
    let token = format!("Bearer {}", env::var("PERSONA_TOKEN")?);
    request.metadata_mut().insert("authorization", token.parse()?);
    match client.get_persona(request).await {
        Ok(_) => println!("found"),
        Err(status) => println!("{}", reason_of(&status).unwrap_or_default()),
    }
    Ok(())
}
