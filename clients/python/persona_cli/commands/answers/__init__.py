"""Commands on answers: record, correct, list and export."""
