"""Writes sources as PDF: A4, header and footer on every page, embedded subset fonts with ToUnicode."""

from reportlab.lib import colors
from reportlab.lib.enums import TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

import markup

LATIN = "/usr/share/fonts/truetype/dejavu/DejaVuSansCondensed"
CHINESE = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"


class SteadyFont(TTFont):
    """Keeps code 10 of every subset a space: some readers send their own line breaks through the font's table."""

    def splitString(self, text, doc, encoding="utf-8"):
        if doc not in self.state:
            super().splitString("", doc, encoding)
            self.state[doc].subsets[0][10] = 32
        state = self.state[doc]
        for character in dict.fromkeys(text if isinstance(text, str) else text.decode(encoding)):
            if state.nextCode & 0xFF == 10:
                if state.nextCode > 32:
                    state.subsets[state.nextCode >> 8].append(32)
                state.nextCode += 1
            super().splitString(character, doc, encoding)
        return super().splitString(text, doc, encoding)


def register_fonts():
    pdfmetrics.registerFont(SteadyFont("latin", LATIN + ".ttf"))
    pdfmetrics.registerFont(SteadyFont("latin-bold", LATIN + "-Bold.ttf"))
    pdfmetrics.registerFont(SteadyFont("chinese", CHINESE, subfontIndex=0))
    # Another face of the file: ReportLab keeps one font a face.
    pdfmetrics.registerFont(TTFont("chinese-unsteady", CHINESE, subfontIndex=1))


class NumberedCanvas(Canvas):
    """Puts header and footer on when the number of pages is known."""

    def __init__(self, *args, header="", footer="", font="", **kwargs):
        super().__init__(*args, **kwargs)
        self.header, self.footer, self.font = header, footer, font
        self.pages = []

    def showPage(self):
        self.pages.append(dict(self.__dict__))
        self._startPage()

    def save(self):
        for number, state in enumerate(self.pages, 1):
            self.__dict__.update(state)
            self.setFont(self.font, 8)
            self.setFillColor(colors.HexColor("#555555"))
            self.drawString(24 * mm, 283 * mm, self.header)
            self.drawString(24 * mm, 12 * mm, self.footer.format(page=number, pages=len(self.pages)))
            super().showPage()
        super().save()


def styles(language):
    chinese = language == "zh"
    regular, bold = ("chinese", "chinese") if chinese else ("latin", "latin-bold")
    body = ParagraphStyle("body", fontName=regular, fontSize=10, leading=14.5, spaceAfter=7)
    if chinese:
        body.wordWrap = "CJK"
    else:
        body.alignment = TA_JUSTIFY
        body.hyphenationLang = {"en": "en_GB", "de": "de_DE"}[language]
    return {
        "title": ParagraphStyle("title", body, fontName=bold, fontSize=18, leading=24, alignment=0, spaceAfter=10),
        "heading": ParagraphStyle("heading", body, fontName=bold, fontSize=12.5, leading=17, spaceBefore=8, spaceAfter=4),
        "paragraph": body,
        "item": ParagraphStyle("item", body, leftIndent=14, bulletIndent=4, spaceAfter=3),
        "numbered": ParagraphStyle("numbered", body, leftIndent=16, firstLineIndent=-16, spaceAfter=4),
        "cell": ParagraphStyle("cell", body, fontSize=9, leading=12, alignment=0, spaceAfter=0, hyphenationLang=""),
        "head": ParagraphStyle("head", body, fontName=bold, fontSize=9, leading=12, alignment=0, spaceAfter=0, hyphenationLang=""),
    }


def table(rows, style):
    # Columns take the width in proportion to their longest cell, within limits, so that short ones don't wrap.
    weights = [min(max(len(row[i]) for row in rows), 44) + 6 for i in range(len(rows[0]))]
    width = A4[0] - 48 * mm - 12
    cells = [[Paragraph(cell, style["head" if r == 0 else "cell"]) for cell in row] for r, row in enumerate(rows)]
    t = Table(cells, colWidths=[width * w / sum(weights) for w in weights], repeatRows=1)
    t.setStyle(TableStyle([
        ("GRID", (0, 0), (-1, -1), 0.4, colors.HexColor("#999999")),
        ("BACKGROUND", (0, 0), (-1, 0), colors.HexColor("#e6edf2")),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]))
    return t


def write(source, target, *, language, header, footer, subject=""):
    """Renders the source to target. footer may contain {page} and {pages}."""
    style = styles(language)
    story, title = [], ""
    for block in markup.read(source):
        if block.kind == "page":
            story.append(PageBreak())
        elif block.kind == "table":
            story += [table(block.rows, style), Spacer(1, 9)]
        elif block.kind == "item":
            story.append(Paragraph(block.text, style["item"], bulletText="•"))
        else:
            story.append(Paragraph(block.text, style[block.kind]))
        if block.kind == "title":
            title = block.text

    def canvas(*args, **kwargs):
        font = "chinese" if language == "zh" else "latin"
        return NumberedCanvas(*args, header=header, footer=footer, font=font, **kwargs)

    SimpleDocTemplate(
        str(target), pagesize=A4, title=title, author="Lumen Harbour Instruments", subject=subject, lang=language,
        leftMargin=24 * mm, rightMargin=24 * mm, topMargin=24 * mm, bottomMargin=22 * mm, invariant=1,
    ).build(story, canvasmaker=canvas)
