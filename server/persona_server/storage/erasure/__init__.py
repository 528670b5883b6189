"""Erasure: what the operator does by law, and no RPC. The one wing that removes what is kept."""
