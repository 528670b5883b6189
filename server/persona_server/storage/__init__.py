"""What knows SQL: one database, one repository per resource, each made for one tenant."""
