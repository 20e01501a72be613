"""A build backend (PEP 517) in one module, that a build takes from the index: name and version in, one module out."""
import base64
import hashlib
import io
import os
import re
import tarfile
import zipfile


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    stem, metadata = read_project()
    tags = "Wheel-Version: 1.0\nGenerator: pub-backend 1\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    info = f"{stem}.dist-info"
    members = {f"{stem.split('-')[0]}.py": "", f"{info}/METADATA": metadata, f"{info}/WHEEL": tags}
    record = "".join(f"{path},sha256={digest(text)},{len(text)}\n" for path, text in members.items())
    members[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n"
    filename = f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, filename), "w") as archive:
        for path, text in members.items():
            archive.writestr(path, text)
    return filename


def build_sdist(sdist_directory, config_settings=None):
    stem, metadata = read_project()
    filename = f"{stem}.tar.gz"
    with open("pyproject.toml", encoding="utf-8") as file:
        members = {"PKG-INFO": metadata, "pyproject.toml": file.read()}
    with tarfile.open(os.path.join(sdist_directory, filename), "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for path, text in members.items():
            entry = tarfile.TarInfo(f"{stem}/{path}")
            entry.size = len(text.encode())
            archive.addfile(entry, io.BytesIO(text.encode()))
    return filename


def read_project():
    with open("pyproject.toml", encoding="utf-8") as file:
        text = file.read()
    name, version = (re.search(rf'^{key} = "(.+)"$', text, re.MULTILINE).group(1) for key in ("name", "version"))
    return f"{name.replace('-', '_')}-{version}", f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n"


def digest(text):
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
