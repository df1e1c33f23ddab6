"""Makes small books, OpenDocument and RTF files, notebooks, source code and recordings that go wrong in known ways."""

import io
import json
import wave
import zipfile

ZIP_DATE = (2026, 1, 1, 0, 0, 0)


def archive(media_type, parts):
    """An archive as EPUB and OpenDocument have it: its type comes first, and is not packed."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        z.writestr(zipfile.ZipInfo("mimetype", ZIP_DATE), media_type)
        for name, content in parts.items():
            z.writestr(zipfile.ZipInfo(name, ZIP_DATE), content, zipfile.ZIP_DEFLATED, 9)
    return out.getvalue()


CONTAINER = '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile full-path="book.opf"/></rootfiles></container>'


def book(chapters, **more):
    items = "".join(f'<item id="c{i}" href="{name}" media-type="application/xhtml+xml"/>' for i, name in enumerate(chapters))
    spine = "".join(f'<itemref idref="c{i}"/>' for i in range(len(chapters)))
    opf = ('<package xmlns="http://www.idpf.org/2007/opf" version="2.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
           f"<dc:title>Keeper's book</dc:title></metadata><manifest>{items}</manifest><spine>{spine}</spine></package>")
    parts = {"META-INF/container.xml": CONTAINER, "book.opf": opf}
    parts |= {name: text for name, text in chapters.items() if text is not None}
    return archive("application/epub+zip", parts | more)


def chapter(text):
    return f'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title/></head><body>{text}</body></html>'


ENCRYPTION = ('<encryption xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><EncryptedData xmlns="http://www.w3.org/2001/04/xmlenc#">'
              '<EncryptionMethod Algorithm="http://www.w3.org/2001/04/xmlenc#aes128-cbc"/><CipherData><CipherReference URI="one.xhtml"/></CipherData>'
              "</EncryptedData></encryption>")

NAMESPACES = ('xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
              'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"')


def document(kind, body, **more):
    content = f"<office:document-content {NAMESPACES}><office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    return archive("application/vnd.oasis.opendocument." + kind, {"content.xml": content} | more)


DELETED = ("<text:tracked-changes><text:changed-region><text:deletion><text:p>deleted-text-must-not-be-indexed</text:p></text:deletion>"
           "</text:changed-region></text:tracked-changes><text:p>The foghorn sounds every 30 seconds.</text:p>")

LOCKED = ('<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"><manifest:file-entry manifest:full-path="content.xml">'
          "<manifest:encryption-data/></manifest:file-entry></manifest:manifest>")

RTF = (r"{\rtf1\ansi\ansicpg1252\deff0{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset134 SimSun;}{\f2\fcharset204 Arial;}}"
       r"{\pict\pngblip 89504e47}{\v hidden-text-must-not-be-indexed}\f0 Gr\'f6\'dfe \u8364? \f1 %s \f2 %s\par}")


def escaped(text, charset):
    return "".join(f"\\'{c:02x}" for c in text.encode(charset))


def notebook(*cells):
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": list(cells)}).encode()


def silence(frames):
    out = io.BytesIO()
    with wave.open(out, "wb") as w:
        w.setparams((1, 1, 8000, frames, "NONE", ""))
        w.writeframes(b"\x80" * frames)
    return out.getvalue()


def write(folder):
    whole = chapter("<h1>Lamp</h1><p>The lamp burns 1.4 litres of oil a night.</p>")
    epub = book({"one.xhtml": whole})
    (folder / "unclosed-title.epub").write_bytes(epub)
    (folder / "truncated.epub").write_bytes(epub[: len(epub) // 2])
    (folder / "missing-chapter.epub").write_bytes(book({"one.xhtml": whole, "two.xhtml": None}))
    (folder / "protected.epub").write_bytes(book({"one.xhtml": "noise"}, **{"META-INF/encryption.xml": ENCRYPTION}))
    (folder / "zip-bomb.epub").write_bytes(book({"one.xhtml": chapter("<p>" + "a" * (80 << 20) + "</p>")}))

    (folder / "deleted-text.odt").write_bytes(document("text", DELETED))
    (folder / "needs-password.odt").write_bytes(document("text", "", **{"META-INF/manifest.xml": LOCKED}))
    (folder / "deep.odt").write_bytes(document("text", "<text:list><text:list-item>" * 20_000))
    row = '<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16000"><text:p>7</text:p></table:table-cell></table:table-row>'
    (folder / "repeated-cells.ods").write_bytes(document("spreadsheet", f'<table:table table:name="Tides">{row}</table:table>'))

    rtf = (RTF % (escaped("码头值班表", "gb18030"), escaped("Маяк", "cp1251"))).encode()
    (folder / "three-charsets.rtf").write_bytes(rtf)
    (folder / "cut-off.rtf").write_bytes(rb"{\rtf1\ansi The relief boat comes on Tuesdays.\par{\b and on Fri")
    (folder / "deep.rtf").write_bytes(rb"{\rtf1 " + b"{" * 12_000)

    picture = {"cell_type": "code", "source": "plot()", "outputs": [{"output_type": "display_data", "data": {"image/png": "encoded-picture-must-not-be-indexed"}}]}
    long = {"cell_type": "code", "source": "log()", "outputs": [{"output_type": "stream", "text": "tick\n" * 5_000}]}
    plain = {"cell_type": "markdown", "source": ["# Tide log\n", "The gauge was cleaned on 9 May 2025."]}
    (folder / "long-output.ipynb").write_bytes(notebook(plain, picture, long))
    (folder / "cut-off.ipynb").write_bytes(notebook(plain)[:-40])

    (folder / "tide.py").write_text("import math\n\n\nclass Gauge:\n    # Metres above chart datum.\n    def level(self, hours):\n        return 2.1 * math.cos(hours)\n")
    (folder / "bundle.js").write_text("var a=function(){return 1};" * 400)
    (folder / "package-lock.json").write_text('{"lockfileVersion": 3}\n')
    (folder / "big5.txt").write_bytes("燈塔每六秒閃一次白光，霧號每三十秒響一次，看守人住在北面的小屋裡。\n".encode("big5"))
    (folder / "shift-jis.txt").write_bytes("灯台は六秒ごとに白い光を放ちます。霧笛は三十秒ごとに鳴ります。\n".encode("shift-jis"))
    (folder / "windows-1251.txt").write_bytes("Маяк даёт белую вспышку каждые шесть секунд.\n".encode("cp1251"))
    (folder / "utf16-without-mark.txt").write_bytes("灯塔每六秒闪一次白光。看守人住在北面的小屋里，我们每个月去一次。\n".encode("utf-16-le"))
    (folder / "ebcdic.txt").write_bytes("The lighthouse keeper lives in the northern hut.".encode("cp037"))
    (folder / "silence.wav").write_bytes(silence(800))
