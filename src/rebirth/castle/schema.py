"""castle.yaml as a JSON Schema: what an editor completes and underlines."""

from typing import Any

from rebirth.castle.castle import Castle


def schema_of_castle() -> dict[str, Any]:
    """JSON Schema 2020-12, of the models that castle.yaml is read with.

    What holds between several values (an address outside of its network) only `rebirth check` knows.
    """
    found = Castle.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": "castle.yaml"}
