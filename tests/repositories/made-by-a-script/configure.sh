envsubst <templates/deployment.env >base/deployment.env
