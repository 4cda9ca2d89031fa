"""Downloads and archives: what the data sets and published weights have in common."""

from segtutor.fetch.archives import unpack
from segtutor.fetch.download import DownloadError, cache_folder, fetch
from segtutor.fetch.packages import IndexUnreachable, read_from_package

__all__ = ["DownloadError", "IndexUnreachable", "cache_folder", "fetch", "read_from_package", "unpack"]
