"""Charts as they are packed, for tests."""

import io
import tarfile

import yaml


def chart(folder, name, version, *, files=(), app_version="", says=None):
    """The archive of a chart, as `helm package` makes it."""
    metadata = {"apiVersion": "v2", "name": name, "version": version, **(says or {})}
    if app_version:
        metadata["appVersion"] = app_version
    archive = folder / f"{name}-{version}.tgz"
    packed(
        archive, {f"{name}/Chart.yaml": yaml.safe_dump(metadata), **{f"{name}/{k}": v for k, v in dict(files).items()}}
    )
    return archive


def packed(archive, files):
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(archive, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            data = text.encode() if isinstance(text, str) else text
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return archive
