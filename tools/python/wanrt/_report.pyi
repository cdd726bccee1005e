# SPDX-License-Identifier: MIT
import os
from typing import Any, Dict, Optional, Union

class Report(Dict[str, Any]): ...

def report(path: Optional[Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]] = ..., *,
           overwrite: bool = ...) -> Report: ...
