"""What looks at a build: schemas, the API server's checks, custom resources, a dry run, and the rules."""
