"""What several tests need: a running service, calls with a token, errors read as the contract's."""
