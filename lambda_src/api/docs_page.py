"""The OpenAPI document as a page for people, made on the server: no script, no outside host."""

import base64
import hashlib
import json
from html import escape
from typing import Any, Final

_STYLE: Final = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { max-width: 52rem; margin: 0 auto; padding: 1rem; }
h2 { margin-top: 2.5rem; border-top: 1px solid #8886; padding-top: 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow: auto; padding: .75rem; border: 1px solid #8886; border-radius: .4rem; }
table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem .8rem .2rem 0; }
"""


_STYLE_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""Nothing but this page's own style, which the digest names."""


def render(document: dict[str, Any]) -> str:
    """Write an OpenAPI document as an HTML page."""
    info = document["info"]
    schemas = document["components"]["schemas"]
    operations = [
        _operation(method, path, operation, schemas)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(info['title'])} API {escape(info['version'])}</h1>"
        f"<p>{escape(info['description'])} The same as an "
        '<a href="/openapi.json">OpenAPI document</a>.</p>'
        f"{''.join(operations)}</body></html>"
    )


def _operation(method: str, path: str, operation: dict[str, Any], schemas: dict[str, Any]) -> str:
    parts = [
        f"<h2><code>{method.upper()} {escape(path)}</code></h2>",
        f"<p>{escape(operation.get('summary', ''))}</p>",
    ]
    request = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if request:
        schema = _resolve(request["schema"], schemas)
        parts.append(f"<h3>Request</h3><p>{escape(schema.get('description', ''))}</p>")
        parts.append(_fields(schema, schemas))
        parts += [f"<pre>{escape(_curl(path, each))}</pre>" for each in schema.get("examples", [])]
    for status, response in operation["responses"].items():
        for media_type, content in response.get("content", {}).items():
            schema = _resolve(content.get("schema", {}), schemas)
            parts.append(f"<h3>{escape(status)} <small>{escape(media_type)}</small></h3>")
            if status.startswith("2"):
                parts.append(_fields(schema, schemas))
            else:
                parts.append(f"<p>{escape(response['description'])}</p>")
    return "".join(parts)


def _fields(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    rows = [
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(_kind(field, schemas))}</td>"
        f"<td>{escape(field.get('description', ''))}</td></tr>"
        for name, field in schema.get("properties", {}).items()
    ]
    return f"<table><tr><th>Field</th><th>Type</th><th></th></tr>{''.join(rows)}</table>"


def _kind(field: dict[str, Any], schemas: dict[str, Any]) -> str:
    if "anyOf" in field:
        kinds = [_kind(each, schemas) for each in field["anyOf"]]
        return " or ".join(kind for kind in kinds if kind != "null")
    if "enum" in field:
        return ", ".join(map(str, field["enum"]))
    if field.get("type") == "array":
        return f"list of {_kind(field['items'], schemas)}"
    resolved = _resolve(field, schemas)
    if resolved is not field:
        return ", ".join(resolved.get("properties", {}))
    return str(field.get("type", field.get("const", "any")))


def _resolve(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "").rpartition("/")[2]
    resolved: dict[str, Any] = schemas.get(reference, schema)
    return resolved


def _curl(path: str, example: dict[str, Any]) -> str:
    body = json.dumps(example).replace("'", "'\\''")
    return f"curl -X POST -H 'content-type: application/json' -d '{body}' $API{path}"
