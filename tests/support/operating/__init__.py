"""What an operator has and does beside a service: keys, certificates, metrics, workers."""
