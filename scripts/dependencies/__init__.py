"""What the project depends on: known vulnerabilities, the bill of materials, and costs."""
