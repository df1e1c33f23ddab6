"""Makes small files that go wrong in known ways. EXPECT.tsv beside them says what each must come to."""

import io
import random
import subprocess
import zipfile

from PIL import Image, ImageDraw, ImageFont
from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

import archives
import office
import pdf
import texts
import word

ZIP_DATE = (2026, 1, 1, 0, 0, 0)

HTML = """<!DOCTYPE html>
<html lang="en"><head><title>Buoy 7 status</title>
<style>p { color: navy } .hidden-word { display: block }</style>
<script>var secret = "script-text-must-not-be-indexed";</script>
</head><body>
<h1>Buoy 7 status</h1>
<p onclick="alert('attribute-text-must-not-be-indexed')">Buoy 7 was serviced on 4 May 2025 &amp; got a new lamp&nbsp;ring.</p>
<noscript>Please switch on scripts.</noscript>
<script type="application/json">{"note": "script-text-must-not-be-indexed"}</script>
<!-- comment-text-must-not-be-indexed -->
<p>The next service is due after 9,000 hours.
</body></html>
"""

BROKEN_FRONT_MATTER = """---
title: "The quote is never closed
tags: [tide, gauge
---

# Tide gauge at Ponta Fria

The gauge at Ponta Fria stands on a concrete block of 340 kilograms.
"""


def newline_glyph(target):
    """Text lines set with T* in a font whose code 10 is a Chinese character."""
    canvas = Canvas(str(target), pagesize=A4, invariant=1)
    text = canvas.beginText(72, 760)
    text.setFont("chinese-unsteady", 12)
    for line in ["灯塔每六秒闪一次白光。", "雾号每三十秒响一次。", "看守人住在北面的小屋里。"]:
        text.textLine(line)
    canvas.drawText(text)
    canvas.save()


def one_page(target, text, **kwargs):
    canvas = Canvas(str(target), pagesize=A4, invariant=1, **kwargs)
    canvas.setFont("latin", 12)
    for i, line in enumerate(text.split("\n")):
        canvas.drawString(72, 760 - 18 * i, line)
    canvas.save()


def encrypt(source, target, user):
    # Fixed ids and initialisation vectors give the same bytes each time; this protects nothing worth protecting.
    subprocess.run(["qpdf", "--static-id", "--static-aes-iv", "--encrypt", user, "owner", "128", "--use-aes=y", "--",
                    source, target], check=True)


# What qpdf is told, and how objects are packed, for each way to encrypt with an empty user password.
ENCRYPTIONS = {
    "rc4-40": (["40"], "disable"),
    "rc4-128": (["128", "--use-aes=n"], "generate"),
    "rc4-128-filters": (["128", "--use-aes=n", "--force-V4"], "disable"),
    "aes-128": (["128", "--use-aes=y"], "generate"),
    "aes-128-open-metadata": (["128", "--use-aes=y", "--cleartext-metadata"], "disable"),
    "aes-256-r5": (["256", "--force-R5"], "disable"),
    "aes-256-r6": (["256"], "generate"),
}


def encryptions(folder):
    """The same page in every encryption, with a title that is encrypted too."""
    plain = folder / "plain.pdf"
    canvas = Canvas(str(plain), pagesize=A4, invariant=1)
    canvas.setTitle("Übergabe am Wehr")
    canvas.drawString(72, 760, "Weir 9 was handed over with 14 keys.")
    canvas.save()
    for name, (options, objects) in ENCRYPTIONS.items():
        subprocess.run(["qpdf", "--allow-weak-crypto", "--static-id", "--static-aes-iv", "--object-streams=" + objects,
                        "--encrypt", "", "owner", *options, "--", plain, folder / f"encrypted-{name}.pdf"], check=True)
    plain.unlink()


def scan(target):
    """A page that is a picture of text, with no text in it."""
    image = Image.new("1", (1240, 1754), 1)
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(pdf.LATIN + ".ttf", 34)
    lines = ["DELIVERY NOTE 2025-0417", "", "4 instruments Dunlin 200", "2 clamps LH-CL-09", "", "Received in good order, 17 April 2025"]
    for i, line in enumerate(lines):
        draw.text((140, 180 + 60 * i), line, font=font, fill=0)
    canvas = Canvas(str(target), pagesize=A4, invariant=1)
    canvas.drawInlineImage(image, 0, 0, *A4)
    canvas.save()


