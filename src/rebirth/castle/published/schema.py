"""A YAML file of a castle as a JSON Schema: what an editor completes and underlines, and what the reference is made of."""

import json
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from rebirth.castle.castle import Castle
from rebirth.castle.load import FILE


class _Schema(GenerateJsonSchema):
    """Titles are those of value types (DNS name): a key's name again, in capitals, says nothing."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        del schema
        return False


def schema_of(model: type[BaseModel], file: str) -> dict[str, Any]:
    """JSON Schema 2020-12, of the models that the file is read with.

    What holds between several values (an address outside of its network) only `rebirth check` knows.
    """
    found = model.model_json_schema(schema_generator=_Schema)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": file}


def schema_of_castle() -> dict[str, Any]:
    return schema_of(Castle, FILE)


def as_text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2) + "\n"
