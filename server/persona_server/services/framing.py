"""Length-delimited fields, as stored messages stand on the wire: elements of their lists."""

NEXT_PAGE_TOKEN = b"\x12"  # field 2: `next_page_token`, `resume_token`
ELEMENT = b"\x0a"  # field 1: the resource of a Get, the elements of a List


def frame(tag: bytes, encoded: bytes) -> bytes:
    """Return an encoded value as a length-delimited field."""
    length, size = bytearray(), len(encoded)
    if 0x7F < size < 1 << 14:  # as mostly
        return tag + bytes((size & 0x7F | 0x80, size >> 7)) + encoded
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return tag + length + encoded


def content(framed: bytes) -> bytes:
    """Return the encoded value of a framed element with a tag of one byte."""
    start = 1
    while framed[start] & 0x80:
        start += 1
    return framed[start + 1 :]