def bomb(target, source):
    """A docx whose main part claims four gigabytes and does inflate to 24 megabytes."""
    paragraphs = b"<w:p><w:r><w:t>" + b"a" * 4000 + b"</w:t></w:r></w:p>"
    namespace = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    part = b'<?xml version="1.0"?><w:document xmlns:w="' + namespace + b'"><w:body>' + paragraphs * 6000 + b"</w:body></w:document>"
    out = io.BytesIO()
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as new:
        for name in ["[Content_Types].xml", "_rels/.rels"]:
            new.writestr(zipfile.ZipInfo(name, ZIP_DATE), old.read(name), zipfile.ZIP_DEFLATED)
        new.writestr(zipfile.ZipInfo("word/document.xml", ZIP_DATE), part, zipfile.ZIP_DEFLATED)
    true_size = len(part).to_bytes(4, "little")
    target.write_bytes(out.getvalue().replace(true_size, (0xFFFFFFFE).to_bytes(4, "little")))


def write(folder):
    folder.mkdir(exist_ok=True)
    noise = random.Random(9).randbytes

    (folder / "empty.pdf").write_bytes(b"")
    (folder / "blank.txt").write_bytes(b" \n\t\r\n  \n")
    (folder / "text-named.pdf").write_text("This is plain text that somebody renamed. It never was a PDF.\n" * 3)
    (folder / "noise-named.pdf").write_bytes(noise(2000))
    (folder / "binary-named.txt").write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + noise(1500))
    (folder / "replacement-characters.txt").write_text("\ufffd" * 400 + " ok " + "\ufffd" * 400, encoding="utf-8")

    ordinary = folder / "ordinary.pdf"
    one_page(ordinary, "Sluice gate C opens at a level of 412 centimetres.\nIts key hangs in the pump house.")
    data = ordinary.read_bytes()
    (folder / "truncated.pdf").write_bytes(data[: len(data) * 2 // 5])
    (folder / "mangled-to-utf8.pdf").write_bytes(data.decode("utf-8", "replace").encode("utf-8"))
    encrypt(ordinary, folder / "needs-password.pdf", "lighthouse")
    encrypt(ordinary, folder / "empty-password.pdf", "")
    ordinary.unlink()
    encryptions(folder)
    scan(folder / "scan.pdf")
    newline_glyph(folder / "newline-glyph.pdf")

    (folder / "utf16.txt").write_bytes("\ufeffDie Schleuse öffnet um 05:40 Uhr, 潮位为三米。\n".encode("utf-16-le"))
    (folder / "latin1.txt").write_bytes("Größe der Boje: 2,40 Meter. Überprüfung jährlich im März.\n".encode("latin-1"))
    (folder / "gb18030.txt").write_bytes("潮汐站位于码头东侧，水深十二米，每月第一个星期一进行检查。检查人员须穿救生衣。\n".encode("gb18030"))
    (folder / "scripts.html").write_text(HTML, encoding="utf-8")
    (folder / "broken-front-matter.md").write_text(BROKEN_FRONT_MATTER, encoding="utf-8")
    (folder / "带空格的 文件名 (final copy).md").write_text("# 浮标编号\n\n七号浮标的新编号是 B-7731。\n", encoding="utf-8")
    (folder / "~$lock file.docx").write_bytes(b"\x05Rui S" + b" " * 156)

    source = folder / "source.md"
    source.write_text("# Winch log\n\nThe winch was greased on 3 June 2025.\n", encoding="utf-8")
    winch = folder / "winch.docx"
    word.write(source, winch, language="en")
    data = winch.read_bytes()
    (folder / "truncated.docx").write_bytes(data[: len(data) // 2])
    bomb(folder / "zip-bomb.docx", winch)
    archives.write(folder)
    source.unlink()
    winch.unlink()

    office.awkward(folder)

    texts.write(folder)
