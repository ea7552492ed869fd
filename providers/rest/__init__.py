"""RestObject: an object behind a REST API, distinguished by a key field, of which only the declared fields are ours."""
