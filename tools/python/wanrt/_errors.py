# SPDX-License-Identifier: MIT
"""Exceptions. Each is a wanrt.Error and, where Python has one for the same thing, that one too."""
import errno
import os


class Error(Exception):
    """What the library says: path (the file, key or argument concerned), reason and hint (may be
    empty), and code (an errno value). name is the path made printable, as messages have it."""

    path: str
    name: str
    reason: str
    hint: str
    code: int

    def __str__(self):
        return f"{self.name}: {self.reason}" + (f"; {self.hint}" if self.hint else "")


class ImageError(Error, OSError):
    """The file is no image that can be used; its kinds say why."""


class DamagedImageError(ImageError):
    """Damaged, cut off, or no image at all."""


class UnsupportedImageError(ImageError):
    """Recognised, but of a format or kind that is not decoded here."""


class ImageTooLargeError(ImageError):
    """Over a limit of the configuration (image.max_pixels, image.max_bytes, ...)."""


class AlphaError(ImageError):
    """There is alpha, and alpha='refuse' was asked for."""


class FileError(Error, OSError):
    """The file system refuses."""


class FileMissingError(FileError, FileNotFoundError):
    """No such file or folder."""


class FilePermissionError(FileError, PermissionError):
    """Not allowed."""


class FileIsFolderError(FileError, IsADirectoryError):
    """A folder is in the place of a file."""


class FileExistsAlreadyError(FileError, FileExistsError):
    """Nothing is overwritten unless asked for."""


class OutOfMemoryError(Error, MemoryError):
    """No memory, or none was granted: reason names the level that refused."""


class ArgumentError(Error, ValueError):
    """An argument or a setting the library does not take."""


_CLASSES = {
    errno.EBADMSG: DamagedImageError,
    errno.ENODATA: DamagedImageError,
    errno.ENOTSUP: UnsupportedImageError,
    errno.EFBIG: ImageTooLargeError,
    errno.EPROTONOSUPPORT: AlphaError,
    errno.ENOENT: FileMissingError,
    errno.ENOTDIR: FileError,
    errno.EACCES: FilePermissionError,
    errno.EPERM: FilePermissionError,
    errno.EISDIR: FileIsFolderError,
    errno.EEXIST: FileExistsAlreadyError,
    errno.ENOMEM: OutOfMemoryError,
    errno.EINVAL: ArgumentError,
    errno.ERANGE: ArgumentError,
}


def make(code, name, reason, hint, path=None, kind=None):
    """The exception for a negative errno (called by the extension). name is what a message says,
    path the file itself; they differ where a path is no text or very long."""
    code = -code
    kind = kind or _CLASSES.get(code, FileError)
    path = name if path is None else path
    text = reason or os.strerror(code)
    error = kind(code, text, path) if issubclass(kind, OSError) else kind(code, text)
    error.code, error.name, error.path, error.reason, error.hint = code, name, path, text, hint
    return error
