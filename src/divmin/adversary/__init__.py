"""A fresh critic against a generator that stands still: how soon it tells samples from data, and what it would teach."""

from divmin.adversary.contest import Contest as Contest
from divmin.adversary.contest import Look as Look
from divmin.adversary.contest import Settings as Settings
from divmin.adversary.contest import contest as contest
from divmin.adversary.fresh import fresh as fresh
from divmin.adversary.parts import Split as Split
from divmin.adversary.parts import some as some
from divmin.adversary.parts import split as split
from divmin.adversary.pulls import Norm as Norm
from divmin.adversary.pulls import Pull as Pull
from divmin.adversary.separation import Separation as Separation
from divmin.adversary.separation import separation as separation
from divmin.adversary.verdict import verdict as verdict
