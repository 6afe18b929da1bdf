"""The three update rules of the note by their numbers, and what each is now known to minimise."""

from __future__ import annotations

RULES = ("#0", "#1", "#2")
# The recipe of each rule; the divergence that it descends with an optimal critic, with its factor; the reference's name of that.
RECIPE = {"#0": "minimax", "#1": "nonsaturating", "#2": "huszar"}
MINIMISES = {"#0": "2*js", "#1": "0.5*softened_reverse_kl", "#2": "reverse_kl"}
REFERRED = {"#0": "js", "#1": "softened_reverse_kl", "#2": "reverse_kl"}
LOSS = {"#0": "E log(1 - D)", "#1": "-E log D", "#2": "-E log D/(1 - D)"}
