"""Section `proxmox`: the virtualisation host."""

from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from rebirth.castle.model import HttpsUrl, Section, Text, in_our_words
from rebirth.secrets import SecretRef

VmId = Annotated[int, Field(ge=100, le=999_999_999)]


class VmIds(Section):
    first: VmId
    last: VmId

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.last < self.first:
            raise ValueError("`last` is smaller than `first`")
        return self

    def __contains__(self, vm_id: int) -> bool:
        return self.first <= vm_id <= self.last


class Proxmox(Section):
    endpoint: HttpsUrl
    node: Text
    token: SecretRef
    ca: SecretRef | None = None
    image_storage: Text
    disk_storage: Text
    bridge: Text
    vm_ids: VmIds
    tag: Annotated[
        str,
        StringConstraints(pattern=r"^[a-z0-9_][a-z0-9_\-+.]*$"),
        in_our_words("must be a tag of Proxmox in lower case, such as castle-mine"),
    ]
