"""The API documentation page: the OpenAPI document as HTML, without scripts or outside hosts."""

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
CONTENT_SECURITY_POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{_STYLE_DIGEST}'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
"""Allows nothing but the page's own style, which the digest identifies."""


def render(document: dict[str, Any]) -> str:
    """Convert an OpenAPI document to an HTML page.

    Parameters
    ----------
    document : dict
        The document as `FastAPI.openapi` returns it.
    """
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
        f"<p>{escape(info['description'])} This page shows the "
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
        parts.append(_field_table(schema, schemas))
        parts += [
            f"<pre>{escape(_curl_command(path, each))}</pre>" for each in schema.get("examples", [])
        ]
    for status, response in operation["responses"].items():
        for media_type, content in response.get("content", {}).items():
            schema = _resolve(content.get("schema", {}), schemas)
            parts.append(f"<h3>{escape(status)} <small>{escape(media_type)}</small></h3>")
            if status.startswith("2"):
                parts.append(_field_table(schema, schemas))
            else:
                parts.append(f"<p>{escape(response['description'])}</p>")
    return "".join(parts)


def _field_table(schema: dict[str, Any], schemas: dict[str, Any]) -> str:
    rows = [
        f"<tr><td><code>{escape(name)}</code></td><td>{escape(_type_name(field, schemas))}</td>"
        f"<td>{escape(field.get('description', ''))}</td></tr>"
        for name, field in schema.get("properties", {}).items()
    ]
    return f"<table><tr><th>Field</th><th>Type</th><th>Meaning</th></tr>{''.join(rows)}</table>"


def _type_name(field: dict[str, Any], schemas: dict[str, Any]) -> str:
    if "anyOf" in field:
        names = [_type_name(each, schemas) for each in field["anyOf"]]
        return " or ".join(name for name in names if name != "null")
    if "enum" in field:
        return ", ".join(map(str, field["enum"]))
    if field.get("type") == "array":
        return f"list of {_type_name(field['items'], schemas)}"
    resolved = _resolve(field, schemas)
    if resolved is not field:
        return ", ".join(resolved.get("properties", {}))
    return str(field.get("type", field.get("const", "any")))


def _resolve(schema: dict[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "").rpartition("/")[2]
    resolved: dict[str, Any] = schemas.get(reference, schema)
    return resolved


def _curl_command(path: str, example: dict[str, Any]) -> str:
    body = json.dumps(example).replace("'", "'\\''")
    return f"curl -X POST -H 'content-type: application/json' -d '{body}' $API{path}"
