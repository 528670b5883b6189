"""From the bytes of a file to messages of the contract, and back."""
