"""Makes the binary files of testdata: the PDF and Word documents of company/ and the files of awkward/."""

import pathlib

import awkward
import pdf
import word

HERE = pathlib.Path(__file__).resolve().parent
SOURCES = HERE / "sources"
COMPANY = HERE.parent / "company"


def main():
    pdf.register_fonts()
    pdf.write(SOURCES / "dunlin-200.md", COMPANY / "products/Dunlin 200 Manual.pdf", language="en",
              header="Lumen Harbour Instruments · Dunlin 200 Operating Manual",
              footer="LHI-MAN-D200 rev. C · October 2025 · Page {page} of {pages}")
    pdf.write(SOURCES / "dunlin-400.md", COMPANY / "products/Dunlin 400 Manual.pdf", language="en",
              header="Lumen Harbour Instruments · Dunlin 400 Operating Manual",
              footer="LHI-MAN-D400 rev. B · December 2025 · Page {page} of {pages}")
    pdf.write(SOURCES / "arbeitssicherheit.md", COMPANY / "policies/Arbeitssicherheit Werk Hamburg.pdf", language="de",
              header="Lumen Harbour Instruments · Werk Hamburg · Arbeitssicherheit",
              footer="LHI-HH-AS-11 · gültig ab 1. Oktober 2025 · Seite {page} von {pages}")
    pdf.write(SOURCES / "dunlin-200-安装指南.md", COMPANY / "中文/Dunlin 200 安装指南.pdf", language="zh",
              header="流明港仪器（上海）有限公司 · Dunlin 200 安装指南",
              footer="LHI-CN-IN-07 · 2025年11月 · 第{page}页，共{pages}页")
    word.write(SOURCES / "plan-a.md", COMPANY / "handbook/Health Plan A Harbour.docx", language="en")
    word.write(SOURCES / "plan-b.md", COMPANY / "handbook/Health Plan B Open Sea.docx", language="en")
    word.write(SOURCES / "售后服务政策.md", COMPANY / "中文/售后服务政策.docx", language="zh", east_asian_font="SimSun")
    awkward.write(HERE.parent / "awkward")


if __name__ == "__main__":
    main()
