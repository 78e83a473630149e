"""The HTTP API: a FastAPI app and its Lambda adapter."""
