//! Makes the code of the contract.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut config = tonic_prost_build::Config::new();
    config.protoc_executable(protoc_bin_vendored::protoc_bin_path()?);
    let protos = std::env::var("PROTOS").unwrap_or("../../../protos".into());
    tonic_prost_build::configure().build_server(false).compile_with_config(
        config,
        &[format!("{protos}/persona/v1/persona_service.proto")],
        &[protos],
    )?;
    Ok(())
}
