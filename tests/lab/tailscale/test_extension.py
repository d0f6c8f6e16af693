"""The extension in a Talos' root file system."""

import yaml

from rebirth.lab.tailscale import extension


def programs(folder):
    found = {}
    for name in extension.PROGRAMS:
        (folder / name).write_text(f"I am {name}")
        (folder / name).chmod(0o755)
        found[name] = str(folder / name)
    return found


def test_what_is_laid_out(tmp_path):
    root, built = tmp_path / "root", tmp_path / "built"
    built.mkdir()
    extension.lay(root, programs(built))
    container = root / "usr/local/lib/containers/tailscale"
    service = yaml.safe_load((root / "usr/local/etc/containers/tailscale.yaml").read_text())
    entry = container / service["container"]["entrypoint"].lstrip("/")
    assert entry.read_text() == "I am containerboot"
    assert entry.stat().st_mode & 0o111
    assert {"configuration": True} in service["depends"], "without an ExtensionServiceConfig it does not start"
    for mount in service["container"]["mounts"]:
        if mount["destination"] != "/dev/net/tun":
            assert (container / mount["destination"].lstrip("/")).is_dir(), "its own root is read-only"
    path = next(entry for entry in service["container"]["environment"] if entry.startswith("PATH="))
    assert str(entry.parent.relative_to(container)) in path


def test_laid_out_again(tmp_path):
    root, built = tmp_path / "root", tmp_path / "built"
    built.mkdir()
    for _ in range(2):
        extension.lay(root, programs(built))
