"""Reads the small subset of Markdown that the sources are written in."""

from dataclasses import dataclass, field


@dataclass
class Block:
    """One block. kind: title, heading, paragraph, item, numbered, table or page (a page break)."""

    kind: str
    text: str = ""
    rows: list[list[str]] = field(default_factory=list)


def read(path):
    """Returns the blocks of a source, in order."""
    blocks = []
    for part in path.read_text(encoding="utf-8").strip().split("\n\n"):
        lines = part.split("\n")
        first = lines[0]
        if first == "<!-- page -->":
            blocks.append(Block("page"))
        elif first.startswith("# "):
            blocks.append(Block("title", first[2:]))
        elif first.startswith("## "):
            blocks.append(Block("heading", first[3:]))
        elif first.startswith("|"):
            rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
            blocks.append(Block("table", rows=[rows[0]] + rows[2:]))
        elif first.startswith("- "):
            blocks += [Block("item", line[2:]) for line in lines]
        elif first.startswith("1. "):
            blocks += [Block("numbered", line) for line in lines]
        else:
            blocks.append(Block("paragraph", " ".join(lines)))
    return blocks
