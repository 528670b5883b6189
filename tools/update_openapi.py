"""Write generated/openapi anew: the document, and the Go package that has it.

A test wants no difference (`--check`).
"""

import json
import sys
from pathlib import Path

from openapi.document import make_document

ROOT = Path(__file__).parent.parent
FOLDER = ROOT / "generated/openapi"
PACKAGE = """// Package openapi has the OpenAPI document of REST. Made by tools/update_openapi.py.
package openapi

import _ "embed" // for the document

// Document is the document, as JSON.
//
//go:embed openapi.json
var Document []byte
"""


def main() -> None:
    """Write what differs; with --check only say so and fail."""
    document = json.dumps(make_document(ROOT), ensure_ascii=False, indent=1) + "\n"
    for name, text in (("openapi.json", document), ("openapi.go", PACKAGE)):
        file = FOLDER / name
        if file.is_file() and file.read_text() == text:
            continue
        if "--check" in sys.argv:
            sys.exit(f"{file.relative_to(ROOT)} is out of date; run `make generate`")
        FOLDER.mkdir(exist_ok=True)
        file.write_text(text)


if __name__ == "__main__":
    main()
