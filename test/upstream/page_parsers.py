"""Reads project pages with pip's and pypi-simple's own parsers and compares what they see with what upstream's JSON says.

    page_parsers.py FOLDER < names

FOLDER holds for each name `NAME.upstream.json` (upstream's page), `NAME.json` and `NAME.html` (ours). Upstream's page is read with nothing
but the json module. Prints one JSON object: how many pages and files were read, how many values of each field were compared by each
parser, and what differs.
"""

import datetime
import json
import sys
from pathlib import Path
from urllib.parse import unquote

from pip._internal.index import collector
from pypi_simple import ProjectPage

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
ADDRESS = "http://index.example/simple/{}/"
# The order in which a page that has room for one hash chooses it.
HASHES = ["sha256", "sha512", "sha384", "blake2b", "sha224", "sha1", "md5"]
TOLD_AT_MOST = 40
ABSENT = None



class TagsOfPip(collector.HTMLLinkParser):
    """pip's own reader of tags, which can be asked afterwards what it read last."""

    last = None

    def __init__(self, url):
        super().__init__(url)
        TagsOfPip.last = self


collector.HTMLLinkParser = TagsOfPip
fields = {}
differences = []
difference_count = 0


def differs(name, parser, filename, field, wanted, got):
    global difference_count
    difference_count += 1
    if len(differences) < TOLD_AT_MOST:
        differences.append(f"{name}, {parser}: {filename} has {field} {got!r}, upstream {wanted!r}")


def compare(name, parser, filename, wanted, got):
    counts = fields.setdefault(parser, {})
    for field, value in got.items():
        expected = wanted[field]
        if expected is not ABSENT:
            counts[field] = counts.get(field, 0) + 1
        if field == "core-metadata" and not isinstance(expected, dict) and filename.endswith(".whl"):
            # What upstream does not vouch for can be made from the wheel when it is asked for.
            continue
        if value != expected:
            differs(name, parser, filename, field, expected, value)


def moment(text):
    if text is None:
        return ABSENT
    whole, _, fraction = text.rstrip("Z").partition(".")
    return datetime.datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}+00:00")


def one_hash(hashes):
    return next(({name: hashes[name]} for name in HASHES if name in hashes), {})


def yanked(value):
    """As pip has it: None, or the reason, which may be empty."""
    if not value:
        return ABSENT
    return value if isinstance(value, str) else ""


def core_metadata(file):
    for key in ("core-metadata", "dist-info-metadata", "data-dist-info-metadata"):
        if file.get(key) is not None:
            return file[key] or ABSENT
    return ABSENT


def wanted_of(file):
    hashes = {name.lower(): digits.lower() for name, digits in file.get("hashes", {}).items()}
    return {
        "filename": file["filename"],
        "hashes": hashes,
        "one hash": one_hash(hashes),
        "size": file.get("size"),
        "upload-time": moment(file.get("upload-time")),
        "requires-python": file.get("requires-python") or ABSENT,
        "yanked": yanked(file.get("yanked")),
        "core-metadata": core_metadata(file),
        "provenance": True if file.get("provenance") else ABSENT,
        "gpg-sig": file.get("gpg-sig"),
    }


def metadata_of_pip(link):
    found = link.metadata_file_data
    return ABSENT if found is None else (found.hashes or {})


def pip_json(address, content):
    page = collector.IndexContent(content, JSON_TYPE, None, address, cache_link_parsing=False)
    for link in collector.parse_links(page):
        yield {
            "filename": link.filename,
            "hashes": dict(link._hashes),
            "requires-python": link.requires_python or ABSENT,
            "yanked": link.yanked_reason,
            "core-metadata": metadata_of_pip(link),
            "upload-time": link.upload_time,
        }


