"""Reads a web page as a browser's parser does, to see what in it is markup."""

import base64
import hashlib
import re
from collections import Counter
from html.parser import HTMLParser


class Page(HTMLParser):
    """The elements of a page, its links, and what its policy speaks of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags = Counter[str]()
        self.attributes: set[str] = set()
        self.ids: list[str] = []
        self.links: list[str] = []
        self.policy = ""
        self.text: list[str] = []
        self.sources: dict[str, list[str]] = {"style": [], "script": []}
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        given = dict(attrs)
        self.tags[tag] += 1
        self.attributes |= given.keys()
        if tag in self.sources:
            self._open.append(tag)
        if id_ := given.get("id"):
            self.ids.append(id_)
        if tag == "a":
            self.links.append(given.get("href") or "")
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given.get("content") or ""

    def handle_endtag(self, tag: str) -> None:
        """Note where a style sheet or a script ends."""
        if self._open and tag == self._open[-1]:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """Note a text, or a part of a style sheet or a script."""
        if self._open:
            self.sources[self._open[-1]].append(data)
        else:
            self.text.append(data)


def require_closed(text: str) -> Page:
    """Fail where a page needs or runs anything but what its own policy names; give what it holds."""
    page = Page(text)
    allowed = {rule.split()[0]: rule.split()[1:] for rule in page.policy.split(";")}
    assert allowed["default-src"] == ["'none'"]
    assert set(allowed["img-src"]) <= {"data:"}
    for kind, parts in page.sources.items():
        digests = {base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in parts}
        assert {f"'sha256-{digest}'" for digest in digests} == set(allowed[f"{kind}-src"])
    assert not [name for name in page.attributes if name.startswith("on") or name in ("style", "src", "srcset")]
    assert not page.tags.keys() & {"link", "iframe", "object", "embed", "base", "img"}
    assert len(page.ids) == len(set(page.ids))
    for link in page.links:
        assert re.match(r"https://|#", link), link
        assert not link.startswith("#") or link[1:] in page.ids, link
    return page
