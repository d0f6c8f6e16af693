"""What can be fetched, and what of it."""

from dataclasses import dataclass, field

from rebirth.proof.things import NOWHERE, Place
from rebirth.store.names import Name


@dataclass(frozen=True)
class Login:
    """The Secret that holds the credentials of a source, where its object names one."""

    namespace: str
    name: str


@dataclass(frozen=True)
class Thing:
    """One thing that a tree uses. Two that are the same are fetched once."""

    place: Place = field(default=NOWHERE, compare=False, kw_only=True)  # where it is first said
    login: Login | None = field(default=None, compare=False, kw_only=True)
    insecure: bool = field(default=False, kw_only=True)  # over plain HTTP, as its object says


@dataclass(frozen=True)
class Chart(Thing):
    """A chart of an HTTP repository or, at oci://, of a registry. `version` is exact, a range, or "" for the newest."""

    url: str
    name: str
    version: str

    @property
    def label(self) -> str:
        return f"chart {self.name} {self.version or '(newest)'} of {self.url}"


@dataclass(frozen=True)
class Artifact(Thing):
    """What an OCIRepository holds: the first of these that is given counts."""

    repository: str
    digest: str = ""
    semver: str = ""  # a range of versions, among the tags that the regular expression `only` matches
    tag: str = ""
    only: str = ""
    chart: bool = False  # its tags are a chart's versions, with _ where those have +

    @property
    def label(self) -> str:
        return f"artifact {self.repository}, {self.digest or self.semver or self.tag or 'latest'}"


@dataclass(frozen=True)
class Git(Thing):
    """A reference of a Git repository: the first of these that is given counts, as in a GitRepository; none: its HEAD."""

    url: str
    commit: str = ""
    name: str = ""  # a whole one, such as refs/pull/1/head
    semver: str = ""
    tag: str = ""
    branch: str = ""
    loose: str = ""  # what a kustomization says: a branch, a tag or a commit

    @property
    def label(self) -> str:
        said = self.commit or self.name or self.semver or self.tag or self.branch or self.loose
        return f"Git repository {self.url}, {said or 'HEAD'}"


@dataclass(frozen=True)
class File(Thing):
    """A file of the web."""

    url: str

    @property
    def label(self) -> str:
        return f"file {self.url}"


@dataclass(frozen=True)
class Image(Thing):
    name: Name

    @property
    def label(self) -> str:
        return f"image {self.name}"


AnyThing = Chart | Artifact | Git | File | Image
