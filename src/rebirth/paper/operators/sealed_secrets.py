"""Sealed Secrets on paper: a SealedSecret becomes a Secret of the keys that it has sealed; nobody unseals them, so values are invented."""

from rebirth.paper.api.client import Object
from rebirth.paper.operators.custom import Due, World
from rebirth.paper.operators.making import Making

GROUP = "bitnami.com"


def sealed_secret(item: Object, _: str, world: World) -> Due:
    template = item["spec"].get("template") or {}
    meta = template.get("metadata") or {}
    plain = template.get("data") or {}
    return Due(
        (
            Making(
                "Secret", item["metadata"]["namespace"], str(meta.get("name") or item["metadata"]["name"]),
                tuple(dict.fromkeys([*(item["spec"].get("encryptedData") or {}), *plain])),
                values={key: text for key, text in plain.items() if isinstance(text, str) and "{{" not in text},
                type=str(template.get("type") or "Opaque"),
                labels=meta.get("labels") or {}, annotations=meta.get("annotations") or {},
            ),
        )
    )  # fmt: skip
