"""Write the API's OpenAPI document to docs/openapi.json, where a test compares it."""

import json
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))


def main() -> None:
    """Write the document of the application with the starter model."""
    from lambda_src.api.app import create_app  # noqa: PLC0415 (found through the path above)
    from lambda_src.api.settings import Settings  # noqa: PLC0415
    from lambda_src.tagger import TagModel  # noqa: PLC0415

    starter = ROOT / "model_build" / "starter" / "starter.safetensors"
    app = create_app(TagModel.load(starter), Settings(model=str(starter)))
    text = json.dumps(app.openapi(), indent=2, ensure_ascii=False, sort_keys=True)
    (ROOT / "docs" / "openapi.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
