"""Write the API's OpenAPI document to docs/openapi.json.

A test fails if the file is out of date.
"""

import json

from lambda_src.api.app import create_app
from lambda_src.api.settings import Settings
from lambda_src.tagger import TagModel
from scripts.shared.paths import ROOT


def main() -> None:
    """Write the OpenAPI document of the application with the starter model."""
    starter = ROOT / "model_build" / "starter" / "starter.safetensors"
    app = create_app(TagModel.load(starter), Settings(model=str(starter)))
    text = json.dumps(app.openapi(), indent=2, ensure_ascii=False, sort_keys=True)
    (ROOT / "docs" / "openapi.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
