"""Write docs/gallery.md and its pictures: every recipe of the registry, what it minimises, and its curves.

    python docs/make_gallery.py

A test compares the page with what this writes now.
"""

from __future__ import annotations

import re
from pathlib import Path

import divmin as dm
from divmin.explanation.curves import lines
from divmin.objectives import Named
from divmin.plots import save_explanations

HERE = Path(__file__).parent
PICTURES = HERE / "pictures" / "gallery"

TOP = """# Gallery of recipes

Every recipe that divmin knows, what it minimises with its best critic, and three curves: what the best critic says at
log-ratio d, the pull w(d) on a model sample (below 0 it is pushed away from the data), and the cost s(d) of a mismatch.
Made by `python docs/make_gallery.py`; `divmin explain RECIPE` prints each entry, [explain.md](explain.md) says how to read it.
"""


def page() -> str:
    """The whole page as Markdown."""
    parts = [TOP]
    for named in dm.recipes().values():
        parts.append(section(named))
    return "\n".join(parts)


def section(named: Named) -> str:
    """One entry of the registry with all its examples."""
    aliases = f" (also {', '.join(f'`{alias}`' for alias in named.aliases)})" if named.aliases else ""
    text = [f"## {named.name}", "", f"`{named.usage}`{aliases}. {named.summary} {named.source}.", ""]
    for recipe in named.examples or (named.name,):
        found = dm.explain(recipe)
        r = dm.recipe(recipe)
        term = getattr(r, "likelihood", None)
        generator = str(r.generator) + (f", and ({term}) times -log q on data" if term is not None else "")
        losses = {"critic on data": r.real, "critic on samples": r.fake, "generator": generator}
        text += [f"**{found.subject}.** {found.sentence}", "", "```"]
        text += [f"  {label:<22}{loss}" for label, loss in losses.items()]
        text += [*str(found).splitlines()[1:], "```", ""]
        if drawn(found):
            alt = f"Curves of {found.subject}: best critic, pull, cost"
            text += [f"![{alt}](pictures/gallery/{picture(recipe)})", ""]
    return "\n".join(text)


def drawn(found: dm.Explanation) -> bool:
    """Whether there is a pull to draw."""
    return lines([found]).members[0].weight is not None


def picture(recipe: str) -> str:
    """The file name of a recipe's picture."""
    return re.sub(r"[^a-z0-9]+", "-", recipe.lower().replace("-", "minus ")).strip("-") + ".png"


def draw() -> None:
    """All pictures, with few colours, so that they are small."""
    from PIL import Image

    PICTURES.mkdir(parents=True, exist_ok=True)
    for named in dm.recipes().values():
        for recipe in named.examples or (named.name,):
            found = dm.explain(recipe)
            if not drawn(found):
                continue
            path = PICTURES / picture(recipe)
            record = lines([found], span=found.span, points=round(40 * found.span) + 1)
            save_explanations(record, path, caption=found.subject)
            image = Image.open(path).convert("RGB")
            image.resize((image.width * 2 // 3, image.height * 2 // 3), Image.Resampling.LANCZOS).quantize(48).save(
                path, optimize=True
            )


if __name__ == "__main__":
    (HERE / "gallery.md").write_text(page(), encoding="utf-8")
    draw()
    print(f"wrote {HERE / 'gallery.md'} and {len(list(PICTURES.glob('*.png')))} pictures in {PICTURES}")
