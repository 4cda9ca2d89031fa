"""Downloads and archives: what the data sets and published weights have in common."""

from segtutor.fetch.archives import unpack
from segtutor.fetch.download import DownloadError, cache_folder, fetch

__all__ = ["DownloadError", "cache_folder", "fetch", "unpack"]
