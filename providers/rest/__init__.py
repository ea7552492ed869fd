"""RestObject: an object behind a REST API, told apart by a key field, of which only the declared fields are ours."""
