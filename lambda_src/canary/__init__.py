"""The check before traffic: asks a version ten questions and tells CodeDeploy if it may serve."""
