# SPDX-License-Identifier: MIT
"""Memory cgroups of our own below the one we are in: v1 (root) or v2 (root, or delegated to us)."""
import os
import subprocess
import time


class Unavailable(Exception):
    """Why no group can be made here, in one sentence."""


def _own_path(controller):
    with open("/proc/self/cgroup", encoding="ascii") as lines:
        for line in lines:
            _, names, path = line.rstrip("\n").split(":", 2)
            if controller in names.split(",") if controller else names == "":
                return path
    return None


def _mount_of(kind, option):
    with open("/proc/self/mountinfo", encoding="ascii") as lines:
        for line in lines:
            left, right = line.rstrip("\n").split(" - ", 1)
            fields, rest = left.split(), right.split()
            if rest[0] == kind and (not option or option in rest[2].split(",")):
                return fields[4], fields[3]
    return None, None


def _folder(kind, option, controller):
    mount, root = _mount_of(kind, option)
    path = _own_path(controller)
    if not mount or path is None:
        return None
    if root != "/" and path.startswith(root):
        path = path[len(root):]
    folder = os.path.join(mount, path.lstrip("/"))
    return folder if os.path.isdir(folder) else mount


class MemoryGroup:
    """with MemoryGroup("name", bytes) as group: group.run([...]). Removed at the end."""

    def __init__(self, name, limit_bytes=None):
        self.v2 = False
        parent = _folder("cgroup", "memory", "memory")
        if not parent:
            parent, self.v2 = _folder("cgroup2", "", ""), True
        if not parent:
            raise Unavailable("no memory cgroup is mounted")
        if self.v2:
            with open(os.path.join(parent, "cgroup.controllers"), encoding="ascii") as names:
                if "memory" not in names.read().split():
                    raise Unavailable("the memory controller is not delegated to this cgroup")
        self.path = os.path.join(parent, f"wanrt-{name}-{os.getpid()}")
        try:
            os.mkdir(self.path)
            if limit_bytes is not None:
                self.set_limit(limit_bytes)
        except OSError as error:
            if os.path.isdir(self.path):
                os.rmdir(self.path)
            raise Unavailable(f"no memory cgroup can be made: {error.strerror}") from error

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.remove()

    def file(self, v1, v2):
        return os.path.join(self.path, v2 if self.v2 else v1)

    def read(self, v1, v2):
        with open(self.file(v1, v2), encoding="ascii") as value:
            return value.read()

    @property
    def usage_path(self):
        return self.file("memory.usage_in_bytes", "memory.current")

    def usage(self):
        return int(self.read("memory.usage_in_bytes", "memory.current"))

    def set_limit(self, limit_bytes):
        with open(self.file("memory.limit_in_bytes", "memory.max"), "w", encoding="ascii") as out:
            out.write(str(limit_bytes))

    def join(self):
        """To be called in a child between fork and exec."""
        with open(os.path.join(self.path, "cgroup.procs"), "w", encoding="ascii") as out:
            out.write("0" if self.v2 else str(os.getpid()))

    def popen(self, command, before=None, **more):
        def enter():
            self.join()
            if before:
                before()
        return subprocess.Popen(command, preexec_fn=enter, **more)

    def remove(self):
        for _ in range(200):
            try:
                os.rmdir(self.path)
                return
            except OSError:
                time.sleep(0.01)
