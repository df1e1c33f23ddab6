"""Makes small presentations, workbooks, tables and JSON files that go wrong in known ways."""

import datetime
import io
import json
import zipfile

import xlsxwriter
from pptx import Presentation

import word


def workbook():
    """Two sheets, one of them hidden, with dates, a percentage, merged cells and a header of two rows."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    book.set_properties({"title": "Lock traffic", "created": word.EPOCH})
    date, share = book.add_format({"num_format": "d mmm yyyy"}), book.add_format({"num_format": "0.0%"})
    sheet = book.add_worksheet("Traffic")
    sheet.write("A1", "Vessels through lock D")
    sheet.merge_range("A3:A4", "Day")
    sheet.merge_range("B3:C3", "Upstream")
    sheet.merge_range("D3:E3", "Downstream")
    sheet.write_row("B4", ["Barges", "Full", "Barges", "Full"])
    for i, (barges, full, back, back_full) in enumerate([(14, 0.5, 11, 0.25), (9, 1 / 3, 12, 0.75)]):
        sheet.write_datetime(4 + i, 0, datetime.datetime(2025, 6, 3 + i), date)
        sheet.write_row(4 + i, 1, [barges])
        sheet.write(4 + i, 2, full, share)
        sheet.write(4 + i, 3, back)
        sheet.write(4 + i, 4, back_full, share)
    hidden = book.add_worksheet("Fees")
    hidden.write_row("A1", ["Vessel", "Fee"])
    hidden.write_row("A2", ["Barge", 85])
    hidden.hide()
    book.close()
    return out.getvalue()


def deck():
    """Three slides, the second hidden, the third a picture of nothing."""
    slides = Presentation()
    properties = slides.core_properties
    properties.title, properties.author, properties.comments = "Lock D", "Lumen Harbour Instruments", ""
    properties.created = properties.modified = word.EPOCH
    slide = slides.slides.add_slide(slides.slide_layouts[1])
    slide.shapes.title.text = "Repair of lock D"
    slide.placeholders[1].text = "The lower gate is lifted out on 9 June 2025."
    slide.notes_slide.notes_text_frame.text = "The crane comes from Sines."
    slide = slides.slides.add_slide(slides.slide_layouts[5])
    slide.shapes.title.text = "Budget: 61,400 euros"
    slide._element.set("show", "0")
    out = io.BytesIO()
    slides.save(out)
    return word.fixed_times(out.getvalue())


def changed(archive, name, change):
    """Returns the archive with one of its members changed."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for info in old.infolist():
            content = old.read(info)
            new.writestr(info, change(content) if info.filename == name else content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def lying(archive, name):
    """Returns the archive with a member that claims to unpack to four gigabytes."""
    with zipfile.ZipFile(io.BytesIO(archive)) as old:
        info = old.getinfo(name)
        size = info.compress_size.to_bytes(4, "little") + info.file_size.to_bytes(4, "little")
    return archive.replace(size, size[:4] + (0xFFFFFFFE).to_bytes(4, "little"))


def awkward(folder):
    book, slides = workbook(), deck()
    sheet = "xl/worksheets/sheet1.xml"
    (folder / "workbook-named.txt").write_bytes(book)
    (folder / "truncated.xlsx").write_bytes(book[: len(book) // 2])
    (folder / "zip-bomb.xlsx").write_bytes(lying(book, sheet))
    (folder / "broken-sheet.xlsx").write_bytes(changed(book, sheet, lambda xml: xml[: xml.index(b'<row r="6"')] + b"<row r=\"6\"><c\x01"))
    (folder / "no-sheets.xlsx").write_bytes(changed(book, "xl/workbook.xml", lambda xml: xml[: xml.index(b"<sheets>")] + b"</workbook>"))
    (folder / "old-workbook.xls").write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(504) + b"\xff" * 512)
    (folder / "hidden-slide.pptx").write_bytes(slides)
    (folder / "truncated.pptx").write_bytes(slides[: len(slides) // 2])
    (folder / "zip-bomb.pptx").write_bytes(lying(slides, "ppt/slides/slide1.xml"))
    (folder / "broken-slide.pptx").write_bytes(changed(slides, "ppt/slides/slide2.xml", lambda xml: xml[:200] + b"<<<"))

    (folder / "open-quote.csv").write_text(
        'Gate,Width,Remark\nA,12,"new, painted"\nB,9,"repaired in May\nC,14,"said ""wide"" to be"\n', encoding="utf-8")
    (folder / "semicolons-latin1.csv").write_bytes(
        "Schleuse;Breite;Prüfung\nNord;12,5;jährlich im März\nSüd;9,0;alle zwei Jahre\n".encode("latin-1"))
    (folder / "ragged.tsv").write_text("Gate\tWidth\nA\t12\tclosed\textra\nB\n\n\t9\n", encoding="utf-8")
    (folder / "cut-off.json").write_text(json.dumps({"gates": [{"name": "A", "width": 12}]}, indent=1)[:-8], encoding="utf-8")
    (folder / "deep.json").write_text("[" * 100000 + "]" * 100000, encoding="utf-8")
    (folder / "some-lines-broken.jsonl").write_text(
        '{"gate": "A", "width": 12}\n{"gate": "B", "width":\n{"gate": "C", "width": 14}\n', encoding="utf-8")
