"""What a picture's SVG says of its panels."""

import re
from xml.etree import ElementTree as ET

PANEL = 4.6 * 72  # points that a panel has with all around it
_SVG = "{http://www.w3.org/2000/svg}"


def panel_widths(picture: ET.Element) -> list[float]:
    """Return how wide the axes of each panel are, in points; of one without axes nothing."""
    groups = [one for one in picture.iter(f"{_SVG}g") if one.get("id", "").startswith("axes_")]
    found = []
    for group in groups:
        first = group.find(f"{_SVG}g")
        if first is not None and first.get("id", "").startswith("patch_"):
            corners = re.findall(r"[ML] ([\d.]+) ", first[0].get("d", ""))
            found.append(max(map(float, corners)) - min(map(float, corners)))
    return found
