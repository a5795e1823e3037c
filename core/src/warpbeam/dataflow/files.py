"""
Files that tasks read and write.

Standard library only: workers import this module.
"""

from __future__ import annotations

import copy
import os
from urllib.parse import unquote, urlsplit


class File:
    """
    A file, by URL or path; usable wherever a path is once it is local.

    Args:
        url: a URL such as ``"https://host/data.csv"``, or a path, which means ``file:``.

    Attributes:
        url: as given.
        scheme: ``"file"`` where the URL has none.
        netloc: host and port, or "".
        path: the path part.
        filename: its last component.
        local_path: where the file is on this machine, once something has put it there, or None.
    """

    def __init__(self, url: str | os.PathLike[str]) -> None:
        text = os.fspath(url)
        if not isinstance(text, str) or not text:
            raise TypeError(f"File() takes a URL or a path, not {url!r}")
        parts = urlsplit(text)
        is_url = len(parts.scheme) > 1 and ":" in text and text[len(parts.scheme)] == ":"
        self.url = text
        self.scheme = parts.scheme if is_url else "file"
        self.netloc = parts.netloc if is_url else ""
        self.path = unquote(parts.path) if is_url else text
        self.filename = os.path.basename(self.path)
        self.local_path: str | None = None

    @property
    def filepath(self) -> str:
        """
        Path to open.

        Raises:
            ValueError: the file is remote and has not been staged.
        """
        if self.local_path is not None:
            return self.local_path
        if self.scheme == "file":
            return self.path
        raise ValueError(f"No local_path set for {self!r}: it is not on this machine")

    def cleancopy(self) -> File:
        """
        Return a copy without a local path.
        """
        new = copy.copy(self)
        new.local_path = None
        return new

    def absolute(self, directory: str) -> File:
        """
        Return a copy of a local file whose path is absolute, relative ones being taken from a directory.
        """
        new = copy.copy(self)
        new.local_path = os.path.normpath(os.path.join(directory, self.filepath))
        return new

    def __fspath__(self) -> str:
        return self.filepath

    def __str__(self) -> str:
        return self.filepath

    def __eq__(self, other: object) -> bool:
        return isinstance(other, File) and self.url == other.url

    def __hash__(self) -> int:
        return hash(self.url)

    def __repr__(self) -> str:
        local = f" local_path={self.local_path}" if self.local_path is not None else ""
        return (
            f"<File at {id(self):#x} url={self.url} scheme={self.scheme} netloc={self.netloc} path={self.path} "
            f"filename={self.filename}{local}>"
        )
