"""Real-ESRGAN's two networks out of basicsr, without the rest of basicsr.

Importing a part of it imports all of it, with OpenCV, which needs libGL that servers lack, and with functions that
torchvision no longer has. So bare packages stand in the place of basicsr's own while this file is imported.
"""

from __future__ import annotations

import logging
import sys
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, module_from_spec
from pathlib import Path
from typing import Any

__all__ = ["RRDBNet", "SRVGGNetCompact"]


def _taken_out() -> dict[str, Any]:
    return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "basicsr"}


_package: Any = find_spec("basicsr")
_before = _taken_out()
try:
    for _name in ("basicsr", "basicsr.archs", "basicsr.utils"):
        _spec = ModuleSpec(_name, None, is_package=True)
        _spec.submodule_search_locations = [str(Path(_package.origin).parent.joinpath(*_name.split(".")[1:]))]
        sys.modules[_name] = module_from_spec(_spec)
    sys.modules["basicsr.utils"].get_root_logger = logging.getLogger  # type: ignore[attr-defined]
    from basicsr.archs.rrdbnet_arch import RRDBNet
    from basicsr.archs.srvgg_arch import SRVGGNetCompact
finally:
    _taken_out()
    sys.modules.update(_before)
