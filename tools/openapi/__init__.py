"""The OpenAPI 3.1 document of the REST form, made from descriptors, comments and gateway.yaml."""
