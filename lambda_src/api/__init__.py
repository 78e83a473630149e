"""The HTTP API: a FastAPI application, its Lambda adapter and its web page."""