def pip_html(address, content):
    page = collector.IndexContent(content, "text/html", "utf-8", address, cache_link_parsing=False)
    links = collector.parse_links(page)
    # uv reads the size and the time from attributes that pip does not know: pip's own reading of the tags has them.
    anchors = TagsOfPip.last.anchors
    if len(links) != len(anchors):
        raise RuntimeError(f"pip sees {len(anchors)} links and takes {len(links)}")
    for link, attributes in zip(links, anchors):
        size = attributes.get("data-size")
        yield {
            "filename": link.filename,
            "one hash": {} if link.hash_name is None else {link.hash_name: link.hash},
            "requires-python": link.requires_python or ABSENT,
            "yanked": link.yanked_reason,
            "core-metadata": metadata_of_pip(link),
            "size": None if size is None else int(size),
            "upload-time": moment(attributes.get("data-upload-time")),
        }


def of_package(package):
    at = unquote(package.url.rsplit("/", 1)[-1])
    reason = package.yanked_reason
    return {
        # Both ways to name a file are in use.
        "filename": package.filename if at == package.filename else f"{package.filename} at {package.url}",
        "requires-python": package.requires_python or ABSENT,
        "yanked": (reason or "") if package.is_yanked else ABSENT,
        "core-metadata": (package.metadata_digests or {}) if package.has_metadata else ABSENT,
        "provenance": True if package.provenance_url else ABSENT,
        "gpg-sig": package.has_sig,
    }


def simple_json(page):
    for package in page.packages:
        yield {**of_package(package), "hashes": package.digests, "size": package.size, "upload-time": package.upload_time}


def simple_html(page):
    for package in page.packages:
        yield {**of_package(package), "one hash": package.digests}


def compare_files(name, parser, wanted, found):
    seen = set()
    for got in found:
        filename = got["filename"]
        if filename in seen:
            differs(name, parser, filename, "presence", "once", "twice")
        elif filename not in wanted:
            differs(name, parser, filename, "presence", ABSENT, "a file")
        else:
            compare(name, parser, filename, wanted[filename], got)
        seen.add(filename)
    for filename in wanted.keys() - seen:
        differs(name, parser, filename, "presence", "a file", ABSENT)
    return len(seen)


def compare_page(name, parser, upstream, page, versions):
    status = upstream.get("project-status") or {}
    serial = upstream["meta"].get("_last-serial")
    wanted = {
        "name": upstream["name"],
        "versions": set(upstream["versions"]),
        "api version": "1.4",
        "status": status.get("status", "active"),
        "status reason": status.get("reason") or ABSENT,
        "serial": ABSENT if serial is None else str(serial),
        "core-metadata": ABSENT,
    }
    got = {
        "name": page.project,
        "api version": page.repository_version,
        "status": "active" if page.status is None else page.status.value,
        "status reason": page.status_reason or ABSENT,
    }
    if versions:
        got["versions"] = set(page.versions)
        got["serial"] = page.last_serial
        if len(page.versions) != len(set(page.versions)):
            differs(name, parser, "the page", "versions", "each once", "some twice")
    compare(name, parser, "the page", wanted, got)


def main(folder):
    pages = files = 0
    for name in sys.stdin.read().split():
        upstream = json.loads((folder / f"{name}.upstream.json").read_bytes())
        address = ADDRESS.format(upstream["name"])
        wanted = {file["filename"]: wanted_of(file) for file in upstream["files"]}
        if len(wanted) != len(upstream["files"]):
            differs(name, "upstream", "the page", "files", "each once", "some twice")
        as_json = (folder / f"{name}.json").read_bytes()
        as_html = (folder / f"{name}.html").read_bytes()
        json_page = ProjectPage.from_json_data(json.loads(as_json), base_url=address)
        html_page = ProjectPage.from_html(upstream["name"], as_html, base_url=address, from_encoding="utf-8")
        compare_page(name, "pypi-simple of JSON", upstream, json_page, versions=True)
        compare_page(name, "pypi-simple of HTML", upstream, html_page, versions=False)
        files += compare_files(name, "pip of JSON", wanted, pip_json(address, as_json))
        compare_files(name, "pip of HTML", wanted, pip_html(address, as_html))
        compare_files(name, "pypi-simple of JSON", wanted, simple_json(json_page))
        compare_files(name, "pypi-simple of HTML", wanted, simple_html(html_page))
        pages += 1
    told = {"pages": pages, "files": files, "fields": fields, "differences": differences, "differenceCount": difference_count}
    json.dump(told, sys.stdout)


main(Path(sys.argv[1]))
