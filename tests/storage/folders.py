"""What lies in the folder of an asset store."""

from pathlib import Path

from storage.files.assets import LocalAssets


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def visible(assets: LocalAssets) -> list[Path]:
    return [path for path in files_in(assets.root) if path.parent.name != "incoming"]
