"""Writes the files of each environment with makejinja, in one process.

All environments use the same templates. Each environment has its own data file.

Usage: python fleet_makejinja.py <templates> <data> <output>
"""

import sys
from pathlib import Path

from makejinja.app import makejinja
from makejinja.config import Config, Undefined

templates, data, output = map(Path, sys.argv[1:])
for file in sorted(data.iterdir()):
    makejinja(
        Config(
            inputs=(templates,),
            output=output / file.stem,
            data=(file,),
            undefined=Undefined.strict,
            force=True,
            quiet=True,
            import_paths=(),
        )
    )
