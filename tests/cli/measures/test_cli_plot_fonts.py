"""A picture's characters: what its own font lacks comes from fonts of the machine."""

from pathlib import Path

from cli.conftest import Cli, Place
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen

from persona_client import Persona, PersonaClient

CHARACTER = "\U0010abcd"  # of private use, which no font of a machine has


def font_with(character: str, folder: Path) -> None:
    """Write a font of one character, a square."""
    pen = TTGlyphPen(None)
    for i, point in enumerate(((0, 0), (0, 800), (800, 800), (800, 0))):
        (pen.lineTo if i else pen.moveTo)(point)
    pen.closePath()
    made = FontBuilder(1000)
    made.setupGlyphOrder([".notdef", "square"])
    made.setupCharacterMap({ord(character): "square"})
    made.setupGlyf({".notdef": TTGlyphPen(None).glyph(), "square": pen.glyph()})
    made.setupHorizontalMetrics({".notdef": (1000, 0), "square": (1000, 0)})
    made.setupHorizontalHeader(ascent=800, descent=-200)
    made.setupNameTable({"familyName": "One Square", "styleName": "Regular"})
    made.setupOS2()
    made.setupPost()
    folder.mkdir(parents=True)
    made.save(folder / "square.ttf")


def test_a_png_takes_what_its_font_lacks_from_those_of_the_machine(
    cli: Cli, client: PersonaClient, place: Place, tmp_path: Path
) -> None:
    client.create_persona(*place.ids, Persona(full_name=CHARACTER))
    font_with(CHARACTER, tmp_path / "share/fonts")
    plot = 'persona reliabilities --plot "$@"'
    lacks = cli.shell(plot, tmp_path / "lacks.png", *place.options)
    assert "fonts lack some" in lacks.err
    whole = cli.shell(
        plot, tmp_path / "has.png", *place.options, XDG_DATA_HOME=str(tmp_path / "share")
    )
    assert (whole.code, whole.err) == (0, f"Wrote {tmp_path}/has.png.\n")
    assert (tmp_path / "has.png").read_bytes() != (tmp_path / "lacks.png").read_bytes()
