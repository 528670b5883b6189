"""Programs beside a service, as it meets them: browsers, proxies, poolers, other callers."""
