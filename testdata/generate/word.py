"""Writes sources as docx, with Word's own heading and table styles."""

import datetime
import io
import zipfile

from docx import Document
from docx.oxml.ns import qn
from docx.shared import Pt

import markup

EPOCH = datetime.datetime(2026, 1, 1)


def fixed_times(data):
    """Returns the zip archive with every entry dated EPOCH, so that the same source gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            info = zipfile.ZipInfo(name, EPOCH.timetuple()[:6])
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, old.read(name))
    return out.getvalue()


def write(source, target, *, language, font="Calibri", east_asian_font=""):
    document = Document()
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = font, Pt(11)
    if east_asian_font:
        normal.element.rPr.rFonts.set(qn("w:eastAsia"), east_asian_font)
    properties = document.core_properties
    properties.author = properties.last_modified_by = "Lumen Harbour Instruments"
    properties.created = properties.modified = EPOCH
    properties.language, properties.comments = language, ""
    for block in markup.read(source):
        if block.kind == "title":
            document.add_heading(block.text, 1)
            properties.title = block.text
        elif block.kind == "heading":
            document.add_heading(block.text, 2)
        elif block.kind == "table":
            table = document.add_table(len(block.rows), len(block.rows[0]), "Table Grid")
            for r, row in enumerate(block.rows):
                for c, text in enumerate(row):
                    table.cell(r, c).text = text
        elif block.kind == "item":
            document.add_paragraph(block.text, "List Bullet")
        elif block.kind == "numbered":
            document.add_paragraph(block.text.split(". ", 1)[1], "List Number")
        else:
            document.add_paragraph(block.text)
    buffer = io.BytesIO()
    document.save(buffer)
    target.write_bytes(fixed_times(buffer.getvalue()))
