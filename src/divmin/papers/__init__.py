"""The figures, tables and claims of the sources, one file each: settings, claim, expected numbers, compute and draw.

Their imports are light at the top: torch and SciPy are imported where they are used.
"""

from __future__ import annotations

from divmin.pages.parts import Table as Table
from divmin.papers.expected import Check as Check
from divmin.papers.expected import Expected as Expected
from divmin.papers.expected import check as check
from divmin.papers.item import Cost as Cost
from divmin.papers.item import Found as Found
from divmin.papers.item import Item as Item
from divmin.papers.item import item as item
from divmin.papers.item import items as items
from divmin.papers.item import register as register
from divmin.papers.sources import Paper as Paper
from divmin.papers.work import Work as Work

# isort: split
from divmin.papers import arjovsky as arjovsky
from divmin.papers import berger as berger
from divmin.papers import huszar as huszar
from divmin.papers import poole as poole
from divmin.papers import shannon as shannon
